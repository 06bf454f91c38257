// COPY, UID COPY, MOVE and UID MOVE.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/imap/commands.h"
#include "gateway/imap/mailbox_lookup.h"
#include "gateway/imap/message_selection.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/writer.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// A longer code is left out: some clients read lines into small buffers, and what COPYUID tells can
// be found out otherwise.
constexpr size_t kMaxCode = 64 * 1024;

// RFC 5530: other sessions have removed messages. Only where no other code stands.
constexpr std::string_view kSomeGone = "[EXPUNGEISSUED] ";

void AppendUids(std::string& out, const UidRangeList& ranges) {
  char separator = ' ';
  for (const store::v1::UidRange& range : ranges) {
    out += separator;
    separator = ',';
    AppendNumber(out, range.first());
    if (range.last() == range.first()) continue;
    out += ':';
    AppendNumber(out, range.last());
  }
}

// "[COPYUID 38505 304,319:320 3956:3958] " (RFC 4315, 3); empty when nothing was copied.
template <typename Response>
std::string CopyUid(const Response& response) {
  if (response.source_uids().empty()) return "";
  std::string code = "[COPYUID ";
  AppendNumber(code, response.uid_validity());
  AppendUids(code, response.source_uids());
  AppendUids(code, response.target_uids());
  code += "] ";
  return code.size() > kMaxCode ? "" : code;
}

size_t CountUids(const UidRangeList& uids) {
  size_t count = 0;
  for (const store::v1::UidRange& range : uids) count += size_t{range.last()} - range.first() + 1;
  return count;
}

// Messages that came into the selected mailbox by this command are told of with its answer.
boost::asio::awaitable<void> SyncIfSelected(Session& session, const std::string& target) {
  if (session.mailbox().name() != target) co_return;
  const absl::Status synced = co_await session.selection().Sync();
  if (!synced.ok()) LogDebug("imap: sync after COPY failed: {}", ToText(synced));
}

// "[HIGHESTMODSEQ 7] ": a modseq up to which the client knows everything once this command is done
// (RFC 7162, 3.2.7 and RFC 6851, 4.5).
boost::asio::awaitable<std::string> HighestModseq(Session& session) {
  if (!session.enabled().condstore) co_return "";
  const absl::Status synced = co_await session.selection().Sync();
  if (!synced.ok()) co_return "";
  session.mailbox().NoteModseqSent(session.mailbox().modseq());
  std::string code = "[HIGHESTMODSEQ ";
  AppendNumber(code, session.mailbox().modseq());
  co_return code + "] ";
}

// What both commands have in common: Request is CopyMessagesRequest or MoveMessagesRequest.
template <typename Request>
boost::asio::awaitable<absl::StatusOr<client::ResponseTo<Request>>> Transfer(
    Session& session, const std::vector<IndexRange>& messages, const std::string& target) {
  Request request;
  request.set_mailbox(session.mailbox().name());
  request.set_target(target);
  session.mailbox().AddUidRanges(messages, *request.mutable_uids());
  co_return co_await session.store().Call(std::move(request));
}

}  // namespace

boost::asio::awaitable<Reply> Copy(Session& session, const Command& command) {
  const auto& arguments = std::get<CopyArguments>(command.arguments);
  const std::optional<std::vector<IndexRange>> messages =
      command.uid ? session.mailbox().ResolveUids(arguments.set)
                  : session.mailbox().ResolveSequence(arguments.set);
  if (!messages) co_return Bad("No such message number");
  const auto target = co_await FindMailbox(session.store(), arguments.mailbox);
  if (!target.ok()) co_return NoBecauseOfTarget(target.status());
  if (messages->empty()) co_return Ok("COPY completed, no such messages");
  const auto copied =
      co_await Transfer<store::v1::CopyMessagesRequest>(session, *messages, target->name());
  if (!copied.ok()) co_return NoBecauseOfTarget(copied.status());
  co_await SyncIfSelected(session, target->name());
  const bool all = CountUids(copied->source_uids()) == Count(*messages);
  std::string code = CopyUid(*copied);
  if (code.empty() && !all) code = kSomeGone;
  co_return Ok(code + (all ? "COPY completed" : "COPY completed, some messages are gone"));
}

boost::asio::awaitable<Reply> Move(Session& session, const Command& command) {
  const auto& arguments = std::get<CopyArguments>(command.arguments);
  if (session.mailbox().read_only()) {
    co_return No("READ-ONLY", "The mailbox was opened with EXAMINE");
  }
  const std::optional<std::vector<IndexRange>> messages =
      command.uid ? session.mailbox().ResolveUids(arguments.set)
                  : session.mailbox().ResolveSequence(arguments.set);
  if (!messages) co_return Bad("No such message number");
  const auto target = co_await FindMailbox(session.store(), arguments.mailbox);
  if (!target.ok()) co_return NoBecauseOfTarget(target.status());
  if (messages->empty()) co_return Ok("MOVE completed, no such messages");
  const auto moved =
      co_await Transfer<store::v1::MoveMessagesRequest>(session, *messages, target->name());
  if (!moved.ok()) co_return NoBecauseOfTarget(moved.status());
  // RFC 6851, 4.3: before the dispatcher's EXPUNGEs.
  const std::string code = CopyUid(*moved);
  if (!code.empty()) session.out().buffer() += "* OK " + code + "Moved\r\n";
  session.mailbox().MarkExpunged(moved->source_uids());
  std::string highest = co_await HighestModseq(session);
  co_await SyncIfSelected(session, target->name());
  const bool all = CountUids(moved->source_uids()) == Count(*messages);
  if (highest.empty() && !all) highest = kSomeGone;
  co_return Ok(highest + (all ? "MOVE completed" : "MOVE completed, some messages are gone"));
}

}  // namespace rmail::gateway::imap
