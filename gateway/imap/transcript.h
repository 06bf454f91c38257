// Session tests as protocol scripts.
//
//   C: a LOGIN alice@example.com secret
//   S: a OK [CAPABILITY ...] Logged in
//
// A line starts with who speaks: "C:" the client, whose line is sent with CRLF; "S:" the server,
// whose next line must be this one, "..." standing for anything. "C2:", "S2:" and so on are further
// connections, opened when first named. "S*:" passes over lines up to one that matches. "TLS:" does
// a handshake. "EOF:" expects the end of the stream. Empty lines and lines with '#' mean nothing.
// White space in front is ignored; so is one space after the colon.
#ifndef RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_
#define RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/line_client.h"

namespace rmail::gateway::imap {

class Transcript {
 public:
  explicit Transcript(uint16_t port, testing::LineClient::Tls tls = testing::LineClient::Tls::kOff)
      : port_(port), tls_(tls) {}

  // A difference is a failure of the test that quotes both lines; the script ends there.
  void Run(std::string_view script);

  // Connection 1 to 9, opened when it is not there yet.
  testing::LineClient& client(int number = 1);

 private:
  bool Step(std::string_view who, std::string_view line);

  const uint16_t port_;
  const testing::LineClient::Tls tls_;
  std::map<int, std::unique_ptr<testing::LineClient>> clients_;
};

// Whether the text is the pattern, "..." standing for anything.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_
