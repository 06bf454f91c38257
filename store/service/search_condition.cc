#include "store/service/search_condition.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/digest_identity.h"
#include "store/engine/file_name.h"
#include "store/engine/message_keys.h"
#include "store/mime/casemap.h"
#include "store/service/mailbox_view.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using engine::MessageRow;

constexpr int kMaxDepth = 32;
constexpr int kMaxConditions = 1000;
// Of those that look into bodies: each goes through up to 16 MiB a message.
constexpr int kMaxBodyConditions = 32;

absl::Status BadRequest(std::string_view why) {
  return Error(pb::ERROR_REASON_INVALID_REQUEST, why);
}

template <typename Matches>
SearchCondition OfColumns(Matches matches) {
  return {
      SearchCost::kColumns,
      [matches = std::move(matches)](const MessageRow& row, MessageText&) -> absl::StatusOr<bool> {
        return matches(row);
      }};
}

// `matches` is asked of the message's text.
template <typename Matches>
SearchCondition OfText(SearchCost cost, Matches matches) {
  return {cost, [matches = std::move(matches)](const MessageRow&, MessageText& text) {
            return matches(text);
          }};
}

SearchCondition AllFlags(uint64_t mask) {
  return OfColumns([mask](const MessageRow& row) { return (row.info.flags & mask) == mask; });
}

SearchCondition UidsIn(std::vector<engine::UidSpan> spans) {
  return OfColumns([spans = std::move(spans)](const MessageRow& row) {
    const auto after = std::upper_bound(
        spans.begin(), spans.end(), row.info.uid,
        [](uint32_t uid, const engine::UidSpan& span) { return uid < span.first; });
    return after != spans.begin() && row.info.uid <= std::prev(after)->last;
  });
}

SearchCondition HeaderContains(const pb::HeaderMatch& header) {
  engine::HeaderQuery query(header.field(), header.text());
  const SearchCost cost = query.in_keys() ? SearchCost::kKeys : SearchCost::kHeader;
  return OfText(
      cost, [query = std::move(query)](MessageText& text) { return text.HeaderMatches(query); });
}

// The sender's day lies from `from` on, or before `before`.
SearchCondition Sent(int64_t from, int64_t before) {
  return OfText(SearchCost::kKeys, [from, before](MessageText& text) -> absl::StatusOr<bool> {
    RMAIL_ASSIGN_OR_RETURN(const std::optional<int64_t> sent, text.SentLocally());
    return sent && *sent >= from && *sent < before;
  });
}

// The message came into the mailbox from `from` on, or before `before`. Where that is not known,
// its internal date counts (RFC 8514, 4.3).
SearchCondition Saved(int64_t from, int64_t before) {
  return {SearchCost::kKeys,
          [from, before](const MessageRow& row, MessageText& text) -> absl::StatusOr<bool> {
            RMAIL_ASSIGN_OR_RETURN(const engine::DigestIdentity identity, text.Identity());
            const int64_t saved = identity.saved != 0 ? identity.saved : row.info.internal_date;
            return saved >= from && saved < before;
          }};
}

// RFC 8474, 4.3: ids are equal octet by octet.
SearchCondition HasId(std::string_view engine::DigestIdentity::* id, const std::string& wanted) {
  return OfText(SearchCost::kKeys, [id, wanted](MessageText& text) -> absl::StatusOr<bool> {
    RMAIL_ASSIGN_OR_RETURN(const engine::DigestIdentity identity, text.Identity());
    return identity.*id == wanted;
  });
}

class Compiler {
 public:
  explicit Compiler(std::vector<std::string> keywords) : keywords_(std::move(keywords)) {}

  absl::StatusOr<SearchCondition> Compile(const pb::SearchExpression& expression, int depth = 0) {
    if (depth > kMaxDepth) return BadRequest("a search is nested too deep");
    if (++conditions_ > kMaxConditions) return BadRequest("a search has too many conditions");
    switch (expression.condition_case()) {
      case pb::SearchExpression::kAllOf:
        return List(expression.all_of(), true, depth);
      case pb::SearchExpression::kAnyOf:
        return List(expression.any_of(), false, depth);
      case pb::SearchExpression::kNoneOf:
        return Not(expression.none_of(), depth);
      case pb::SearchExpression::kBody:
      case pb::SearchExpression::kText:
        if (++body_conditions_ > kMaxBodyConditions) {
          return BadRequest("a search looks for too many texts in bodies");
        }
        return Content(expression);
      case pb::SearchExpression::kHeader:
      case pb::SearchExpression::kSentFrom:
      case pb::SearchExpression::kSentBefore:
      case pb::SearchExpression::kSavedFrom:
      case pb::SearchExpression::kSavedBefore:
      case pb::SearchExpression::kEmailId:
      case pb::SearchExpression::kThreadId:
        return Content(expression);
      default:
        return Column(expression);
    }
  }

 private:
  absl::StatusOr<SearchCondition> List(const pb::SearchExpressionList& list, bool all, int depth) {
    std::vector<SearchCondition> conditions;
    for (const pb::SearchExpression& expression : list.expressions()) {
      RMAIL_ASSIGN_OR_RETURN(SearchCondition condition, Compile(expression, depth + 1));
      conditions.push_back(std::move(condition));
    }
    std::sort(conditions.begin(), conditions.end(),
              [](const SearchCondition& a, const SearchCondition& b) { return a.cost < b.cost; });
    const SearchCost cost = conditions.empty() ? SearchCost::kColumns : conditions.back().cost;
    return SearchCondition{cost,
                           [conditions = std::move(conditions), all](
                               const MessageRow& row, MessageText& text) -> absl::StatusOr<bool> {
                             for (const SearchCondition& condition : conditions) {
                               RMAIL_ASSIGN_OR_RETURN(const bool matches,
                                                      condition.matches(row, text));
                               if (matches != all) return !all;
                             }
                             return all;
                           }};
  }

  absl::StatusOr<SearchCondition> Not(const pb::SearchExpression& expression, int depth) {
    RMAIL_ASSIGN_OR_RETURN(SearchCondition inner, Compile(expression, depth + 1));
    const SearchCost cost = inner.cost;
    return SearchCondition{cost,
                           [inner = std::move(inner)](const MessageRow& row,
                                                      MessageText& text) -> absl::StatusOr<bool> {
                             RMAIL_ASSIGN_OR_RETURN(const bool matches, inner.matches(row, text));
                             return !matches;
                           }};
  }

  // What the index alone can tell.
  absl::StatusOr<SearchCondition> Column(const pb::SearchExpression& expression) const {
    switch (expression.condition_case()) {
      case pb::SearchExpression::kUids: {
        RMAIL_ASSIGN_OR_RETURN(std::vector<engine::UidSpan> spans,
                               ToSpans(expression.uids().ranges()));
        return UidsIn(std::move(spans));
      }
      case pb::SearchExpression::kFlagsSet:
        return AllFlags(expression.flags_set());
      case pb::SearchExpression::kKeyword:
        return AllFlags(KeywordBit(expression.keyword()));
      case pb::SearchExpression::kLargerThan:
        return OfColumns([limit = expression.larger_than()](const MessageRow& row) {
          return row.info.size > limit;
        });
      case pb::SearchExpression::kSmallerThan:
        return OfColumns([limit = expression.smaller_than()](const MessageRow& row) {
          return row.info.size < limit;
        });
      case pb::SearchExpression::kReceivedFrom:
        return OfColumns([from = expression.received_from()](const MessageRow& row) {
          return row.info.internal_date >= from;
        });
      case pb::SearchExpression::kReceivedBefore:
        return OfColumns([before = expression.received_before()](const MessageRow& row) {
          return row.info.internal_date < before;
        });
      case pb::SearchExpression::kModseqFrom:
        return OfColumns([from = expression.modseq_from()](const MessageRow& row) {
          return row.modseq >= from;
        });
      case pb::SearchExpression::CONDITION_NOT_SET:
        return BadRequest("a search has an empty condition");
      default:
        return BadRequest("a search has a condition that is not known");
    }
  }

  // What the message itself must tell.
  static SearchCondition Content(const pb::SearchExpression& expression) {
    switch (expression.condition_case()) {
      case pb::SearchExpression::kHeader:
        return HeaderContains(expression.header());
      case pb::SearchExpression::kSentFrom:
        return Sent(expression.sent_from(), INT64_MAX);
      case pb::SearchExpression::kSentBefore:
        return Sent(INT64_MIN, expression.sent_before());
      case pb::SearchExpression::kSavedFrom:
        return Saved(expression.saved_from(), INT64_MAX);
      case pb::SearchExpression::kSavedBefore:
        return Saved(INT64_MIN, expression.saved_before());
      case pb::SearchExpression::kEmailId:
        return HasId(&engine::DigestIdentity::email_id, expression.email_id());
      case pb::SearchExpression::kThreadId:
        return HasId(&engine::DigestIdentity::thread_id, expression.thread_id());
      case pb::SearchExpression::kBody:
        return OfText(SearchCost::kMessage,
                      [wanted = mime::FoldCase(expression.body())](MessageText& text) {
                        return text.BodyContains(wanted);
                      });
      default:
        return OfText(SearchCost::kMessage,
                      [wanted = mime::FoldCase(expression.text())](MessageText& text) {
                        return text.Contains(wanted);
                      });
    }
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

  const std::vector<std::string> keywords_;
  int conditions_ = 0;
  int body_conditions_ = 0;
};

}  // namespace

absl::StatusOr<SearchCondition> CompileSearch(const pb::SearchExpression& expression,
                                              std::vector<std::string> keywords) {
  if (expression.condition_case() == pb::SearchExpression::CONDITION_NOT_SET) {
    return OfColumns([](const MessageRow&) { return true; });
  }
  return Compiler(std::move(keywords)).Compile(expression);
}

absl::StatusOr<std::vector<engine::UidSpan>> SearchedUids(const pb::SearchExpression& expression) {
  if (expression.has_uids()) return ToSpans(expression.uids().ranges());
  for (const pb::SearchExpression& part : expression.all_of().expressions()) {
    if (part.has_uids()) return ToSpans(part.uids().ranges());
  }
  return std::vector<engine::UidSpan>{{1, UINT32_MAX}};
}

}  // namespace rmail::service
