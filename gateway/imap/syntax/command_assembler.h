// Puts a command together from lines and literals, within limits. Pure: the owner does the reading
// and the writing.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_ASSEMBLER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/imap/syntax/lexer.h"

namespace rmail::gateway::imap {

// The literal that a line, without its ending, announces at its end: "A1 LOGIN {5}". `binary` is
// not filled.
std::optional<LiteralSize> AnnouncedLiteral(std::string_view line);

// The line without its CRLF or bare LF.
std::string_view WithoutLineEnding(std::string_view line);

// One for each command. Not thread-safe. Memory: the command's text, bounded by the limits.
class CommandAssembler {
 public:
  struct Limits {
    // Octets of one literal that is an argument (those of APPEND's and REPLACE's messages are
    // none).
    uint64_t literal = 64 * 1024;
    // Octets of the whole command.
    uint64_t command = 256 * 1024;
    // Octets of one line, without its ending.
    uint64_t line = 64 * 1024;
  };

  // What the owner does next.
  enum class Next {
    // Read a line, AddLine.
    kLine,
    // Read up to literal_left() octets, AddLiteral.
    kLiteral,
    // Send a continuation, then as kLiteral.
    kContinuation,
    // Nothing: text() is the command, or oversized() is true.
    kDone,
    // Nothing: an APPEND or REPLACE goes on with a literal, which the client is about to send. See
    // append_arguments.h.
    kMessage,
  };

  explicit CommandAssembler(Limits limits) : limits_(limits) {}

  // A line with its ending.
  Next AddLine(std::string_view line);
  // Part of a literal, 1 to literal_left() octets.
  Next AddLiteral(std::string_view octets);

  uint64_t literal_left() const { return literal_left_; }
  // See Lexer. When oversized, its front, from which the tag can be read.
  const std::string& text() const { return text_; }
  // The command exceeds a limit; what the client sent of it was skipped.
  bool oversized() const { return oversized_; }

 private:
  Next Continue(const LiteralSize& literal);

  const Limits limits_;
  std::string text_;
  uint64_t literal_left_ = 0;
  int literals_ = 0;
  bool oversized_ = false;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_ASSEMBLER_H_
