// SORT and UID SORT (RFC 5256).
#include "gateway/imap/commands.h"
#include "gateway/imap/search_command.h"
#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

boost::asio::awaitable<Reply> Sort(Session& session, const Command& command) {
  const auto& arguments = std::get<SortArguments>(command.arguments);
  co_return co_await RunSearchCommand(session, command, arguments.search, arguments.keys);
}

}  // namespace rmail::gateway::imap
