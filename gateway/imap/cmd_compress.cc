// COMPRESS (RFC 4978).
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

boost::asio::awaitable<Reply> Compress(Session& session, const Command& command) {
  if (std::get<CompressArguments>(command.arguments).mechanism != "DEFLATE") {
    co_return No("CANNOT", "Unknown compression mechanism");
  }
  if (session.connection()->compressed()) {
    co_return No("COMPRESSIONACTIVE", "DEFLATE is active already");
  }
  // Its memory is for our users; and a password that is compressed together with what somebody else
  // has chosen can be guessed by its length.
  if (session.state() == kNotAuthenticated) co_return No("CANNOT", "Log in first");
  // RFC 4978, 3: the client waits for the answer. What it sent before is not compressed.
  if (session.reader().buffered() > 0) co_return Bad("Wait for the answer to COMPRESS");
  session.CompressAfterReply();
  co_return Ok("DEFLATE active");
}

}  // namespace rmail::gateway::imap
