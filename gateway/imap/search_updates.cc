#include "gateway/imap/search_updates.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/imap/search_answer.h"
#include "gateway/imap/search_expression.h"
#include "gateway/imap/search_run.h"
#include "gateway/imap/session.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

std::vector<uint32_t> UidsOf(const SelectedMailbox& mailbox, const MessageRuns& messages) {
  std::vector<uint32_t> uids;
  uids.reserve(messages.count());
  for (const MessageRun& run : messages.runs()) {
    for (size_t index = run.first; index <= run.last; ++index) uids.push_back(mailbox.uid(index));
  }
  return uids;
}

// Of two ascending lists.
std::vector<uint32_t> Without(const std::vector<uint32_t>& uids,
                              const std::vector<uint32_t>& others) {
  std::vector<uint32_t> left;
  std::set_difference(uids.begin(), uids.end(), others.begin(), others.end(),
                      std::back_inserter(left));
  return left;
}

boost::asio::awaitable<void> TellRemoved(Session& session, SearchContext& context,
                                         const std::vector<uint32_t>& gone) {
  co_await WriteContextChanges(session, context, "REMOVEFROM", RemoveResults(context, gone));
}

// What matches these messages alone (UIDs, ascending); nullopt when that would be too long.
std::optional<store::v1::SearchExpression> OneOf(const SelectedMailbox& mailbox,
                                                 const std::vector<uint32_t>& uids) {
  MessageRuns messages;
  for (const uint32_t uid : uids) {
    if (const auto index = mailbox.IndexOf(uid)) messages.Add(*index, *index);
  }
  if (messages.runs().size() > kMaxUidRanges) return std::nullopt;
  std::vector<IndexRange> ranges;
  for (const MessageRun& run : messages.runs()) ranges.push_back({run.first, run.last});
  store::v1::SearchExpression expression;
  mailbox.AddUidRanges(ranges, *expression.mutable_uids()->mutable_ranges());
  return expression;
}

// `known` are the context's results and `matching` what matches of the changed messages, both
// ascending. The sort keys of a message never change: only what is new needs a place, and none is
// looked into again.
boost::asio::awaitable<absl::Status> PutInOrder(Session& session, SearchContext& context,
                                                const std::vector<uint32_t>& known,
                                                const std::vector<uint32_t>& matching) {
  std::vector<uint32_t> all;
  std::set_union(known.begin(), known.end(), matching.begin(), matching.end(),
                 std::back_inserter(all));
  const std::optional<store::v1::SearchExpression> one_of = OneOf(session.mailbox(), all);
  const store::v1::SearchExpression& expression = one_of ? *one_of : context.expression;
  RMAIL_CO_ASSIGN_OR_RETURN(const MessageRuns found,
                            co_await FindSorted(session, "", expression, context.criteria));
  std::vector<uint32_t> order = UidsOf(session.mailbox(), found);
  std::vector<uint32_t> ascending = order;
  std::sort(ascending.begin(), ascending.end());
  co_await TellRemoved(session, context, Without(known, ascending));
  AddSorted(context, std::move(order));
  co_return absl::OkStatus();
}

// `changed` are the messages whose modseq is `since` or higher, ascending.
boost::asio::awaitable<absl::Status> Update(Session& session, SearchContext& context,
                                            const std::vector<uint32_t>& changed, uint64_t since) {
  store::v1::SearchExpression expression;
  expression.mutable_all_of()->add_expressions()->set_modseq_from(since);
  *expression.mutable_all_of()->add_expressions() = context.expression;
  RMAIL_CO_ASSIGN_OR_RETURN(const MessageRuns found,
                            co_await FindMessages(session, "", expression));
  const std::vector<uint32_t> matching = UidsOf(session.mailbox(), found);
  co_await TellRemoved(session, context, Without(changed, matching));
  if (!context.sorted()) {
    AddResults(context, matching);
    co_return absl::OkStatus();
  }
  std::vector<uint32_t> known = context.results;
  std::sort(known.begin(), known.end());
  if (Without(matching, known).empty()) co_return absl::OkStatus();
  co_return co_await PutInOrder(session, context, known, matching);
}

boost::asio::awaitable<absl::Status> UpdateAll(Session& session, uint64_t since) {
  store::v1::SearchExpression expression;
  expression.set_modseq_from(since);
  RMAIL_CO_ASSIGN_OR_RETURN(const MessageRuns found,
                            co_await FindMessages(session, "", expression));
  const std::vector<uint32_t> changed = UidsOf(session.mailbox(), found);
  if (changed.empty()) co_return absl::OkStatus();
  for (SearchContext& context : session.selection().searches().contexts()) {
    RMAIL_CO_RETURN_IF_ERROR(co_await Update(session, context, changed, since));
  }
  co_return absl::OkStatus();
}

}  // namespace

boost::asio::awaitable<void> BeginSearchUpdates(Session& session) {
  SearchContexts& searches = session.selection().searches();
  const SelectedMailbox& mailbox = session.mailbox();
  if (searches.empty() || searches.generation() == mailbox.generation()) co_return;
  const uint64_t modseq = mailbox.modseq();
  const uint64_t generation = mailbox.generation();
  const std::vector<uint32_t> gone = mailbox.UnreportedExpunges();
  // The store has no say in this: the view is about to forget them.
  for (SearchContext& context : searches.contexts()) {
    co_await TellRemoved(session, context, gone);
  }
  const absl::Status updated = co_await UpdateAll(session, searches.modseq() + 1);
  if (updated.ok()) {
    searches.SetCurrent(modseq, generation);
  } else {
    LogDebug("imap: searches are not up to date: {}", ToText(updated));
  }
}

boost::asio::awaitable<void> FinishSearchUpdates(Session& session) {
  for (SearchContext& context : session.selection().searches().contexts()) {
    const std::vector<ContextChange> added = std::exchange(context.added, {});
    co_await WriteContextChanges(session, context, "ADDTO", added);
  }
}

}  // namespace rmail::gateway::imap
