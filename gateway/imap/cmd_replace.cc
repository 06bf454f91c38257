// REPLACE and UID REPLACE (RFC 8508).
#include <fmt/format.h>

#include "gateway/imap/append_transfer.h"
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

std::optional<size_t> FindReplaced(const SelectedMailbox& mailbox, uint32_t number, bool uid) {
  if (number == kStar)
    return mailbox.size() == 0 ? std::nullopt : std::optional(mailbox.size() - 1);
  if (uid) return mailbox.IndexOf(number);
  return number > mailbox.size() ? std::nullopt : std::optional<size_t>(number - 1);
}

}  // namespace

boost::asio::awaitable<Reply> Replace(Session& session, const Command& command) {
  const auto& arguments = std::get<AppendArguments>(command.arguments);
  SelectedMailbox& mailbox = session.mailbox();
  if (mailbox.read_only()) co_return No("READ-ONLY", "The mailbox was opened with EXAMINE");
  const std::optional<size_t> index =
      FindReplaced(mailbox, arguments.replaces.value_or(kStar), command.uid);
  if (!index) {
    if (command.uid) co_return No("NONEXISTENT", "No such message");
    co_return Bad("No such message number");
  }
  store::v1::ReplacedMessage replaces;
  replaces.set_mailbox(mailbox.name());
  replaces.set_uid(mailbox.uid(*index));
  const AppendResult result = co_await RunAppend(session, arguments, replaces);
  if (result.refusal) co_return *result.refusal;
  // RFC 8508, 4.3: the client learns the new message's UID before the old one's EXPUNGE.
  session.out().buffer() += fmt::format("* OK [{}] Replacement message stored\r\n", result.code);
  const absl::Status synced = co_await session.selection().Sync();
  if (!synced.ok()) LogDebug("imap: sync after REPLACE failed: {}", ToText(synced));
  co_return Ok("REPLACE completed");
}

}  // namespace rmail::gateway::imap
