#include "gateway/imap/search_expression.h"

#include <algorithm>

#include "gateway/imap/syntax/mailbox_name.h"

namespace rmail::gateway::imap {

namespace {

using store::v1::SearchExpression;
using Kind = SearchKey::Kind;

constexpr int64_t kDayMicros = int64_t{86400} * 1'000'000;

class ExpressionMaker {
 public:
  explicit ExpressionMaker(const SelectedMailbox& mailbox) : mailbox_(mailbox) {}

  bool AllOf(const std::vector<SearchKey>& keys, SearchExpression& out) {
    auto& list = *out.mutable_all_of();
    return std::all_of(keys.begin(), keys.end(),
                       [&](const SearchKey& key) { return Make(key, *list.add_expressions()); });
  }

 private:
  bool Make(const SearchKey& key, SearchExpression& out) {
    switch (key.kind) {
      case Kind::kAll:
      // No message is ever \Recent here (RFC 9051 has done away with it), so OLD is all of them.
      case Kind::kOld:
        out.mutable_all_of();
        return true;
      case Kind::kNew:
      case Kind::kRecent:
        out.mutable_any_of();
        return true;
      case Kind::kAnd:
        return AllOf(key.children, out);
      case Kind::kOr: {
        auto& list = *out.mutable_any_of();
        return Make(key.children[0], *list.add_expressions()) &&
               Make(key.children[1], *list.add_expressions());
      }
      case Kind::kNot:
        return Make(key.children[0], *out.mutable_none_of());
      case Kind::kSequence: {
        const auto messages = mailbox_.ResolveSequence(key.set);
        if (!messages) return false;
        mailbox_.AddUidRanges(*messages, *out.mutable_uids()->mutable_ranges());
        return true;
      }
      case Kind::kUid:
        mailbox_.AddUidRanges(mailbox_.ResolveUids(key.set), *out.mutable_uids()->mutable_ranges());
        return true;
      default:
        MakeCondition(key, out);
        return true;
    }
  }

  // Keys that need nothing of the mailbox.
  static void MakeCondition(const SearchKey& key, SearchExpression& out) {
    const auto number = static_cast<uint64_t>(key.number);
    switch (key.kind) {
      case Kind::kFlag:
        out.set_flags_set(number);
        return;
      case Kind::kNoFlag:
        out.mutable_none_of()->set_flags_set(number);
        return;
      case Kind::kKeyword:
        out.set_keyword(key.text);
        return;
      case Kind::kNoKeyword:
        out.mutable_none_of()->set_keyword(key.text);
        return;
      case Kind::kLarger:
        out.set_larger_than(number);
        return;
      case Kind::kSmaller:
        out.set_smaller_than(number);
        return;
      case Kind::kHeader:
        out.mutable_header()->set_field(key.field);
        out.mutable_header()->set_text(key.text);
        return;
      case Kind::kBody:
        out.set_body(key.text);
        return;
      case Kind::kText:
        out.set_text(key.text);
        return;
      default:
        MakeDate(key, out);
        return;
    }
  }

  // RFC 9051, 6.4.4: dates are compared without time and zone; the server's days are UTC's.
  static void MakeDate(const SearchKey& key, SearchExpression& out) {
    const int64_t start = key.number * kDayMicros;
    const int64_t end = start + kDayMicros;
    switch (key.kind) {
      case Kind::kBefore:
        out.set_received_before(start);
        return;
      case Kind::kSince:
        out.set_received_from(start);
        return;
      case Kind::kOn:
        out.mutable_all_of()->add_expressions()->set_received_from(start);
        out.mutable_all_of()->add_expressions()->set_received_before(end);
        return;
      case Kind::kSentBefore:
        out.set_sent_before(start);
        return;
      case Kind::kSentSince:
        out.set_sent_from(start);
        return;
      case Kind::kSentOn:
        out.mutable_all_of()->add_expressions()->set_sent_from(start);
        out.mutable_all_of()->add_expressions()->set_sent_before(end);
        return;
      default:
        return;
    }
  }

  const SelectedMailbox& mailbox_;
};

}  // namespace

std::optional<SearchExpression> MakeSearchExpression(const std::vector<SearchKey>& keys,
                                                     const SelectedMailbox& mailbox) {
  SearchExpression expression;
  if (!ExpressionMaker(mailbox).AllOf(keys, expression)) return std::nullopt;
  return expression;
}

bool IsSearchCharset(std::string_view charset) {
  return charset.empty() || charset == "UTF-8" || charset == "US-ASCII";
}

bool HasUtf8Texts(const std::vector<SearchKey>& keys) {
  return std::all_of(keys.begin(), keys.end(), [](const SearchKey& key) {
    return IsUtf8(key.text) && IsUtf8(key.field) && HasUtf8Texts(key.children);
  });
}

}  // namespace rmail::gateway::imap
