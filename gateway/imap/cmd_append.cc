// APPEND: the message goes to the store as it comes, chunk by chunk.
#include <algorithm>
#include <utility>

#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

constexpr size_t kChunk = 64 * 1024;

boost::asio::awaitable<absl::StatusOr<std::string>> FindMailbox(Session& session,
                                                                std::string path) {
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent(session.store().account());
  request.mutable_path()->set_path(std::move(path));
  auto found = co_await session.store().Call(std::move(request));
  if (!found.ok()) co_return found.status();
  co_return found->mailbox().name();
}

store::v1::AppendMessageRequest MakeHeader(const AppendArguments& arguments, std::string mailbox) {
  store::v1::AppendMessageRequest request;
  store::v1::AppendHeader& header = *request.mutable_header();
  header.set_mailbox(std::move(mailbox));
  header.mutable_flags()->set_system(arguments.flags.system);
  for (const std::string& keyword : arguments.flags.keywords) {
    header.mutable_flags()->add_keywords(keyword);
  }
  // The store takes 0 for now, and nothing from before 1970.
  if (arguments.internal_date) {
    header.set_internal_date(std::max<int64_t>(*arguments.internal_date, 1));
  }
  header.set_size(arguments.size);
  return request;
}

// Reads the whole message and the command's end; once the store does not want it any more, it is
// skipped. Returns whether the command ends well. An error is the connection's.
boost::asio::awaitable<absl::StatusOr<bool>> Transfer(Session& session, uint64_t size,
                                                      AppendUpload& upload) {
  bool wanted = true;
  while (size > 0) {
    session.connection()->SetTimeout(session.context().options.idle_timeout);
    const auto limit = static_cast<size_t>(std::min<uint64_t>(size, kChunk));
    RMAIL_CO_ASSIGN_OR_RETURN(std::string octets, co_await session.reader().ReadSome(limit));
    size -= octets.size();
    if (!wanted) continue;
    store::v1::AppendMessageRequest request;
    request.set_data(std::move(octets));
    wanted = co_await upload.Write(std::move(request));
  }
  co_return co_await session.commands().ReadEnd();
}

Reply Appended(const store::v1::AppendMessageResponse& response) {
  // RFC 4315, 3.
  return Ok("[APPENDUID " + std::to_string(response.uid_validity()) + " " +
            std::to_string(response.uid()) + "] APPEND completed");
}

}  // namespace

boost::asio::awaitable<Reply> Append(Session& session, const Command& command) {
  const auto& arguments = std::get<AppendArguments>(command.arguments);
  // Refused before the client sends it, where it waits (RFC 9051, 4.3).
  if (arguments.size > session.context().options.max_message_size) {
    co_return No("TOOBIG", "The message is too large");
  }
  if (arguments.size == 0) co_return No("CANNOT", "The message is empty");
  absl::StatusOr<std::string> mailbox = co_await FindMailbox(session, arguments.mailbox);
  if (!mailbox.ok()) co_return NoBecauseOfTarget(mailbox.status());
  AppendUpload upload = session.store().Append();
  // A failure shows when the upload is finished.
  co_await upload.Write(MakeHeader(arguments, *mailbox));
  const std::optional<LiteralSize> message = session.TakeMessage();
  if (!message) co_return Bad("Literal expected");
  if (message->synchronizing) co_await session.commands().SendContinuation();
  const absl::StatusOr<bool> ended = co_await Transfer(session, message->octets, upload);
  if (!ended.ok()) {
    co_await session.EndNow(ended.status());
    co_return Bad("The connection broke");
  }
  // Destroying the upload drops what was sent.
  if (!*ended) co_return Bad("Unexpected text behind the message");
  const auto appended = co_await upload.Finish();
  if (!appended.ok()) co_return NoBecauseOfTarget(appended.status());
  // A client sees at once what it has added itself.
  if (session.selected() && session.mailbox().name() == *mailbox) {
    const absl::Status synced = co_await session.selection().Sync();
    if (!synced.ok()) LogDebug("imap: sync after APPEND failed: {}", ToText(synced));
  }
  co_return Appended(*appended);
}

}  // namespace rmail::gateway::imap
