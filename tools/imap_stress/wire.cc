#include "tools/imap_stress/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "absl/time/clock.h"
#include "store/base/status.h"

namespace rmail::imap_stress {

namespace {

constexpr absl::Duration kSendLimit = absl::Seconds(60);
// No answer that is asked for is as large.
constexpr size_t kMaxResponse = 64 << 20;

// The size that a line announces at its end, "{12}" or "~{12}"; -1 when there is none.
int64_t LiteralSize(std::string_view line) {
  if (!line.ends_with('}')) return -1;
  const size_t open = line.rfind('{');
  if (open == std::string_view::npos) return -1;
  const std::string_view digits = line.substr(open + 1, line.size() - open - 2);
  int64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && size >= 0 ? size : -1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Wire>> Wire::Connect(const Endpoint& endpoint) {
  // OpenSSL writes to the socket with write(2).
  signal(SIGPIPE, SIG_IGN);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1) {
    return absl::InvalidArgumentError("no IPv4 address");
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket");
  std::unique_ptr<Wire> wire(new Wire(fd));
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval limit = absl::ToTimeval(kSendLimit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::ErrnoToStatus(errno, "connect");
  }
  if (endpoint.tls) RMAIL_RETURN_IF_ERROR(wire->StartTls());
  return wire;
}

Wire::~Wire() {
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  close(fd_);
}

absl::Status Wire::StartTls() {
  context_ = SSL_CTX_new(TLS_client_method());
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
  ERR_clear_error();
  if (SSL_connect(ssl_) == 1) return absl::OkStatus();
  return absl::UnavailableError("the TLS handshake failed");
}

absl::Status Wire::Send(std::string_view octets) {
  while (!octets.empty()) {
    const size_t size = std::min<size_t>(octets.size(), 1 << 30);
    ERR_clear_error();
    const ssize_t count = ssl_ != nullptr ? SSL_write(ssl_, octets.data(), static_cast<int>(size))
                                          : send(fd_, octets.data(), size, MSG_NOSIGNAL);
    if (count <= 0) return absl::AbortedError("cannot send");
    octets.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status Wire::Fill(absl::Time deadline) {
  if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
    pollfd ready = {fd_, POLLIN, 0};
    const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
    const int count = poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (count < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "poll");
    if (count <= 0) {
      if (absl::Now() < deadline) return absl::OkStatus();
      return absl::DeadlineExceededError("no answer");
    }
  }
  char chunk[16 * 1024];
  ERR_clear_error();
  const ssize_t count =
      ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof(chunk)) : recv(fd_, chunk, sizeof(chunk), 0);
  if (count <= 0) return absl::AbortedError("the connection ended");
  buffer_.append(chunk, static_cast<size_t>(count));
  if (buffer_.size() > kMaxResponse) return absl::InternalError("an endless response");
  return absl::OkStatus();
}

size_t Wire::ResponseEnd() {
  while (true) {
    const size_t end = buffer_.find("\r\n", scanned_);
    if (end == std::string::npos) return 0;
    const int64_t literal = LiteralSize(std::string_view(buffer_).substr(scanned_, end - scanned_));
    if (literal < 0) return end + 2;
    const size_t behind = end + 2 + static_cast<size_t>(literal);
    if (behind > buffer_.size()) return 0;
    scanned_ = behind;
  }
}

absl::StatusOr<std::string> Wire::ReadResponse(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  size_t end;
  while ((end = ResponseEnd()) == 0) RMAIL_RETURN_IF_ERROR(Fill(deadline));
  std::string response = buffer_.substr(0, end - 2);
  buffer_.erase(0, end);
  scanned_ = 0;
  return response;
}

}  // namespace rmail::imap_stress
