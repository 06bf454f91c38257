#include "gateway/imap/search_run.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "gateway/imap/session.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// The store takes 100,000 ranges of UIDs in one call.
constexpr size_t kRunsPerCall = 50'000;

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

// The modseq of those messages whose modseq the view knows; nullopt when it does not know all.
std::optional<uint64_t> KnownModseq(const SelectedMailbox& mailbox, const MessageRuns& messages) {
  uint64_t highest = 0;
  for (const MessageRun& run : messages.runs()) {
    for (size_t index = run.first; index <= run.last; ++index) {
      const uint64_t modseq = mailbox.modseq(index);
      if (modseq == 0) return std::nullopt;
      highest = std::max(highest, modseq);
    }
  }
  return highest;
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

boost::asio::awaitable<absl::StatusOr<uint64_t>> HighestModseq(Session& session,
                                                               const MessageRuns& messages) {
  const SelectedMailbox& mailbox = session.mailbox();
  if (const std::optional<uint64_t> known = KnownModseq(mailbox, messages)) co_return *known;
  uint64_t highest = 0;
  for (size_t from = 0; from < messages.runs().size(); from += kRunsPerCall) {
    store::v1::FetchMessagesRequest request;
    request.set_mailbox(mailbox.name());
    const size_t end = std::min(messages.runs().size(), from + kRunsPerCall);
    std::vector<IndexRange> step;
    for (size_t i = from; i < end; ++i) {
      step.push_back({messages.runs()[i].first, messages.runs()[i].last});
    }
    mailbox.AddUidRanges(step, *request.mutable_uids());
    const absl::Status status = co_await ReadAll(
        session, "", request, [&](const store::v1::FetchMessagesResponse& response) {
          for (const uint64_t modseq : response.columns().modseqs()) {
            highest = std::max(highest, modseq);
          }
        });
    if (!status.ok()) co_return status;
  }
  co_return highest;
}

}  // namespace rmail::gateway::imap
