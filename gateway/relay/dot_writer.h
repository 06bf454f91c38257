// The text of a message as DATA carries it (RFC 5321, 4.5.2). Pure.
#ifndef RMAIL_GATEWAY_RELAY_DOT_WRITER_H_
#define RMAIL_GATEWAY_RELAY_DOT_WRITER_H_

#include <string>
#include <string_view>

namespace rmail::gateway::relay {

// Works on pieces cut anywhere. What comes out has CRLF for each line's end and no other CR or LF:
// a bare one would let a message hold the end of itself for a server that takes it for one, so it
// becomes CRLF. Lines that start with a dot get a second one.
class DotWriter {
 public:
  // Appends to `out`, at most twice the data's size and 2 octets.
  void Feed(std::string_view data, std::string& out);
  // After the last piece: the end of a line that has none, and of the message.
  void End(std::string& out);

 private:
  bool line_start_ = true;
  // The last octet was a CR, whose line's end is written already.
  bool after_cr_ = false;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_DOT_WRITER_H_
