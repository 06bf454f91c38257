// What RFC 7162 adds to SELECT, FETCH and STORE.
#include <algorithm>

#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

// RFC 7162, mod-sequence-valzer: 63 bits.
bool ParseModseq(Lexer& lexer, uint64_t& modseq) { return lexer.Number(modseq, INT64_MAX); }

// A set without '*' and '$'.
bool ParseKnownSet(Lexer& lexer, SequenceSet& set) {
  if (!lexer.Sequence(set)) return false;
  const bool plain = std::all_of(set.ranges.begin(), set.ranges.end(), [](SequenceRange range) {
    return range.first != kStar && range.last != kStar;
  });
  return (plain && !set.saved) || lexer.Fail("Only numbers may stand here");
}

// How many numbers the set has; 0 unless they ascend.
uint64_t CountAscending(const SequenceSet& set) {
  uint64_t count = 0;
  uint32_t highest = 0;
  for (const SequenceRange& range : set.ranges) {
    if (range.first <= highest || range.last < range.first) return 0;
    highest = range.last;
    count += uint64_t{range.last} - range.first + 1;
  }
  return count;
}

// RFC 7162, seq-match-data; the opening parenthesis is taken.
bool ParseMatchData(Lexer& lexer, QresyncParameter& parameter) {
  if (!ParseKnownSet(lexer, parameter.match_numbers) || !lexer.Space() ||
      !ParseKnownSet(lexer, parameter.match_uids) || !lexer.Char(')')) {
    return false;
  }
  const uint64_t count = CountAscending(parameter.match_numbers);
  return (count > 0 && count == CountAscending(parameter.match_uids)) ||
         lexer.Fail("Sequence numbers and UIDs do not belong together");
}

bool ParseQresync(Lexer& lexer, QresyncParameter& parameter) {
  if (!lexer.Space() || !lexer.Char('(') || !lexer.NonZero(parameter.uid_validity) ||
      !lexer.Space() || !ParseModseq(lexer, parameter.modseq)) {
    return false;
  }
  if (lexer.TryChar(')')) return true;
  if (!lexer.Space()) return false;
  if (!lexer.TryChar('(')) {
    if (!ParseKnownSet(lexer, parameter.known_uids.emplace())) return false;
    if (lexer.TryChar(')')) return true;
    if (!lexer.Space() || !lexer.Char('(')) return false;
  }
  return ParseMatchData(lexer, parameter) && lexer.Char(')');
}

}  // namespace

bool ParseSelect(Lexer& lexer, SelectArguments& arguments) {
  if (!lexer.Space() || !lexer.Mailbox(arguments.mailbox)) return false;
  if (lexer.AtEnd()) return true;
  if (!lexer.Space() || !lexer.Char('(')) return false;
  return ParseOptionList(lexer, [&](std::string_view name) {
    if (name == "CONDSTORE") {
      arguments.condstore = true;
      return true;
    }
    if (name != "QRESYNC" || arguments.qresync) return lexer.Fail("Unknown parameter");
    return ParseQresync(lexer, arguments.qresync.emplace());
  });
}

bool ParseFetchModifiers(Lexer& lexer, FetchArguments& arguments) {
  if (lexer.AtEnd()) return true;
  if (!lexer.Space() || !lexer.Char('(')) return false;
  const bool parsed = ParseOptionList(lexer, [&](std::string_view name) {
    if (name == "VANISHED") {
      arguments.vanished = true;
      return true;
    }
    if (name == "PARTIAL")
      return lexer.Space() && ParsePartialRange(lexer, arguments.partial.emplace());
    if (name != "CHANGEDSINCE") return lexer.Fail("Unknown modifier");
    return lexer.Space() && ParseModseq(lexer, arguments.changed_since.emplace());
  });
  if (!parsed) return false;
  // RFC 7162, 3.2.6.
  return !arguments.vanished || arguments.changed_since ||
         lexer.Fail("VANISHED needs CHANGEDSINCE");
}

bool ParseStoreModifiers(Lexer& lexer, StoreArguments& arguments) {
  if (!lexer.TryChar('(')) return true;
  return ParseOptionList(lexer,
                         [&](std::string_view name) {
                           if (name != "UNCHANGEDSINCE") return lexer.Fail("Unknown modifier");
                           return lexer.Space() &&
                                  ParseModseq(lexer, arguments.unchanged_since.emplace());
                         }) &&
         lexer.Space();
}

}  // namespace rmail::gateway::imap
