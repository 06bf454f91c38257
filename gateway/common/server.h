// Listeners, limits and the life of sessions: what all gateways share.
#ifndef RMAIL_GATEWAY_COMMON_SERVER_H_
#define RMAIL_GATEWAY_COMMON_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/connection.h"

namespace rmail::gateway {

// Threads that run sessions: one event loop a thread; a session stays on its loop, so it needs no
// locks.
class IoThreads {
 public:
  // 0: one a core.
  explicit IoThreads(int threads = 0);
  // Stop() and wait.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  // The next loop, in turn.
  boost::asio::any_io_executor Next();
  // Sessions go no further: for after the servers' drain, which would wait for them for ever.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct ListenerOptions {
  // For logs: "smtp", "imaps".
  std::string name;
  std::string host = "0.0.0.0";
  // 0: any free port.
  uint16_t port = 0;
  // Not null: a TLS handshake comes before the session starts. Outlives the server.
  const TlsContext* implicit_tls = nullptr;
  absl::Duration handshake_timeout = absl::Seconds(30);
  // Sent, where set, to a client that is turned away by a limit, before its connection is closed
  // (cleartext listeners only): "421 4.3.2 Too many connections\r\n".
  std::string refusal;
};

// Shared by a server's listeners.
struct ConnectionLimits {
  size_t total = 100;
  size_t per_address = 50;
};

// A set of listeners and their sessions. Thread-safe.
class Server {
 public:
  // Runs one client's session to its end; the connection is closed when it returns. What it throws
  // is logged and ends that session only.
  using Session = std::function<boost::asio::awaitable<void>(std::shared_ptr<Connection>)>;

  // `threads` outlives the server.
  Server(IoThreads& threads, ConnectionLimits limits);
  // Drain(0 s).
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens a listener and returns its port. A host that is not an address is an error.
  absl::StatusOr<uint16_t> Listen(ListenerOptions options, Session session);

  // Stops to accept, asks all sessions to end (Connection::Drain), waits up to `grace` for them,
  // then closes what is left and waits for that too. A second call does nothing. Not to be called
  // by a session, which it would wait for.
  void Drain(absl::Duration grace);

  // Sessions under way.
  size_t sessions() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_SERVER_H_
