// SEARCH, UID SEARCH and CANCELUPDATE.
#include "gateway/imap/commands.h"
#include "gateway/imap/search_command.h"
#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

boost::asio::awaitable<Reply> Search(Session& session, const Command& command) {
  co_return co_await RunSearchCommand(session, command,
                                      std::get<SearchArguments>(command.arguments), {});
}

boost::asio::awaitable<Reply> CancelUpdate(Session& session, const Command& command) {
  SearchContexts& searches = session.selection().searches();
  bool all_known = true;
  for (const std::string& tag : std::get<CancelUpdateArguments>(command.arguments).tags) {
    all_known &= searches.Cancel(tag);
  }
  if (!all_known) co_return Bad("No search of that tag is kept up to date");
  co_return Ok("CANCELUPDATE completed");
}

}  // namespace rmail::gateway::imap
