// Search keys.
#include <algorithm>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parse_arguments.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

namespace {

using Kind = SearchKey::Kind;

// What follows a key's name.
enum class Operand {
  kNone,
  kDate,
  kSize,
  // A string, in `text`.
  kText,
  // The same, the key being a header field's name.
  kFieldText,
  // A field's name and a string.
  kHeader,
  // A keyword's atom.
  kFlagKeyword,
  // nz-number.
  kSeconds,
  kModseq,
  kUidSet,
  kOneKey,
  kTwoKeys,
};

struct KeyGrammar {
  std::string_view name;
  Kind kind;
  Operand operand;
  int64_t number = 0;
};

constexpr KeyGrammar kKeys[] = {
    {"ALL", Kind::kAll, Operand::kNone},
    {"ANSWERED", Kind::kFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_ANSWERED},
    {"BCC", Kind::kHeader, Operand::kFieldText},
    {"BEFORE", Kind::kBefore, Operand::kDate},
    {"BODY", Kind::kBody, Operand::kText},
    {"CC", Kind::kHeader, Operand::kFieldText},
    {"DELETED", Kind::kFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_DELETED},
    {"DRAFT", Kind::kFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_DRAFT},
    {"EMAILID", Kind::kEmailId, Operand::kText},
    {"FLAGGED", Kind::kFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_FLAGGED},
    {"FROM", Kind::kHeader, Operand::kFieldText},
    {"HEADER", Kind::kHeader, Operand::kHeader},
    {"KEYWORD", Kind::kKeyword, Operand::kFlagKeyword},
    {"LARGER", Kind::kLarger, Operand::kSize},
    {"MODSEQ", Kind::kModseq, Operand::kModseq},
    {"NEW", Kind::kNew, Operand::kNone},
    {"NOT", Kind::kNot, Operand::kOneKey},
    {"OLD", Kind::kOld, Operand::kNone},
    {"OLDER", Kind::kOlder, Operand::kSeconds},
    {"ON", Kind::kOn, Operand::kDate},
    {"OR", Kind::kOr, Operand::kTwoKeys},
    {"RECENT", Kind::kRecent, Operand::kNone},
    {"SAVEDATESUPPORTED", Kind::kSaveDateSupported, Operand::kNone},
    {"SAVEDBEFORE", Kind::kSavedBefore, Operand::kDate},
    {"SAVEDON", Kind::kSavedOn, Operand::kDate},
    {"SAVEDSINCE", Kind::kSavedSince, Operand::kDate},
    {"SEEN", Kind::kFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_SEEN},
    {"SENTBEFORE", Kind::kSentBefore, Operand::kDate},
    {"SENTON", Kind::kSentOn, Operand::kDate},
    {"SENTSINCE", Kind::kSentSince, Operand::kDate},
    {"SINCE", Kind::kSince, Operand::kDate},
    {"SMALLER", Kind::kSmaller, Operand::kSize},
    {"SUBJECT", Kind::kHeader, Operand::kFieldText},
    {"TEXT", Kind::kText, Operand::kText},
    {"THREADID", Kind::kThreadId, Operand::kText},
    {"TO", Kind::kHeader, Operand::kFieldText},
    {"UID", Kind::kUid, Operand::kUidSet},
    {"UNANSWERED", Kind::kNoFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_ANSWERED},
    {"UNDELETED", Kind::kNoFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_DELETED},
    {"UNDRAFT", Kind::kNoFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_DRAFT},
    {"UNFLAGGED", Kind::kNoFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_FLAGGED},
    {"UNKEYWORD", Kind::kNoKeyword, Operand::kFlagKeyword},
    {"UNSEEN", Kind::kNoFlag, Operand::kNone, store::v1::MESSAGE_FLAGS_SEEN},
    {"YOUNGER", Kind::kYounger, Operand::kSeconds},
};

class SearchParser {
 public:
  explicit SearchParser(Lexer& lexer) : lexer_(lexer) {}

  // Keys with a space between them, up to the end or a closing parenthesis.
  bool Keys(std::vector<SearchKey>& keys, int depth) {
    do {
      if (!Key(keys.emplace_back(), depth)) return false;
    } while (lexer_.TryChar(' '));
    return true;
  }

 private:
  bool Key(SearchKey& key, int depth) {
    if (depth > kMaxSearchDepth) return lexer_.Fail("Search keys nest too deep");
    if (++count_ > kMaxSearchKeys) return lexer_.Fail("Too many search keys");
    if (lexer_.TryChar('(')) {
      key.kind = Kind::kAnd;
      return Keys(key.children, depth + 1) && lexer_.Char(')');
    }
    if (IsDigit(lexer_.Peek()) || lexer_.Peek() == '*' || lexer_.Peek() == '$') {
      key.kind = Kind::kSequence;
      return lexer_.Sequence(key.set);
    }
    std::string name;
    if (!lexer_.Keyword(name)) return lexer_.Fail("Search key expected");
    const auto grammar =
        std::find_if(std::begin(kKeys), std::end(kKeys),
                     [&](const KeyGrammar& candidate) { return candidate.name == name; });
    if (grammar == std::end(kKeys)) return lexer_.Fail("Unknown search key");
    key.kind = grammar->kind;
    key.number = grammar->number;
    if (grammar->operand == Operand::kFieldText) key.field = name;
    return grammar->operand == Operand::kNone ||
           (lexer_.Space() && TakeOperand(grammar->operand, key, depth));
  }

  bool TakeOperand(Operand operand, SearchKey& key, int depth) {
    switch (operand) {
      case Operand::kNone:
        return true;
      case Operand::kDate:
        return ParseDate(lexer_, key.number);
      case Operand::kSize: {
        uint64_t size = 0;
        if (!lexer_.Number(size, INT64_MAX)) return false;
        key.number = static_cast<int64_t>(size);
        return true;
      }
      case Operand::kText:
      case Operand::kFieldText:
        return lexer_.AString(key.text);
      case Operand::kHeader:
        if (!lexer_.AString(key.field) || !lexer_.Space()) return false;
        key.field = UpperCase(key.field);
        return lexer_.AString(key.text);
      case Operand::kFlagKeyword:
        return lexer_.Atom(key.text);
      case Operand::kSeconds: {
        uint32_t seconds = 0;
        if (!lexer_.NonZero(seconds)) return false;
        key.number = seconds;
        return true;
      }
      case Operand::kModseq:
        return Modseq(key);
      case Operand::kUidSet:
        return lexer_.Sequence(key.set);
      case Operand::kOneKey:
        return Key(key.children.emplace_back(), depth + 1);
      case Operand::kTwoKeys:
        return Key(key.children.emplace_back(), depth + 1) && lexer_.Space() &&
               Key(key.children.emplace_back(), depth + 1);
    }
    return false;
  }

  // RFC 7162, search-modsequence.
  bool Modseq(SearchKey& key) {
    if (lexer_.Peek() == '"' || lexer_.Peek() == '{') {
      if (!lexer_.String(key.field) || !lexer_.Space() || !lexer_.Keyword(key.text)) return false;
      if (key.text != "PRIV" && key.text != "SHARED" && key.text != "ALL") {
        return lexer_.Fail("Unknown entry type");
      }
      if (!lexer_.Space()) return false;
    }
    uint64_t modseq = 0;
    if (!lexer_.Number(modseq, INT64_MAX)) return false;
    key.number = static_cast<int64_t>(modseq);
    return true;
  }

  Lexer& lexer_;
  int count_ = 0;
};

}  // namespace

bool ParseSearchKeys(Lexer& lexer, std::vector<SearchKey>& keys) {
  return SearchParser(lexer).Keys(keys, 0);
}

}  // namespace rmail::gateway::imap
