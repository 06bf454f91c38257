// SEARCH, SORT, THREAD and CANCELUPDATE, but for the keys.
#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parse_arguments.h"

namespace rmail::gateway::imap {

namespace {

bool ParseReturnOption(Lexer& lexer, SearchReturn& returns) {
  std::string name;
  if (!lexer.Keyword(name)) return false;
  if (name == "PARTIAL") {
    if (returns.partial) return lexer.Fail("More than one PARTIAL");
    return lexer.Space() && ParsePartialRange(lexer, returns.partial.emplace());
  }
  static constexpr std::pair<std::string_view, bool SearchReturn::*> kOptions[] = {
      {"ALL", &SearchReturn::all},       {"CONTEXT", &SearchReturn::context},
      {"COUNT", &SearchReturn::count},   {"MAX", &SearchReturn::max},
      {"MIN", &SearchReturn::min},       {"SAVE", &SearchReturn::save},
      {"UPDATE", &SearchReturn::update},
  };
  for (const auto& [option, field] : kOptions) {
    if (name != option) continue;
    returns.*field = true;
    return true;
  }
  return lexer.Fail("Unknown result option");
}

// "RETURN (MIN COUNT) ", if it is there.
bool ParseReturn(Lexer& lexer, std::optional<SearchReturn>& returns) {
  if (!lexer.TryPrefix("RETURN ")) return true;
  SearchReturn& options = returns.emplace();
  if (!lexer.Char('(')) return false;
  if (lexer.TryChar(')')) {
    // RFC 4731, 3.1.
    options.all = true;
    return lexer.Space();
  }
  do {
    if (!ParseReturnOption(lexer, options)) return false;
  } while (lexer.TryChar(' '));
  // RFC 9394, 3.1.
  if (options.all && options.partial) return lexer.Fail("PARTIAL and ALL exclude each other");
  return lexer.Char(')') && lexer.Space();
}

bool ParseCharset(Lexer& lexer, std::string& charset) {
  if (!lexer.AString(charset) || !lexer.Space()) return false;
  charset = UpperCase(charset);
  return true;
}

bool ParseSortKey(Lexer& lexer, SortKey& key) {
  using Kind = SortKey::Kind;
  static constexpr std::pair<std::string_view, Kind> kNames[] = {
      {"ARRIVAL", Kind::kArrival},
      {"CC", Kind::kCc},
      {"DATE", Kind::kDate},
      {"DISPLAYFROM", Kind::kDisplayFrom},
      {"DISPLAYTO", Kind::kDisplayTo},
      {"FROM", Kind::kFrom},
      {"SIZE", Kind::kSize},
      {"SUBJECT", Kind::kSubject},
      {"TO", Kind::kTo},
  };
  std::string word;
  key.reverse = lexer.TryPrefix("REVERSE ");
  if (!lexer.Keyword(word)) return false;
  for (const auto& [name, kind] : kNames) {
    if (word != name) continue;
    key.kind = kind;
    return true;
  }
  return lexer.Fail("Unknown sort key");
}

}  // namespace

bool ParsePartialRange(Lexer& lexer, PartialRange& range) {
  range.from_end = lexer.TryChar('-');
  if (!lexer.NonZero(range.first) || !lexer.Char(':')) return false;
  // RFC 9394, partial-range: both ends are counted the same way.
  if (range.from_end && !lexer.Char('-')) return false;
  return lexer.NonZero(range.last);
}

bool ParseSearch(Lexer& lexer, SearchArguments& arguments) {
  if (!lexer.Space() || !ParseReturn(lexer, arguments.returns)) return false;
  if (lexer.TryPrefix("CHARSET ") && !ParseCharset(lexer, arguments.charset)) return false;
  return ParseSearchKeys(lexer, arguments.keys);
}

bool ParseSort(Lexer& lexer, SortArguments& arguments) {
  if (!lexer.Space() || !ParseReturn(lexer, arguments.search.returns) || !lexer.Char('(')) {
    return false;
  }
  do {
    if (arguments.keys.size() == kMaxSortKeys) return lexer.Fail("Too many sort keys");
    if (!ParseSortKey(lexer, arguments.keys.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return lexer.Char(')') && lexer.Space() && ParseCharset(lexer, arguments.search.charset) &&
         ParseSearchKeys(lexer, arguments.search.keys);
}

bool ParseThread(Lexer& lexer, ThreadArguments& arguments) {
  using Algorithm = ThreadArguments::Algorithm;
  std::string name;
  if (!lexer.Space() || !lexer.Keyword(name) || !lexer.Space()) return false;
  if (name == "ORDEREDSUBJECT") {
    arguments.algorithm = Algorithm::kOrderedSubject;
  } else if (name == "REFERENCES") {
    arguments.algorithm = Algorithm::kReferences;
  } else if (name == "REFS") {
    arguments.algorithm = Algorithm::kRefs;
  } else {
    return lexer.Fail("Unknown threading algorithm");
  }
  return ParseCharset(lexer, arguments.search.charset) &&
         ParseSearchKeys(lexer, arguments.search.keys);
}

bool ParseCancelUpdate(Lexer& lexer, CancelUpdateArguments& arguments) {
  if (!lexer.Space()) return false;
  do {
    if (arguments.tags.size() == kMaxCancelledTags) return lexer.Fail("Too many tags");
    if (!lexer.String(arguments.tags.emplace_back())) return false;
  } while (lexer.TryChar(' '));
  return true;
}

}  // namespace rmail::gateway::imap
