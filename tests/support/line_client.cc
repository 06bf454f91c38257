#include "tests/support/line_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace rmail::testing {
namespace {

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;  // 0: not an address

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address ParseAddress(const std::string& host, uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(*v4);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(*v6);
  }
  return address;
}

// Connects; -1 on an error.
int Connect(const std::string& host, uint16_t port, const std::string& source) {
  const Address address = ParseAddress(host, port);
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const Address from = ParseAddress(source, 0);
  if ((from.size == 0 || bind(fd, from.get(), from.size) == 0) &&
      connect(fd, address.get(), address.size) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

}  // namespace

LineClient::LineClient(uint16_t port, Tls tls, const std::string& host, const std::string& source) {
  // OpenSSL writes to the socket with write(2).
  signal(SIGPIPE, SIG_IGN);
  fd_ = Connect(host, port, source);
  if (fd_ < 0) {
    ADD_FAILURE() << "cannot connect to " << host << " port " << port << ": " << strerror(errno);
    return;
  }
  SetTimeout(absl::Seconds(10));
  if (tls == Tls::kOn && !StartTls()) ADD_FAILURE() << "the TLS handshake failed";
}

LineClient::~LineClient() {
  Close();
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void LineClient::SetTimeout(absl::Duration timeout) {
  const timeval value = absl::ToTimeval(timeout);
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof(value));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof(value));
}

bool LineClient::StartTls() {
  if (fd_ < 0) return false;
  context_ = SSL_CTX_new(TLS_client_method());
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
  ERR_clear_error();
  return SSL_connect(ssl_) == 1;
}

void LineClient::Send(std::string_view octets) {
  while (!octets.empty()) {
    const size_t size = std::min<size_t>(octets.size(), std::numeric_limits<int>::max());
    ERR_clear_error();
    const ssize_t count = ssl_ != nullptr ? SSL_write(ssl_, octets.data(), static_cast<int>(size))
                                          : send(fd_, octets.data(), size, MSG_NOSIGNAL);
    if (count <= 0) {
      ADD_FAILURE() << "cannot send: " << strerror(errno);
      return;
    }
    octets.remove_prefix(static_cast<size_t>(count));
  }
}

void LineClient::SendLine(std::string_view line) { Send(std::string(line) + "\r\n"); }

LineClient::Result LineClient::Fill() {
  char chunk[16 * 1024];
  ERR_clear_error();
  errno = 0;
  const ssize_t count =
      ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof(chunk)) : recv(fd_, chunk, sizeof(chunk), 0);
  const int error = errno;
  if (count > 0) {
    buffer_.append(chunk, static_cast<size_t>(count));
    return Result::kOk;
  }
  if (ssl_ == nullptr) {
    if (count == 0 || error == ECONNRESET) return Result::kEof;
    return error == EAGAIN || error == EWOULDBLOCK ? Result::kTimeout : Result::kError;
  }
  switch (SSL_get_error(ssl_, static_cast<int>(count))) {
    case SSL_ERROR_ZERO_RETURN:
      return Result::kEof;
    case SSL_ERROR_WANT_READ:
      return Result::kTimeout;
    case SSL_ERROR_SYSCALL:
      return error == 0 || error == ECONNRESET ? Result::kEof : Result::kError;
    default:
      return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                 ? Result::kEof
                 : Result::kError;
  }
}

bool LineClient::NextLine(std::string& line) {
  size_t end;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    if (Fill() == Result::kOk) continue;
    ADD_FAILURE() << "no line came, only \"" << buffer_ << "\"";
    return false;
  }
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  // Tests of what idle sessions cost have their clients in the same process.
  if (buffer_.empty()) buffer_.shrink_to_fit();
  if (!line.ends_with('\r')) {
    ADD_FAILURE() << "a line without CR: \"" << line << "\"";
    return false;
  }
  line.pop_back();
  return true;
}

std::string LineClient::ReadLine() {
  std::string line;
  return NextLine(line) ? line : "";
}

std::string LineClient::ReadUntil(std::string_view prefix) {
  std::string lines;
  std::string line;
  while (NextLine(line)) {
    lines += line + "\r\n";
    if (line.starts_with(prefix)) break;
  }
  return lines;
}

std::string LineClient::ReadExact(size_t count) {
  while (buffer_.size() < count) {
    if (Fill() == Result::kOk) continue;
    ADD_FAILURE() << "only " << buffer_.size() << " of " << count << " octets came";
    break;
  }
  std::string octets = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return octets;
}

bool LineClient::AtEof() { return buffer_.empty() && Fill() == Result::kEof; }

void LineClient::Close() {
  if (fd_ < 0) return;
  ERR_clear_error();
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  close(fd_);
  fd_ = -1;
}

void LineClient::ShutdownWrite() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  shutdown(fd_, SHUT_WR);
}

}  // namespace rmail::testing
