#include "gateway/imap/search_run.h"

#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

namespace {

// Calls take(response) for each answer of a stream.
template <typename Request, typename Take>
boost::asio::awaitable<absl::Status> ReadAll(Session& session, std::string_view tag,
                                             const Request& request, Take take) {
  ProgressNotes notes(session, tag);
  auto stream = session.store().Read(request);
  while (true) {
    const auto response = co_await stream.Next();
    if (!response.ok()) co_return response.status();
    if (!response->has_value()) co_return absl::OkStatus();
    take(**response);
    co_await notes.NoteIfDue();
    if (session.out().failed()) co_return absl::CancelledError("the client is gone");
  }
}

void AddKnown(const UidRangeList& ranges, const SelectedMailbox& mailbox, MessageRuns& found) {
  SequenceSet set;
  for (const store::v1::UidRange& range : ranges) {
    // 0 would mean '*'.
    if (range.first() != 0) set.ranges.push_back({range.first(), range.last()});
  }
  for (const IndexRange& range : mailbox.ResolveUids(set)) found.Add(range.first, range.last);
}

}  // namespace

boost::asio::awaitable<absl::StatusOr<MessageRuns>> FindMessages(
    Session& session, std::string_view tag, const store::v1::SearchExpression& expression) {
  store::v1::SearchMessagesRequest request;
  request.set_mailbox(session.mailbox().name());
  *request.mutable_expression() = expression;
  MessageRuns found;
  const absl::Status status = co_await ReadAll(
      session, tag, request, [&](const store::v1::SearchMessagesResponse& response) {
        AddKnown(response.uids(), session.mailbox(), found);
      });
  if (!status.ok()) co_return status;
  co_return found;
}

boost::asio::awaitable<absl::StatusOr<MessageRuns>> FindSorted(
    Session& session, std::string_view tag, const store::v1::SearchExpression& expression,
    const SortCriteria& criteria) {
  store::v1::SortMessagesRequest request;
  request.set_mailbox(session.mailbox().name());
  *request.mutable_expression() = expression;
  *request.mutable_criteria() = criteria;
  MessageRuns found;
  const absl::Status status =
      co_await ReadAll(session, tag, request, [&](const store::v1::SortMessagesResponse& response) {
        for (const uint32_t uid : response.uids()) {
          if (const auto index = session.mailbox().IndexOf(uid)) found.Add(*index, *index);
        }
      });
  if (!status.ok()) co_return status;
  co_return found;
}

}  // namespace rmail::gateway::imap
