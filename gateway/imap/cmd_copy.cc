// COPY, UID COPY, MOVE and UID MOVE.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
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

// What was copied or moved; `Request` is CopyMessagesRequest or MoveMessagesRequest.
template <typename Request>
struct Transferred {
  client::ResponseTo<Request> response;
  std::string target;
  // None of the messages was gone already.
  bool all = false;
};

// What both commands have in common: the reply when nothing was copied or moved.
template <typename Request>
boost::asio::awaitable<std::variant<Reply, Transferred<Request>>> Transfer(Session& session,
                                                                           const Command& command,
                                                                           std::string_view verb) {
  const auto& arguments = std::get<CopyArguments>(command.arguments);
  const std::optional<std::vector<IndexRange>> messages =
      session.mailbox().Resolve(arguments.set, command.uid);
  if (!messages) co_return Bad("No such message number");
  const auto target = co_await FindMailbox(session.store(), arguments.mailbox);
  if (!target.ok()) co_return NoBecauseOfTarget(target.status());
  if (messages->empty()) co_return Ok(std::string(verb) + " completed, no such messages");
  Request request;
  request.set_mailbox(session.mailbox().name());
  request.set_target(target->name());
  session.mailbox().AddUidRanges(*messages, *request.mutable_uids());
  auto response = co_await session.store().Call(std::move(request));
  if (!response.ok()) co_return NoBecauseOfTarget(response.status());
  const bool all = CountUids(response->source_uids()) == Count(*messages);
  co_return Transferred<Request>{*std::move(response), target->name(), all};
}

// `code` is empty or ends with a space.
Reply Completed(std::string code, std::string_view verb, bool all) {
  if (code.empty() && !all) code = kSomeGone;
  code += verb;
  return Ok(code + (all ? " completed" : " completed, some messages are gone"));
}

}  // namespace

boost::asio::awaitable<Reply> Copy(Session& session, const Command& command) {
  const auto outcome = co_await Transfer<store::v1::CopyMessagesRequest>(session, command, "COPY");
  if (const auto* reply = std::get_if<Reply>(&outcome)) co_return *reply;
  const auto& copied = std::get<Transferred<store::v1::CopyMessagesRequest>>(outcome);
  co_await SyncIfSelected(session, copied.target);
  co_return Completed(CopyUid(copied.response), "COPY", copied.all);
}

boost::asio::awaitable<Reply> Move(Session& session, const Command& command) {
  if (session.mailbox().read_only()) {
    co_return No("READ-ONLY", "The mailbox was opened with EXAMINE");
  }
  const auto outcome = co_await Transfer<store::v1::MoveMessagesRequest>(session, command, "MOVE");
  if (const auto* reply = std::get_if<Reply>(&outcome)) co_return *reply;
  const auto& moved = std::get<Transferred<store::v1::MoveMessagesRequest>>(outcome);
  // RFC 6851, 4.3: before the dispatcher's EXPUNGEs.
  const std::string code = CopyUid(moved.response);
  if (!code.empty()) session.out().buffer() += "* OK " + code + "Moved\r\n";
  session.mailbox().MarkExpunged(moved.response.source_uids());
  std::string highest = co_await HighestModseq(session);
  co_await SyncIfSelected(session, moved.target);
  co_return Completed(std::move(highest), "MOVE", moved.all);
}

}  // namespace rmail::gateway::imap
