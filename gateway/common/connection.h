// A connection, a client's to us or ours to a server (connect.h): one type for plain TCP and TLS,
// read and written by one coroutine.
//
// OpenSSL works straight on the socket and is waited for by readiness, so that an idle TLS
// connection costs about 15 KiB. A Connection belongs to one executor (one thread); nothing here is
// thread-safe but Executor() and the accessors that say so.
//
// Errors: kOutOfRange   the peer closed the connection (end of stream)
//         kUnavailable  the connection broke
//         kDeadlineExceeded  the deadline passed
//         kAborted      Wake() was called during an interruptible wait
//         kCancelled    the server drains (only from an interruptible wait and from StartTls) or
//                       Close() was called
//         kUnauthenticated  the server's certificate is not what was asked for (StartClientTls)
// After a write or a handshake that failed, all further ones end with kUnavailable.
#ifndef RMAIL_GATEWAY_COMMON_CONNECTION_H_
#define RMAIL_GATEWAY_COMMON_CONNECTION_H_

#include <openssl/ssl.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/tls_context.h"

namespace rmail::gateway {

class Deflate;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Takes a connected socket. Made with std::make_shared. `peer` is the other side's address
  // without port ("192.0.2.1", "2001:db8::1").
  Connection(boost::asio::ip::tcp::socket socket, std::string peer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Thread-safe.
  boost::asio::any_io_executor Executor();
  const std::string& peer() const { return peer_; }

  // Whether TLS is up.
  bool secure() const { return ssl_ != nullptr; }
  // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without TLS.
  std::string TlsDescription() const;
  // What a login is bound to (channel_binding.h); nullopt without TLS.
  std::optional<std::string> ChannelBinding(std::string_view type) const;

  // All waits from now on end with kDeadlineExceeded when this much time has passed, until the next
  // call sets another.
  void SetTimeout(absl::Duration timeout);

  // Does the server's side of a TLS handshake. The caller has made sure that no cleartext input is
  // left unread.
  boost::asio::awaitable<absl::Status> StartTls(const TlsContext& context);
  // The same, the client's side. Takes `ssl` over (TlsClientContext::NewSession); null is an error.
  boost::asio::awaitable<absl::Status> StartClientTls(SSL* ssl);

  // From now on all that is written is compressed, and what is read is decompressed (RFC 4978); for
  // about 180 KiB of memory until the connection ends. The caller has made sure that no input is
  // left unread. kFailedPrecondition when it is on already. TLS can't be started after it.
  absl::Status StartCompression();
  bool compressed() const { return compression_ != nullptr; }

  // Waits until there is input, holding no buffer meanwhile. When `interruptible`, Wake() and a
  // drain end the wait. OK also at the end of the stream: the read tells.
  boost::asio::awaitable<absl::Status> WaitReadable(bool interruptible = false);

  // Reads at least 1 and at most `size` octets.
  boost::asio::awaitable<absl::StatusOr<size_t>> ReadSome(char* buffer, size_t size);

  // Writes all of it.
  boost::asio::awaitable<absl::Status> Write(std::string_view data);

  // Ends an interruptible wait with kAborted: the one under way, or else the next one. From the
  // executor only.
  void Wake();

  // Asks the session to end: interruptible waits end with kCancelled from now on. From the executor
  // only.
  void Drain();
  bool draining() const { return draining_; }

  // Sends TLS's close-notify if it can be sent at once and closes the socket. From the executor
  // only.
  void Close();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Direction { kRead, kWrite };
  // What may end a wait besides the event, the deadline and Close().
  enum class Interrupt {
    kNone,
    kDrain,         // Drain(): a TLS handshake
    kDrainAndWake,  // also Wake(): an interruptible wait
  };

  boost::asio::awaitable<absl::Status> WaitFor(Direction direction, Interrupt interrupt);
  // Lets other sessions of this thread run when this one has gone on for long without a wait.
  boost::asio::awaitable<absl::Status> TakeTurn();
  // `ssl` with its side's state set; frees it when that fails.
  boost::asio::awaitable<absl::Status> StartTlsSession(SSL* ssl);
  boost::asio::awaitable<absl::Status> Handshake(SSL* ssl);
  boost::asio::awaitable<absl::Status> WriteAll(std::string_view data);
  boost::asio::awaitable<absl::Status> WriteWire(std::string_view data);

  // What one attempt came to: done, wait for a direction and try again, or an error. Done with a
  // count of 0: try again at once.
  struct Attempt {
    absl::Status status = absl::OkStatus();
    size_t count = 0;
    bool done = false;
    Direction wait = Direction::kRead;
  };
  Attempt TryPeek();
  Attempt TryRead(char* buffer, size_t size);
  Attempt TryReadWire(char* buffer, size_t size);
  Attempt TryWrite(std::string_view data);
  Attempt TlsAttempt(SSL* ssl, int result);
  bool ReadableNow();

  absl::Status Interrupted(Interrupt interrupt);
  bool DeadlinePassed() const;
  void ArmTimer();
  void OnTimer(Clock::time_point expiry);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  const std::string peer_;
  SSL* ssl_ = nullptr;
  std::unique_ptr<Deflate> compression_;  // null: off
  // Time-outs cost a session no timer operation each: the timer stays when it is armed for an
  // earlier time, and is armed anew when it fires too early.
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point timer_expiry_ = Clock::time_point::max();
  // What reading and writing end with from now on, once TLS has failed or a write was left
  // unfinished.
  absl::Status read_end_;
  absl::Status write_end_;
  Interrupt interrupt_ = Interrupt::kNone;  // of the wait under way
  uint16_t turns_ = 0;                      // operations since the last wait
  bool waiting_ = false;
  bool woken_ = false;
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_CONNECTION_H_
