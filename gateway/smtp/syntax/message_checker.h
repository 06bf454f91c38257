// What is wrong with a message as it passes by, whether it came by DATA or by BDAT.
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_MESSAGE_CHECKER_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_MESSAGE_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rmail::gateway::smtp {

struct MessageFacts {
  // Octets.
  uint64_t size = 0;
  // A CR without LF or a LF without CR; and one in the header.
  bool bare_newline = false;
  bool bare_newline_in_header = false;
  // An octet above 127; and one in the header. A NUL; and one in the header.
  bool eight_bit = false;
  bool eight_bit_header = false;
  bool nul = false;
  bool nul_in_header = false;
  // The header's end has come.
  bool header_complete = false;
  // Of the longest line, octets, without CRLF.
  uint64_t longest_line = 0;
  // Received fields in the header: how many servers it has passed (RFC 5321, 6.3).
  uint32_t received_fields = 0;
};

// It works on pieces cut anywhere and holds a few octets.
class MessageChecker {
 public:
  void Feed(std::string_view data);
  // After the last piece.
  void End();

  const MessageFacts& facts() const { return facts_; }

 private:
  void AddToLine(std::string_view data);
  void EndLine();
  void NoteBareNewline();

  MessageFacts facts_;
  bool after_cr_ = false;
  // Octets of the line under way, its CR included, and the first of them.
  uint64_t line_length_ = 0;
  std::string line_start_;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_MESSAGE_CHECKER_H_
