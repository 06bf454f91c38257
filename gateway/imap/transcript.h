// Session tests as protocol scripts: tests/support/transcript.h, and lines of IMAP's own:
//
//   C: a LOGIN alice@example.com secret
//   S: a OK [CAPABILITY ...] Logged in
//
//   LOGIN:   greets and logs in, with "user password" or as alice.
//   SELECT:  selects the mailbox; what the server says of it is passed over.
//   MESSAGE: appends what the "|" lines below hold to the mailbox: "INBOX (\Seen)"; flags and a
//            date may be left out. On a connection of its own.
//   C:       a literal that it announces by "{*}" or "~{*}" at its end is made of the "|" lines
//            below and goes out with its size and a '+'. The command goes on with the next C line,
//            which may be empty.
#ifndef RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_
#define RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "tests/support/line_client.h"
#include "tests/support/transcript.h"

namespace rmail::gateway::imap {

class Transcript : public testing::Transcript {
 public:
  explicit Transcript(uint16_t port, testing::LineClient::Tls tls = testing::LineClient::Tls::kOff)
      : port_(port), tls_(tls) {}

  // Connection 1 to 9, opened when it is not there yet.
  testing::LineClient& client(int number = 1) { return testing::Transcript::client(number); }

 protected:
  std::unique_ptr<testing::LineClient> Connect(int connection) override;
  bool Step(const Line& line) override;

 private:
  bool LogIn(testing::LineClient& peer, std::string_view credentials);
  bool Select(testing::LineClient& peer, std::string_view mailbox);
  bool AppendMessage(std::string_view arguments, std::string_view message);

  const uint16_t port_;
  const testing::LineClient::Tls tls_;
};

using testing::MatchesPattern;

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_
