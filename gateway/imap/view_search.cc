#include "gateway/imap/view_search.h"

#include <algorithm>

#include "gateway/imap/syntax/characters.h"

namespace rmail::gateway::imap {

namespace {

using Kind = SearchKey::Kind;

// Keys times messages: some milliseconds.
constexpr size_t kMaxWork = 4'000'000;
constexpr size_t kFirstKeywordBit = 5;

bool IsLocal(const SearchKey& key, size_t& keys) {
  ++keys;
  switch (key.kind) {
    case Kind::kAll:
    case Kind::kSequence:
    case Kind::kUid:
    case Kind::kFlag:
    case Kind::kNoFlag:
    case Kind::kKeyword:
    case Kind::kNoKeyword:
    case Kind::kNew:
    case Kind::kOld:
    case Kind::kRecent:
    case Kind::kSaveDateSupported:
      return true;
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kNot:
      return std::all_of(key.children.begin(), key.children.end(),
                         [&](const SearchKey& child) { return IsLocal(child, keys); });
    default:
      return false;
  }
}

class ViewSearcher {
 public:
  explicit ViewSearcher(const SelectedMailbox& mailbox) : mailbox_(mailbox) {}

  std::optional<MessageRuns> AllOf(const std::vector<SearchKey>& keys) const {
    std::optional<MessageRuns> found;
    for (const SearchKey& key : keys) {
      std::optional<MessageRuns> next = Find(key);
      if (!next) return std::nullopt;
      found = found ? MessageRuns::Intersection(*found, *next) : *std::move(next);
    }
    return found ? std::move(found) : All();
  }

 private:
  std::optional<MessageRuns> Find(const SearchKey& key) const {
    switch (key.kind) {
      case Kind::kAnd:
        return AllOf(key.children);
      case Kind::kOr: {
        const std::optional<MessageRuns> a = Find(key.children[0]);
        const std::optional<MessageRuns> b = Find(key.children[1]);
        if (!a || !b) return std::nullopt;
        return MessageRuns::Union(*a, *b);
      }
      case Kind::kNot: {
        const std::optional<MessageRuns> found = Find(key.children[0]);
        if (!found) return std::nullopt;
        return MessageRuns::Complement(*found, mailbox_.size());
      }
      case Kind::kSequence: {
        const auto messages = mailbox_.ResolveSequence(key.set);
        return messages ? std::optional(FromRanges(*messages)) : std::nullopt;
      }
      case Kind::kUid:
        return FromRanges(mailbox_.ResolveUids(key.set));
      case Kind::kFlag:
        return WithFlags(static_cast<uint64_t>(key.number), true);
      case Kind::kNoFlag:
        return WithFlags(static_cast<uint64_t>(key.number), false);
      case Kind::kKeyword:
        return WithKeyword(key.text, true);
      case Kind::kNoKeyword:
        return WithKeyword(key.text, false);
      // See MakeSearchExpression.
      case Kind::kNew:
      case Kind::kRecent:
        return MessageRuns();
      default:
        return All();
    }
  }

  MessageRuns All() const {
    MessageRuns all;
    if (mailbox_.size() > 0) all.Add(0, mailbox_.size() - 1);
    return all;
  }

  static MessageRuns FromRanges(const std::vector<IndexRange>& ranges) {
    MessageRuns runs;
    for (const IndexRange& range : ranges) runs.Add(range.first, range.last);
    return runs;
  }

  MessageRuns WithFlags(uint64_t mask, bool set) const {
    MessageRuns found;
    for (size_t i = 0; i < mailbox_.size(); ++i) {
      if (((mailbox_.flags(i) & mask) == mask) == set) found.Add(i, i);
    }
    return found;
  }

  MessageRuns WithKeyword(std::string_view keyword, bool set) const {
    const std::vector<std::string>& names = mailbox_.keywords();
    const auto name = std::find_if(
        names.begin(), names.end(),
        [keyword](const std::string& candidate) { return EqualsIgnoreCase(candidate, keyword); });
    if (name == names.end()) return set ? MessageRuns() : All();
    const auto bit = kFirstKeywordBit + static_cast<size_t>(name - names.begin());
    return WithFlags(uint64_t{1} << bit, set);
  }

  const SelectedMailbox& mailbox_;
};

}  // namespace

std::optional<MessageRuns> SearchView(const std::vector<SearchKey>& keys,
                                      const SelectedMailbox& mailbox) {
  size_t count = 0;
  const bool local = std::all_of(keys.begin(), keys.end(),
                                 [&](const SearchKey& key) { return IsLocal(key, count); });
  if (!local || mailbox.has_unreported_expunges()) return std::nullopt;
  if (count * mailbox.size() > kMaxWork) return std::nullopt;
  return ViewSearcher(mailbox).AllOf(keys);
}

}  // namespace rmail::gateway::imap
