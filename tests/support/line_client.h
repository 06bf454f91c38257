// A client that speaks a line protocol in tests. Blocking, with a time-out for each step.
#ifndef RMAIL_TESTS_SUPPORT_LINE_CLIENT_H_
#define RMAIL_TESTS_SUPPORT_LINE_CLIENT_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace rmail::testing {

// A step that fails or takes too long is a failure of the test (ADD_FAILURE), so that a test reads
// as a protocol script:
//   LineClient client(port);
//   EXPECT_EQ(client.ReadLine(), "220 ready");
//   client.SendLine("QUIT");
//   EXPECT_TRUE(client.AtEof());
class LineClient {
 public:
  enum class Tls { kOff, kOn };

  // Connects (from the address `source`, where set), and does a TLS handshake for kOn.
  explicit LineClient(uint16_t port, Tls tls = Tls::kOff, const std::string& host = "127.0.0.1",
                      const std::string& source = "");
  ~LineClient();
  LineClient(const LineClient&) = delete;
  LineClient& operator=(const LineClient&) = delete;

  // For all steps from now on; 10 s at the start.
  void SetTimeout(absl::Duration timeout);

  // The handshake of STARTTLS. False when it fails, which is no failure of the test. The
  // certificate is not checked.
  bool StartTls();

  void Send(std::string_view octets);
  void SendLine(std::string_view line);  // adds CRLF

  // A line without its CRLF; "" after a failure. A line that ends with a bare LF is a failure.
  std::string ReadLine();
  // Reads lines up to one that starts with `prefix`, and returns all, each with CRLF.
  std::string ReadUntil(std::string_view prefix);
  // Exactly that many octets; fewer after a failure.
  std::string ReadExact(size_t count);

  // Waits for the end of the stream. False when octets come instead or the time runs out.
  bool AtEof();
  // No failure when the peer has gone already.
  void Close();
  // Tells the server that nothing more comes (TCP's half-close), and goes on to read.
  void ShutdownWrite();

  int fd() const { return fd_; }
  // Null without TLS.
  SSL* ssl() const { return ssl_; }

 private:
  enum class Result { kOk, kEof, kTimeout, kError };
  // Reads what is there, at least 1 octet, into buffer_.
  Result Fill();
  bool NextLine(std::string& line);

  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  std::string buffer_;  // received and not read yet
};

}  // namespace rmail::testing

#endif  // RMAIL_TESTS_SUPPORT_LINE_CLIENT_H_
