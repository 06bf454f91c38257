#include "gateway/imap/syntax/write_arguments.h"
#include "gateway/imap/syntax/writer.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

namespace {

class SearchKeyWriter {
 public:
  explicit SearchKeyWriter(std::string& out) : out_(out) {}

  void Key(const SearchKey& key) {
    using Kind = SearchKey::Kind;
    switch (key.kind) {
      case Kind::kAll:
        return Word("ALL");
      case Kind::kAnd:
        out_ += " (";
        for (const SearchKey& child : key.children) {
          const size_t at = out_.size();
          Key(child);
          if (&child == &key.children.front()) out_.erase(at, 1);
        }
        out_ += ')';
        return;
      case Kind::kOr:
        Word("OR");
        Key(key.children[0]);
        return Key(key.children[1]);
      case Kind::kNot:
        Word("NOT");
        return Key(key.children[0]);
      case Kind::kSequence:
        return Set(key.set);
      case Kind::kUid:
        Word("UID");
        return Set(key.set);
      case Kind::kFlag:
        return Word(SystemFlagName(key.number));
      case Kind::kNoFlag:
        Word("UN");
        out_ += SystemFlagName(key.number);
        return;
      case Kind::kNew:
        return Word("NEW");
      case Kind::kOld:
        return Word("OLD");
      case Kind::kRecent:
        return Word("RECENT");
      default:
        return KeyWithOperand(key);
    }
  }

 private:
  static std::string_view SystemFlagName(int64_t bit) {
    switch (bit) {
      case store::v1::MESSAGE_FLAGS_SEEN:
        return "SEEN";
      case store::v1::MESSAGE_FLAGS_ANSWERED:
        return "ANSWERED";
      case store::v1::MESSAGE_FLAGS_FLAGGED:
        return "FLAGGED";
      case store::v1::MESSAGE_FLAGS_DELETED:
        return "DELETED";
      default:
        return "DRAFT";
    }
  }

  void Word(std::string_view word) {
    out_ += ' ';
    out_ += word;
  }
  void AString(std::string_view text) {
    out_ += ' ';
    AppendAString(out_, text);
  }
  void Set(const SequenceSet& set) {
    out_ += ' ';
    AppendSequenceSet(out_, set);
  }
  void Number(int64_t number) {
    out_ += ' ';
    AppendNumber(out_, static_cast<uint64_t>(number));
  }
  void Date(int64_t days) {
    out_ += ' ';
    AppendDate(out_, days);
  }

  void KeyWithOperand(const SearchKey& key) {
    using Kind = SearchKey::Kind;
    switch (key.kind) {
      case Kind::kKeyword:
        Word("KEYWORD");
        return Word(key.text);
      case Kind::kNoKeyword:
        Word("UNKEYWORD");
        return Word(key.text);
      case Kind::kBefore:
        Word("BEFORE");
        return Date(key.number);
      case Kind::kOn:
        Word("ON");
        return Date(key.number);
      case Kind::kSince:
        Word("SINCE");
        return Date(key.number);
      case Kind::kSentBefore:
        Word("SENTBEFORE");
        return Date(key.number);
      case Kind::kSentOn:
        Word("SENTON");
        return Date(key.number);
      case Kind::kSentSince:
        Word("SENTSINCE");
        return Date(key.number);
      case Kind::kLarger:
        Word("LARGER");
        return Number(key.number);
      case Kind::kSmaller:
        Word("SMALLER");
        return Number(key.number);
      case Kind::kHeader:
        Word("HEADER");
        AString(key.field);
        return AString(key.text);
      case Kind::kBody:
        Word("BODY");
        return AString(key.text);
      case Kind::kText:
        Word("TEXT");
        return AString(key.text);
      default:
        return;
    }
  }

  std::string& out_;
};

}  // namespace

void WriteArguments(std::string& out, const SearchArguments& arguments) {
  if (!arguments.charset.empty()) {
    WriteWord(out, "CHARSET");
    WriteAString(out, arguments.charset);
  }
  SearchKeyWriter writer(out);
  for (const SearchKey& key : arguments.keys) writer.Key(key);
}

}  // namespace rmail::gateway::imap
