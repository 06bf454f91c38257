#include "gateway/imap/search_expression.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"

namespace rmail::gateway::imap {

namespace {

using store::v1::SearchExpression;
using Kind = SearchKey::Kind;

constexpr int64_t kSecondMicros = 1'000'000;
constexpr int64_t kDayMicros = 86400 * kSecondMicros;

// Whether there is a range like "5:*".
bool HasOpenEnd(const SequenceSet& set) {
  return std::any_of(set.ranges.begin(), set.ranges.end(), [](const SequenceRange& range) {
    return (range.first == kStar) != (range.last == kStar);
  });
}

class ExpressionMaker {
 public:
  ExpressionMaker(const SelectedMailbox& mailbox, const SearchMoment& moment)
      : mailbox_(mailbox), moment_(moment) {}

  bool AllOf(const std::vector<SearchKey>& keys, SearchExpression& out) {
    auto& list = *out.mutable_all_of();
    return std::all_of(keys.begin(), keys.end(),
                       [&](const SearchKey& key) { return Make(key, *list.add_expressions()); });
  }

  // Why AllOf returned false.
  const absl::Status& error() const { return error_; }

 private:
  bool Fail(absl::Status error) {
    error_ = std::move(error);
    return false;
  }

  bool Make(const SearchKey& key, SearchExpression& out) {
    switch (key.kind) {
      case Kind::kAll:
      // No message is ever \Recent here (RFC 9051 has done away with it), so OLD is all of them.
      case Kind::kOld:
      // RFC 8514, 4.3: all mailboxes keep the date.
      case Kind::kSaveDateSupported:
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
        if (!messages) return Fail(absl::InvalidArgumentError("no such message number"));
        return AddMessages(*messages, HasOpenEnd(key.set), out);
      }
      case Kind::kUid:
        return AddMessages(mailbox_.ResolveUids(key.set), HasOpenEnd(key.set), out);
      case Kind::kOlder:
        out.set_received_before((moment_.now - key.number) * kSecondMicros);
        return true;
      case Kind::kYounger:
        out.set_received_from((moment_.now - key.number) * kSecondMicros);
        return true;
      default:
        MakeCondition(key, out);
        return true;
    }
  }

  // `open`: the set has no upper end.
  bool AddMessages(const std::vector<IndexRange>& messages, bool open, SearchExpression& out) {
    ranges_ += messages.size() + 1;
    if (ranges_ > kMaxUidRanges)
      return Fail(absl::ResourceExhaustedError("too many ranges of UIDs"));
    UidRangeList& ranges = *out.mutable_uids()->mutable_ranges();
    mailbox_.AddUidRanges(messages, ranges);
    const uint32_t last = mailbox_.size() == 0 ? 0 : mailbox_.uid(mailbox_.size() - 1);
    if (!moment_.growing || !open || last == UINT32_MAX) return true;
    store::v1::UidRange* const range = ranges.Add();
    range->set_first(last + 1);
    range->set_last(UINT32_MAX);
    return true;
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
      case Kind::kModseq:
        // RFC 7162, 3.1.5: there is one modseq a message, whatever entry is named.
        out.set_modseq_from(number);
        return;
      case Kind::kEmailId:
        out.set_email_id(key.text);
        return;
      case Kind::kThreadId:
        out.set_thread_id(key.text);
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
      case Kind::kSavedBefore:
        out.set_saved_before(start);
        return;
      case Kind::kSavedSince:
        out.set_saved_from(start);
        return;
      case Kind::kSavedOn:
        out.mutable_all_of()->add_expressions()->set_saved_from(start);
        out.mutable_all_of()->add_expressions()->set_saved_before(end);
        return;
      default:
        return;
    }
  }

  const SelectedMailbox& mailbox_;
  const SearchMoment moment_;
  size_t ranges_ = 0;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<SearchExpression> MakeSearchExpression(const std::vector<SearchKey>& keys,
                                                      const SelectedMailbox& mailbox,
                                                      const SearchMoment& moment) {
  SearchExpression expression;
  ExpressionMaker maker(mailbox, moment);
  if (!maker.AllOf(keys, expression)) return maker.error();
  return expression;
}

store::v1::SortCriterion MakeSortCriterion(const SortKey& key) {
  using Criterion = store::v1::SortCriterion;
  static constexpr Criterion::Key kKeys[] = {
      Criterion::KEY_ARRIVAL,     Criterion::KEY_CC,        Criterion::KEY_DATE,
      Criterion::KEY_DISPLAYFROM, Criterion::KEY_DISPLAYTO, Criterion::KEY_FROM,
      Criterion::KEY_SIZE,        Criterion::KEY_SUBJECT,   Criterion::KEY_TO};
  static_assert(std::size(kKeys) == static_cast<size_t>(SortKey::Kind::kTo) + 1);
  Criterion criterion;
  criterion.set_key(kKeys[static_cast<size_t>(key.kind)]);
  criterion.set_reverse(key.reverse);
  return criterion;
}

}  // namespace rmail::gateway::imap
