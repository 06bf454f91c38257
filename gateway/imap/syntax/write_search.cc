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
        return WriteWord(out_, "ALL");
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
        WriteWord(out_, "OR");
        Key(key.children[0]);
        return Key(key.children[1]);
      case Kind::kNot:
        WriteWord(out_, "NOT");
        return Key(key.children[0]);
      case Kind::kSequence:
        return WriteSet(out_, key.set);
      case Kind::kUid:
        WriteWord(out_, "UID");
        return WriteSet(out_, key.set);
      case Kind::kFlag:
        return WriteWord(out_, SystemFlagName(key.number));
      case Kind::kNoFlag:
        WriteWord(out_, "UN");
        out_ += SystemFlagName(key.number);
        return;
      case Kind::kNew:
        return WriteWord(out_, "NEW");
      case Kind::kOld:
        return WriteWord(out_, "OLD");
      case Kind::kRecent:
        return WriteWord(out_, "RECENT");
      case Kind::kSaveDateSupported:
        return WriteWord(out_, "SAVEDATESUPPORTED");
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
        WriteWord(out_, "KEYWORD");
        return WriteWord(out_, key.text);
      case Kind::kNoKeyword:
        WriteWord(out_, "UNKEYWORD");
        return WriteWord(out_, key.text);
      case Kind::kBefore:
        WriteWord(out_, "BEFORE");
        return Date(key.number);
      case Kind::kOn:
        WriteWord(out_, "ON");
        return Date(key.number);
      case Kind::kSince:
        WriteWord(out_, "SINCE");
        return Date(key.number);
      case Kind::kSentBefore:
        WriteWord(out_, "SENTBEFORE");
        return Date(key.number);
      case Kind::kSentOn:
        WriteWord(out_, "SENTON");
        return Date(key.number);
      case Kind::kSentSince:
        WriteWord(out_, "SENTSINCE");
        return Date(key.number);
      case Kind::kLarger:
        WriteWord(out_, "LARGER");
        return Number(key.number);
      case Kind::kSmaller:
        WriteWord(out_, "SMALLER");
        return Number(key.number);
      case Kind::kSavedBefore:
        WriteWord(out_, "SAVEDBEFORE");
        return Date(key.number);
      case Kind::kSavedOn:
        WriteWord(out_, "SAVEDON");
        return Date(key.number);
      case Kind::kSavedSince:
        WriteWord(out_, "SAVEDSINCE");
        return Date(key.number);
      case Kind::kOlder:
        WriteWord(out_, "OLDER");
        return Number(key.number);
      case Kind::kYounger:
        WriteWord(out_, "YOUNGER");
        return Number(key.number);
      case Kind::kModseq:
        return Modseq(key);
      default:
        return KeyWithText(key);
    }
  }

  void Modseq(const SearchKey& key) {
    WriteWord(out_, "MODSEQ");
    if (!key.text.empty()) {
      out_ += ' ';
      AppendString(out_, key.field);
      WriteWord(out_, key.text);
    }
    Number(key.number);
  }

  void KeyWithText(const SearchKey& key) {
    using Kind = SearchKey::Kind;
    switch (key.kind) {
      case Kind::kEmailId:
        WriteWord(out_, "EMAILID");
        return WriteAString(out_, key.text);
      case Kind::kThreadId:
        WriteWord(out_, "THREADID");
        return WriteAString(out_, key.text);
      case Kind::kHeader:
        WriteWord(out_, "HEADER");
        WriteAString(out_, key.field);
        return WriteAString(out_, key.text);
      case Kind::kBody:
        WriteWord(out_, "BODY");
        return WriteAString(out_, key.text);
      case Kind::kText:
        WriteWord(out_, "TEXT");
        return WriteAString(out_, key.text);
      default:
        return;
    }
  }

  std::string& out_;
};

}  // namespace

void WriteSearchKeys(std::string& out, const std::vector<SearchKey>& keys) {
  SearchKeyWriter writer(out);
  for (const SearchKey& key : keys) writer.Key(key);
}

}  // namespace rmail::gateway::imap
