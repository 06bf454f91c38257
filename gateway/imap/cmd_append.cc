// APPEND (RFC 9051, 6.3.12), with several messages and parts (RFC 3502, 4469).
#include <fmt/format.h>

#include "gateway/imap/append_transfer.h"
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

boost::asio::awaitable<Reply> Append(Session& session, const Command& command) {
  const AppendResult result =
      co_await RunAppend(session, std::get<AppendArguments>(command.arguments));
  if (result.refusal) co_return *result.refusal;
  // A client sees at once what it has added itself.
  if (session.selected() && session.mailbox().name() == result.mailbox) {
    const absl::Status synced = co_await session.selection().Sync();
    if (!synced.ok()) LogDebug("imap: sync after APPEND failed: {}", ToText(synced));
  }
  co_return Ok(fmt::format("[{}] APPEND completed", result.code));
}

}  // namespace rmail::gateway::imap
