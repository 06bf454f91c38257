#include "gateway/imap/imap_server.h"

#include <boost/asio/awaitable.hpp>
#include <utility>

#include "gateway/imap/session.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// Parameters live in the coroutine's frame; the context belongs to the server, which outlives its
// sessions.
boost::asio::awaitable<void> RunSession(std::shared_ptr<Connection> connection,
                                        SessionContext context) {
  Session session(std::move(connection), context);
  co_await session.Run();
}

}  // namespace

ImapServer::ImapServer(IoThreads& threads, StoreAccess& access, const TlsContext* tls,
                       ImapOptions options)
    : access_(access), tls_(tls), options_(std::move(options)), server_(threads, options_.limits) {}

ImapServer::~ImapServer() { Drain(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<ImapServer>> ImapServer::Start(IoThreads& threads,
                                                              StoreAccess& access,
                                                              const TlsContext* tls,
                                                              ImapOptions options) {
  std::unique_ptr<ImapServer> server(new ImapServer(threads, access, tls, std::move(options)));
  RMAIL_RETURN_IF_ERROR(server->Listen());
  return server;
}

absl::Status ImapServer::Listen() {
  const auto session =
      [context = SessionContext{access_, tls_, options_}](std::shared_ptr<Connection> connection) {
        return RunSession(std::move(connection), context);
      };
  ListenerOptions clear;
  clear.name = "imap";
  clear.host = options_.host;
  clear.port = options_.port;
  clear.refusal = "* BYE Too many connections\r\n";
  RMAIL_ASSIGN_OR_RETURN(port_, server_.Listen(std::move(clear), session));
  if (tls_ == nullptr) return absl::OkStatus();
  ListenerOptions secure;
  secure.name = "imaps";
  secure.host = options_.host;
  secure.port = options_.imaps_port;
  secure.implicit_tls = tls_;
  RMAIL_ASSIGN_OR_RETURN(imaps_port_, server_.Listen(std::move(secure), session));
  return absl::OkStatus();
}

void ImapServer::Drain(absl::Duration grace) { server_.Drain(grace); }

}  // namespace rmail::gateway::imap
