#include "store/service/search.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/service/mailbox_view.h"
#include "store/service/search_text.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr int kMaxDepth = 32;
// An answer is sent after this many messages that had to be opened, so that a cancelled search ends
// soon.
constexpr int kOpenedPerAnswer = 256;
constexpr size_t kFoundPerAnswer = 4096;
constexpr size_t kRowsPerAnswer = 16'384;
constexpr int kMaxConditions = 1000;

// A compiled tree: conditions as closures, cheap ones before those that open the message.
struct Condition {
  // True: the message's file is needed.
  bool costly = false;
  std::function<absl::StatusOr<bool>(const engine::MessageRow&, MessageText&)> matches;
};

class Compiler {
 public:
  explicit Compiler(std::vector<std::string> keywords) : keywords_(std::move(keywords)) {}

  absl::StatusOr<Condition> Compile(const pb::SearchExpression& expression, int depth = 0) {
    if (depth > kMaxDepth) return BadRequest("a search is nested too deep");
    if (++conditions_ > kMaxConditions) return BadRequest("a search has too many conditions");
    switch (expression.condition_case()) {
      case pb::SearchExpression::kAllOf:
        return List(expression.all_of(), true, depth);
      case pb::SearchExpression::kAnyOf:
        return List(expression.any_of(), false, depth);
      case pb::SearchExpression::kNoneOf:
        return Not(expression.none_of(), depth);
      case pb::SearchExpression::kHeader:
      case pb::SearchExpression::kBody:
      case pb::SearchExpression::kText:
      case pb::SearchExpression::kSentFrom:
      case pb::SearchExpression::kSentBefore:
        return Content(expression);
      case pb::SearchExpression::CONDITION_NOT_SET:
        return BadRequest("a search has an empty condition");
      default:
        return Column(expression);
    }
  }

 private:
  static absl::Status BadRequest(std::string_view why) {
    return Error(pb::ERROR_REASON_INVALID_REQUEST, why);
  }

  absl::StatusOr<Condition> List(const pb::SearchExpressionList& list, bool all, int depth) {
    std::vector<Condition> conditions;
    for (const pb::SearchExpression& expression : list.expressions()) {
      RMAIL_ASSIGN_OR_RETURN(Condition condition, Compile(expression, depth + 1));
      conditions.push_back(std::move(condition));
    }
    std::sort(conditions.begin(), conditions.end(),
              [](const Condition& a, const Condition& b) { return a.costly < b.costly; });
    const bool costly = !conditions.empty() && conditions.back().costly;
    return Condition{costly,
                     [conditions = std::move(conditions), all](
                         const engine::MessageRow& row, MessageText& text) -> absl::StatusOr<bool> {
                       for (const Condition& condition : conditions) {
                         RMAIL_ASSIGN_OR_RETURN(const bool matches, condition.matches(row, text));
                         if (matches != all) return !all;
                       }
                       return all;
                     }};
  }

  absl::StatusOr<Condition> Not(const pb::SearchExpression& expression, int depth) {
    RMAIL_ASSIGN_OR_RETURN(Condition inner, Compile(expression, depth + 1));
    const bool costly = inner.costly;
    return Condition{costly,
                     [inner = std::move(inner)](const engine::MessageRow& row,
                                                MessageText& text) -> absl::StatusOr<bool> {
                       RMAIL_ASSIGN_OR_RETURN(const bool matches, inner.matches(row, text));
                       return !matches;
                     }};
  }

  // What the index alone can tell.
  absl::StatusOr<Condition> Column(const pb::SearchExpression& expression) const {
    std::function<bool(const engine::MessageRow&)> matches;
    switch (expression.condition_case()) {
      case pb::SearchExpression::kUids: {
        RMAIL_ASSIGN_OR_RETURN(std::vector<engine::UidSpan> spans,
                               ToSpans(expression.uids().ranges()));
        matches = UidsIn(std::move(spans));
        break;
      }
      case pb::SearchExpression::kFlagsSet:
        matches = AllFlags(expression.flags_set());
        break;
      case pb::SearchExpression::kKeyword:
        matches = AllFlags(KeywordBit(expression.keyword()));
        break;
      case pb::SearchExpression::kLargerThan:
        matches = [limit = expression.larger_than()](const auto& row) {
          return row.info.size > limit;
        };
        break;
      case pb::SearchExpression::kSmallerThan:
        matches = [limit = expression.smaller_than()](const auto& row) {
          return row.info.size < limit;
        };
        break;
      case pb::SearchExpression::kReceivedFrom:
        matches = [from = expression.received_from()](const auto& row) {
          return row.info.internal_date >= from;
        };
        break;
      case pb::SearchExpression::kReceivedBefore:
        matches = [before = expression.received_before()](const auto& row) {
          return row.info.internal_date < before;
        };
        break;
      case pb::SearchExpression::kModseqFrom:
        matches = [from = expression.modseq_from()](const auto& row) { return row.modseq >= from; };
        break;
      default:
        return BadRequest("a search has a condition that is not known");
    }
    return Condition{false,
                     [matches = std::move(matches)](const engine::MessageRow& row, MessageText&)
                         -> absl::StatusOr<bool> { return matches(row); }};
  }

  static std::function<bool(const engine::MessageRow&)> AllFlags(uint64_t mask) {
    return [mask](const engine::MessageRow& row) { return (row.info.flags & mask) == mask; };
  }

  static std::function<bool(const engine::MessageRow&)> UidsIn(std::vector<engine::UidSpan> spans) {
    return [spans = std::move(spans)](const engine::MessageRow& row) {
      const auto after = std::upper_bound(
          spans.begin(), spans.end(), row.info.uid,
          [](uint32_t uid, const engine::UidSpan& span) { return uid < span.first; });
      return after != spans.begin() && row.info.uid <= std::prev(after)->last;
    };
  }

  // A bit that no message has, for a keyword that no message can have.
  uint64_t KeywordBit(const std::string& keyword) const {
    for (size_t i = 0; i < keywords_.size(); ++i) {
      if (absl::EqualsIgnoreCase(keywords_[i], keyword)) {
        return uint64_t{1} << (engine::kFirstKeywordBit + i);
      }
    }
    return uint64_t{1} << 63;
  }

  // What the message itself must tell.
  absl::StatusOr<Condition> Content(const pb::SearchExpression& expression) const {
    return Condition{
        true, [test = MakeTextTest(expression)](const engine::MessageRow&, MessageText& text) {
          return test(text);
        }};
  }

  const std::vector<std::string> keywords_;
  int conditions_ = 0;
};

class Search {
 public:
  Search(std::shared_ptr<engine::Mailbox> mailbox, std::vector<engine::MessageRow> rows,
         Condition condition)
      : mailbox_(std::move(mailbox)), rows_(std::move(rows)), condition_(std::move(condition)) {}

  absl::StatusOr<bool> Next(pb::SearchMessagesResponse* response) {
    if (next_ == rows_.size()) return false;
    std::vector<uint32_t> found;
    const size_t end = std::min(rows_.size(), next_ + kRowsPerAnswer);
    for (int opened = 0; next_ < end && opened < kOpenedPerAnswer && found.size() < kFoundPerAnswer;
         ++next_) {
      MessageText text(*mailbox_, rows_[next_].info);
      const absl::StatusOr<bool> matches = condition_.matches(rows_[next_], text);
      opened += text.opened();
      // Expunged meanwhile, or damaged: that must not hide the others.
      if (absl::IsNotFound(matches.status()) || absl::IsDataLoss(matches.status())) continue;
      RMAIL_RETURN_IF_ERROR(matches.status());
      if (*matches) found.push_back(rows_[next_].info.uid);
    }
    AddRanges(found, response->mutable_uids());
    return true;
  }

 private:
  const std::shared_ptr<engine::Mailbox> mailbox_;
  const std::vector<engine::MessageRow> rows_;
  const Condition condition_;
  size_t next_ = 0;
};

}  // namespace

absl::StatusOr<Producer<pb::SearchMessagesResponse>> NewSearch(
    std::shared_ptr<engine::Mailbox> mailbox, std::vector<engine::MessageRow> rows,
    std::vector<std::string> keywords, pb::SearchExpression expression) {
  // An empty list matches everything.
  if (expression.condition_case() == pb::SearchExpression::CONDITION_NOT_SET) {
    expression.mutable_all_of();
  }
  RMAIL_ASSIGN_OR_RETURN(Condition condition, Compiler(std::move(keywords)).Compile(expression));
  auto search = std::make_unique<Search>(std::move(mailbox), std::move(rows), std::move(condition));
  return Producer<pb::SearchMessagesResponse>(
      [search = std::move(search)](pb::SearchMessagesResponse* response) {
        return search->Next(response);
      });
}

}  // namespace rmail::service
