// Session tests as protocol scripts.
//
//   C: a LOGIN alice@example.com secret
//   S: a OK [CAPABILITY ...] Logged in
//
// A line starts with who speaks:
//   C:       the client sends the line, with CRLF.
//   S:       the server's next line must be this one. "..." stands for anything, and so does
//            "{{name}}" at its first use; from then on, in C and S lines, it stands for what it
//            met.
//   S*:      the same, passing over lines up to one that matches.
//   TLS:     does a handshake.
//   EOF:     expects the end of the stream.
//   LOGIN:   greets and logs in, with "user password" or as alice.
//   SELECT:  selects the mailbox; what the server says of it is passed over.
//   MESSAGE: appends what the "|" lines below hold to the mailbox: "INBOX (\Seen)"; flags and a
//   date
//            may be left out. On a connection of its own.
//   |        in front of a line: a line of the message of MESSAGE; or of the literal that the C
//   line
//            above announces by "{*}" or "~{*}", which goes out with the literal's size and a '+'.
//            The command goes on with the next C line, which may be empty.
// With a number, "C2:", "S2:", "LOGIN2:", it is a further connection, opened when first named.
// Empty lines and lines with '#' mean nothing. White space in front is ignored; so is one space
// after the colon and the '|'.
#ifndef RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_
#define RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_

#include <cstdint>
#include <functional>
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
  // One line with the "|" lines behind it, `text`.
  bool Step(std::string_view who, std::string_view line, std::string_view text);
  bool Expect(testing::LineClient& peer, std::string_view line);
  bool SkipTo(testing::LineClient& peer, std::string_view line);
  bool LogIn(testing::LineClient& peer, std::string_view credentials);
  bool Select(testing::LineClient& peer, std::string_view mailbox);
  bool AppendMessage(std::string_view arguments, std::string_view message);
  // The line with the values of names that are known.
  std::string Substitute(std::string_view line) const;
  // Whether the answer matches; then the pattern's names get their values.
  bool Match(std::string_view pattern, std::string_view answer);

  const uint16_t port_;
  const testing::LineClient::Tls tls_;
  std::map<int, std::unique_ptr<testing::LineClient>> clients_;
  std::map<std::string, std::string, std::less<>> values_;
};

// Whether the text is the pattern, "..." standing for anything. A "{{name}}" is taken literally.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_TRANSCRIPT_H_
