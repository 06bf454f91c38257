// A client's end of an IMAP connection. Blocking, with a time limit for each step.
#ifndef RMAIL_TOOLS_IMAP_STRESS_WIRE_H_
#define RMAIL_TOOLS_IMAP_STRESS_WIRE_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rmail::imap_stress {

struct Endpoint {
  std::string host = "127.0.0.1";  // an IPv4 address
  uint16_t port = 143;
  bool tls = false;  // from the start; the certificate is not checked
};

// Not thread-safe.
class Wire {
 public:
  static absl::StatusOr<std::unique_ptr<Wire>> Connect(const Endpoint& endpoint);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  absl::Status Send(std::string_view octets);
  // One response: its line without the last CRLF, literals within it as they came ("{3}\r\nabc").
  // DEADLINE_EXCEEDED when the time runs out, with nothing lost: the next call goes on. ABORTED
  // at the end of the stream.
  absl::StatusOr<std::string> ReadResponse(absl::Duration limit);

 private:
  explicit Wire(int fd) : fd_(fd) {}
  absl::Status StartTls();
  absl::Status Fill(absl::Time deadline);
  // The end of the response at the front of buffer_, its CRLF included; 0 while it is not all
  // there. `scanned_` remembers how far it looked.
  size_t ResponseEnd();

  const int fd_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  std::string buffer_;
  size_t scanned_ = 0;
};

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_WIRE_H_
