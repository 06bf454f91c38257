#include "gateway/common/connection.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "gateway/common/channel_binding.h"
#include "gateway/common/deflate.h"
#include "store/base/status.h"

namespace rmail::gateway {
namespace {

namespace asio = boost::asio;

constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);
// Operations that a session may do without a wait before others of its thread have a turn.
constexpr int kMaxTurns = 64;
// What Close() reads off the socket: closing with unread input would send a reset, which may
// overtake the last answer.
constexpr size_t kMaxDiscarded = 64 * 1024;
// Compressed input that is read at a time.
constexpr size_t kCompressedChunk = 4 * 1024;

absl::Status Closed() {
  return MakeStatus(absl::StatusCode::kCancelled, "the connection was closed");
}
absl::Status EndOfStream() {
  return MakeStatus(absl::StatusCode::kOutOfRange, "the peer closed the connection");
}
absl::Status DeadlineExceeded() {
  return MakeStatus(absl::StatusCode::kDeadlineExceeded, "the peer took too long");
}
absl::Status Broken(std::string_view why) {
  return MakeStatus(absl::StatusCode::kUnavailable,
                    std::string("the connection broke: ").append(why));
}
absl::Status BrokenByErrno(int error) {
  return Broken(std::error_code(error, std::generic_category()).message());
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::string peer)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), peer_(std::move(peer)) {
  // Either fails only on a socket that is broken already, which the first operation then reports.
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Connection::~Connection() {
  Close();
  SSL_free(ssl_);
}

asio::any_io_executor Connection::Executor() { return socket_.get_executor(); }

std::string Connection::TlsDescription() const {
  if (ssl_ == nullptr) return "";
  return std::string(SSL_get_version(ssl_)) + " " + SSL_get_cipher_name(ssl_);
}

std::optional<std::string> Connection::ChannelBinding(std::string_view type) const {
  if (ssl_ == nullptr) return std::nullopt;
  return ChannelBindingData(ssl_, type);
}

absl::Status Connection::StartCompression() {
  if (compression_ != nullptr) {
    return MakeStatus(absl::StatusCode::kFailedPrecondition, "compression is on already");
  }
  compression_ = Deflate::Create();
  if (compression_ == nullptr) {
    return MakeStatus(absl::StatusCode::kResourceExhausted, "no memory for compression");
  }
  return absl::OkStatus();
}

void Connection::SetTimeout(absl::Duration timeout) {
  const Clock::time_point now = Clock::now();
  const auto left = absl::ToChronoNanoseconds(timeout);
  deadline_ = left < Clock::time_point::max() - now ? now + left : Clock::time_point::max();
  if (waiting_) ArmTimer();
}

asio::awaitable<absl::Status> Connection::StartTls(const TlsContext& context) {
  SSL* const ssl = context.NewSession();
  if (ssl != nullptr) SSL_set_accept_state(ssl);
  co_return co_await StartTlsSession(ssl);
}

asio::awaitable<absl::Status> Connection::StartClientTls(SSL* ssl) {
  if (ssl != nullptr) SSL_set_connect_state(ssl);
  co_return co_await StartTlsSession(ssl);
}

asio::awaitable<absl::Status> Connection::StartTlsSession(SSL* ssl) {
  std::unique_ptr<SSL, decltype(&SSL_free)> session(ssl, &SSL_free);
  if (closed_) co_return Closed();
  if (ssl_ != nullptr || compression_ != nullptr) {
    co_return MakeStatus(absl::StatusCode::kFailedPrecondition, "TLS or compression is up already");
  }
  absl::Status status = Broken("no memory for TLS");
  if (ssl != nullptr && SSL_set_fd(ssl, socket_.native_handle()) == 1) {
    status = co_await Handshake(ssl);
  }
  if (!status.ok()) {
    // Neither side knows any more what the octets on the wire mean.
    read_end_ = write_end_ = Broken("the TLS handshake failed");
    co_return status;
  }
  ssl_ = session.release();
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Connection::Handshake(SSL* ssl) {
  while (true) {
    ERR_clear_error();
    errno = 0;
    const Attempt attempt = TlsAttempt(ssl, SSL_do_handshake(ssl));
    if (attempt.done || !attempt.status.ok()) co_return attempt.status;
    RMAIL_CO_RETURN_IF_ERROR(co_await WaitFor(attempt.wait, Interrupt::kDrain));
  }
}

asio::awaitable<absl::Status> Connection::WaitReadable(bool interruptible) {
  const Interrupt interrupt = interruptible ? Interrupt::kDrainAndWake : Interrupt::kNone;
  RMAIL_CO_RETURN_IF_ERROR(Interrupted(interrupt));
  if (!read_end_.ok()) co_return absl::OkStatus();
  bool ready = ReadableNow();
  Attempt attempt;
  while (true) {
    if (ready) {
      if (ssl_ == nullptr && compression_ == nullptr) co_return absl::OkStatus();
      // Part of a record or a key update is not input yet: without a look at it, the read would
      // wait, and that wait is not interruptible. The same holds for part of a DEFLATE block.
      attempt = TryPeek();
      if (attempt.count > 0 || !attempt.status.ok()) co_return absl::OkStatus();
      if (attempt.done) {
        if (++turns_ >= kMaxTurns) RMAIL_CO_RETURN_IF_ERROR(co_await TakeTurn());
        RMAIL_CO_RETURN_IF_ERROR(Interrupted(interrupt));
        continue;
      }
    }
    RMAIL_CO_RETURN_IF_ERROR(co_await WaitFor(attempt.wait, interrupt));
    ready = true;
  }
}

// Much cheaper than a wait that ends at once: while a client sends fast, it mostly is readable.
bool Connection::ReadableNow() {
  if (compression_ != nullptr && compression_->pending()) return true;
  if (ssl_ != nullptr && SSL_has_pending(ssl_) == 1) return true;
  pollfd descriptor = {socket_.native_handle(), POLLIN, 0};
  return ::poll(&descriptor, 1, 0) == 1;
}

Connection::Attempt Connection::TryPeek() {
  char octet;
  if (compression_ != nullptr) {
    Attempt attempt = TryRead(&octet, 1);
    if (attempt.count > 0) compression_->PutBack(octet);
    return attempt;
  }
  ERR_clear_error();
  errno = 0;
  Attempt attempt = TlsAttempt(ssl_, SSL_peek(ssl_, &octet, 1));
  if (!attempt.status.ok()) read_end_ = attempt.status;
  return attempt;
}

asio::awaitable<absl::StatusOr<size_t>> Connection::ReadSome(char* buffer, size_t size) {
  if (closed_) co_return Closed();
  while (true) {
    if (++turns_ >= kMaxTurns) RMAIL_CO_RETURN_IF_ERROR(co_await TakeTurn());
    if (!read_end_.ok()) co_return read_end_;
    const Attempt attempt = TryRead(buffer, size);
    if (!attempt.status.ok()) co_return attempt.status;
    if (attempt.count > 0) co_return attempt.count;
    if (!attempt.done) RMAIL_CO_RETURN_IF_ERROR(co_await WaitFor(attempt.wait, Interrupt::kNone));
  }
}

asio::awaitable<absl::Status> Connection::Write(std::string_view data) {
  if (closed_) co_return Closed();
  if (!write_end_.ok()) co_return write_end_;
  absl::Status status = co_await WriteAll(data);
  // Part of the data may have gone, part of a TLS record too: nothing sensible can follow it.
  if (!status.ok()) write_end_ = Broken("an earlier write was not finished");
  co_return status;
}

asio::awaitable<absl::Status> Connection::WriteAll(std::string_view data) {
  if (compression_ == nullptr || data.empty()) co_return co_await WriteWire(data);
  std::string wire;
  for (bool last = false; !last;) {
    last = compression_->Compress(data, wire);
    RMAIL_CO_RETURN_IF_ERROR(co_await WriteWire(wire));
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Connection::WriteWire(std::string_view data) {
  while (!data.empty()) {
    if (++turns_ >= kMaxTurns) RMAIL_CO_RETURN_IF_ERROR(co_await TakeTurn());
    const Attempt attempt = TryWrite(data);
    if (!attempt.status.ok()) co_return attempt.status;
    if (attempt.done) {
      data.remove_prefix(attempt.count);
    } else {
      RMAIL_CO_RETURN_IF_ERROR(co_await WaitFor(attempt.wait, Interrupt::kNone));
    }
  }
  co_return absl::OkStatus();
}

Connection::Attempt Connection::TryRead(char* buffer, size_t size) {
  if (compression_ == nullptr) return TryReadWire(buffer, size);
  if (!compression_->pending()) {
    char wire[kCompressedChunk];
    const Attempt attempt = TryReadWire(wire, sizeof(wire));
    if (!attempt.done) return attempt;
    compression_->Received({wire, attempt.count});
  }
  const absl::StatusOr<size_t> count = compression_->Decompress(buffer, size);
  if (count.ok()) return {.count = *count, .done = true};
  read_end_ = count.status();
  return {.status = read_end_};
}

Connection::Attempt Connection::TryReadWire(char* buffer, size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int limit = static_cast<int>(std::min<size_t>(size, std::numeric_limits<int>::max()));
    const Attempt attempt = TlsAttempt(ssl_, SSL_read(ssl_, buffer, limit));
    if (!attempt.status.ok()) read_end_ = attempt.status;
    return attempt;
  }
  while (true) {
    const ssize_t count = ::recv(socket_.native_handle(), buffer, size, 0);
    if (count > 0) return {.count = static_cast<size_t>(count), .done = true};
    if (count == 0) return {.status = EndOfStream()};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {.wait = Direction::kRead};
    if (errno != EINTR) return {.status = BrokenByErrno(errno)};
  }
}

Connection::Attempt Connection::TryWrite(std::string_view data) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int limit =
        static_cast<int>(std::min<size_t>(data.size(), std::numeric_limits<int>::max()));
    return TlsAttempt(ssl_, SSL_write(ssl_, data.data(), limit));
  }
  while (true) {
    const ssize_t count = ::send(socket_.native_handle(), data.data(), data.size(), MSG_NOSIGNAL);
    if (count >= 0) return {.count = static_cast<size_t>(count), .done = true};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {.wait = Direction::kWrite};
    if (errno != EINTR) return {.status = BrokenByErrno(errno)};
  }
}

// `result` is that of an SSL call just made, with the error queue and errno cleared before it.
Connection::Attempt Connection::TlsAttempt(SSL* ssl, int result) {
  const int saved_errno = errno;
  if (result > 0) return {.count = static_cast<size_t>(result), .done = true};
  switch (SSL_get_error(ssl, result)) {
    // Either may come from a read as from a write: RFC 8446, 4.6.3 (key update) makes a reader
    // write.
    case SSL_ERROR_WANT_READ:
      return {.wait = Direction::kRead};
    case SSL_ERROR_WANT_WRITE:
      return {.wait = Direction::kWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {.status = EndOfStream()};
    default:
      break;
  }
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  // TLS is of no use after this, not even for an alert.
  write_end_ = Broken("TLS failed");
  // Many clients close without a close-notify. These protocols mark the end of all they send, so
  // nothing is cut short unnoticed.
  const bool cut_off = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                       ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (cut_off || (code == 0 && saved_errno == 0)) return {.status = EndOfStream()};
  if (code == 0) return {.status = BrokenByErrno(saved_errno)};
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return {.status = MakeStatus(absl::StatusCode::kUnauthenticated,
                                 X509_verify_cert_error_string(SSL_get_verify_result(ssl)))};
  }
  const char* reason = ERR_reason_error_string(code);
  return {.status = Broken(reason != nullptr ? reason : "TLS failed")};
}

asio::awaitable<absl::Status> Connection::TakeTurn() {
  turns_ = 0;
  if (DeadlinePassed()) co_return DeadlineExceeded();
  co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  co_return Interrupted(Interrupt::kNone);
}

asio::awaitable<absl::Status> Connection::WaitFor(Direction direction, Interrupt interrupt) {
  const auto event = direction == Direction::kRead ? asio::ip::tcp::socket::wait_read
                                                   : asio::ip::tcp::socket::wait_write;
  turns_ = 0;
  while (true) {
    RMAIL_CO_RETURN_IF_ERROR(Interrupted(interrupt));
    if (DeadlinePassed()) co_return DeadlineExceeded();
    waiting_ = true;
    interrupt_ = interrupt;
    ArmTimer();
    const auto [error] = co_await socket_.async_wait(event, kAwaitTuple);
    waiting_ = false;
    interrupt_ = Interrupt::kNone;
    RMAIL_CO_RETURN_IF_ERROR(Interrupted(interrupt));
    // What came in time counts, even when this thread was late to see it.
    if (!error) co_return absl::OkStatus();
    if (error != asio::error::operation_aborted) co_return Broken(error.message());
  }
}

absl::Status Connection::Interrupted(Interrupt interrupt) {
  if (closed_) return Closed();
  if (draining_ && interrupt != Interrupt::kNone) {
    return MakeStatus(absl::StatusCode::kCancelled, "the server shuts down");
  }
  if (woken_ && interrupt == Interrupt::kDrainAndWake) {
    woken_ = false;
    return MakeStatus(absl::StatusCode::kAborted, "woken up");
  }
  return absl::OkStatus();
}

bool Connection::DeadlinePassed() const {
  return deadline_ != Clock::time_point::max() && Clock::now() >= deadline_;
}

void Connection::ArmTimer() {
  if (deadline_ >= timer_expiry_) return;
  timer_expiry_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait(
      [weak = weak_from_this(), expiry = deadline_](const boost::system::error_code& error) {
        if (error) return;
        if (const std::shared_ptr<Connection> self = weak.lock()) self->OnTimer(expiry);
      });
}

void Connection::OnTimer(Clock::time_point expiry) {
  if (expiry != timer_expiry_) return;  // It was armed anew while this was on its way.
  timer_expiry_ = Clock::time_point::max();
  if (!waiting_) return;
  if (DeadlinePassed()) {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  } else {
    ArmTimer();
  }
}

void Connection::Wake() {
  woken_ = true;
  if (!waiting_ || interrupt_ != Interrupt::kDrainAndWake) return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::Drain() {
  draining_ = true;
  if (!waiting_ || interrupt_ == Interrupt::kNone) return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  const int descriptor = socket_.native_handle();
  if (ssl_ != nullptr && write_end_.ok()) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  ERR_clear_error();
  ::shutdown(descriptor, SHUT_WR);
  char discarded[4096];
  for (size_t total = 0; total < kMaxDiscarded; total += sizeof(discarded)) {
    if (::recv(descriptor, discarded, sizeof(discarded), MSG_DONTWAIT) <= 0) break;
  }
  boost::system::error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
}

}  // namespace rmail::gateway
