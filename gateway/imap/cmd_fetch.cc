// FETCH and UID FETCH: answers stream from the store to the client.
#include <optional>
#include <utility>
#include <vector>

#include "gateway/imap/commands.h"
#include "gateway/imap/fetch_plan.h"
#include "gateway/imap/fetch_writer.h"
#include "gateway/imap/flag_update.h"
#include "gateway/imap/message_selection.h"
#include "gateway/imap/resync.h"
#include "gateway/imap/session.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

boost::asio::awaitable<Reply> FetchFromView(Session& session, const FetchPlan& plan,
                                            const std::vector<IndexRange>& messages) {
  for (const IndexRange& range : messages) {
    for (size_t index = range.first; index <= range.last; ++index) {
      // One that has gone before modseqs were asked for has none; its EXPUNGE is on its way.
      if (plan.modseq && session.mailbox().modseq(index) == 0) continue;
      AppendLocalFetch(session.out().buffer(), plan, session.mailbox(), index);
      if (!session.out().full()) continue;
      co_await session.out().Flush();
      if (session.out().failed()) co_return Ok("");
    }
  }
  co_return Ok("FETCH completed");
}

// Messages of the ranges without \Seen.
std::vector<IndexRange> Unseen(const SelectedMailbox& mailbox,
                               const std::vector<IndexRange>& messages) {
  std::vector<IndexRange> unseen;
  for (const IndexRange& range : messages) {
    for (size_t index = range.first; index <= range.last; ++index) {
      if ((mailbox.flags(index) & store::v1::MESSAGE_FLAGS_SEEN) != 0) continue;
      if (!unseen.empty() && unseen.back().last + 1 == index) {
        unseen.back().last = index;
      } else {
        unseen.push_back({index, index});
      }
    }
  }
  return unseen;
}

// Marks the messages as seen; their UIDs are appended to `newly_seen`.
boost::asio::awaitable<absl::Status> MarkSeen(Session& session,
                                              const std::vector<IndexRange>& messages,
                                              std::vector<uint32_t>& newly_seen) {
  store::v1::UpdateFlagsRequest request;
  request.set_operation(store::v1::UpdateFlagsRequest::OPERATION_ADD);
  request.mutable_flags()->set_system(store::v1::MESSAGE_FLAGS_SEEN);
  FlagUpdate update(std::move(request), session.mailbox(), Unseen(session.mailbox(), messages));
  while (std::optional<store::v1::UpdateFlagsRequest> next = update.Next()) {
    const auto response = co_await session.store().Call(*std::move(next));
    if (!response.ok()) co_return response.status();
    session.mailbox().SetKeywords(response->keywords());
    session.mailbox().TakeKeywordChange(session.out().buffer());
    const store::v1::MessageColumns& updated = response->messages();
    newly_seen.insert(newly_seen.end(), updated.uids().begin(), updated.uids().end());
  }
  co_return absl::OkStatus();
}

// Why the modifiers may not be used here; empty when they may.
std::string_view WhyNot(Session& session, const Command& command) {
  const auto& arguments = std::get<FetchArguments>(command.arguments);
  // RFC 7162, 3.2.6.
  if (arguments.vanished && !command.uid) return "VANISHED is for UID FETCH";
  if (arguments.vanished && !session.enabled().qresync) return "Enable QRESYNC first";
  // RFC 9394, 3.3.
  if (arguments.partial && !command.uid) return "PARTIAL is for UID FETCH";
  return {};
}

boost::asio::awaitable<Reply> FetchFromStore(Session& session, FetchPlan& plan,
                                             const std::vector<IndexRange>& messages) {
  std::vector<uint32_t> newly_seen;
  if (plan.sets_seen && !session.mailbox().read_only()) {
    const absl::Status marked = co_await MarkSeen(session, messages, newly_seen);
    const ErrorReason reason = ReasonOf(marked);
    if (reason == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND ||
        reason == store::v1::ERROR_REASON_BAD_TOKEN) {
      co_return NoBecause(marked);
    }
    // What can't be marked can be read all the same: over quota, with a full disk.
    if (!marked.ok()) LogWarning("imap: FETCH could not set \\Seen: {}", ToText(marked));
  }
  plan.request.set_mailbox(session.mailbox().name());
  session.mailbox().AddUidRanges(messages, *plan.request.mutable_uids());
  auto stream = session.store().Read(plan.request);
  FetchWriter writer(plan, session.mailbox(), newly_seen, session.out().buffer());
  absl::Status failure;
  while (true) {
    auto response = co_await stream.Next();
    if (!response.ok()) failure = response.status();
    if (!response.ok() || !response->has_value()) break;
    if (!writer.Consume(**response)) {
      failure = MakeStatus(absl::StatusCode::kInternal, "answers out of order");
      break;
    }
    stream.Recycle(**std::move(response));
    // The store is asked for more only when the client has taken this: a slow client needs no
    // memory.
    if (session.out().full()) co_await session.out().Flush();
    if (session.out().failed()) co_return Ok("");
  }
  if (!writer.Finish()) {
    // The client waits for octets that will never come; only the end of the connection says so.
    LogWarning("imap: FETCH broke off within a literal: {}", ToText(failure));
    co_await session.out().Flush();
    session.Abort();
  }
  if (!failure.ok()) co_return NoBecause(failure);
  if (writer.unknown_encoding()) {
    co_return No("UNKNOWN-CTE", "The encoding of a part is not known");
  }
  if (writer.messages() < Count(messages)) {
    // RFC 5530: messages that other sessions have removed.
    co_return Ok("[EXPUNGEISSUED] FETCH completed, but some messages are gone");
  }
  co_return Ok("FETCH completed");
}

}  // namespace

boost::asio::awaitable<Reply> Fetch(Session& session, const Command& command) {
  const auto& arguments = std::get<FetchArguments>(command.arguments);
  if (const std::string_view why = WhyNot(session, command); !why.empty()) co_return Bad(why);
  // Before anything new is heard of: '*' is the last message that the client knows.
  std::optional<std::vector<IndexRange>> messages =
      session.mailbox().Resolve(arguments.set, command.uid);
  if (!messages) co_return Bad("No such message number");
  const bool qresync = session.enabled().qresync;
  FetchPlan plan = MakeFetchPlan(arguments.items, command.uid || qresync);
  plan.modseq |= arguments.changed_since.has_value();
  if (plan.modseq) {
    const absl::Status enabled = co_await session.EnableCondstore();
    if (!enabled.ok()) co_return NoBecause(enabled);
  }
  if (arguments.vanished) {
    const absl::Status told =
        co_await SendVanished(session, *arguments.changed_since, arguments.set);
    if (!told.ok()) co_return NoBecause(told);
  }
  if (arguments.changed_since) {
    messages = ChangedSince(session.mailbox(), *messages, *arguments.changed_since);
  }
  if (arguments.partial) messages = Part(*messages, *arguments.partial);
  if (messages->empty()) co_return Ok("FETCH completed");
  if (plan.local()) co_return co_await FetchFromView(session, plan, *messages);
  co_return co_await FetchFromStore(session, plan, *messages);
}

}  // namespace rmail::gateway::imap
