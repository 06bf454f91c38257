// A command line: its verb and what follows.
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_COMMAND_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_COMMAND_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

struct CommandLine {
  // In upper case: letters and digits. May be a verb that nobody knows.
  std::string verb;
  // Without the blanks around it. Printable ASCII and octets above 0x7f; tabs are blanks.
  std::string argument;
};

// `line` with its line ending. Refused: an ending that is not CRLF, control characters, no verb.
Parsed<CommandLine> ParseCommandLine(std::string_view line);

// Whether the line, which need not parse, may be meant as BDAT: what follows it may be no command.
bool MayBeBdat(std::string_view line);

// BDAT (RFC 3030, 2).
struct BdatCommand {
  // Octets that follow the command line.
  uint64_t size = 0;
  bool last = false;
};
Parsed<BdatCommand> ParseBdat(std::string_view argument);

// Whether the text may stand behind HELO or EHLO: a domain or an address literal, read liberally (a
// client at home does not know a better name), but nothing that could break out of a Received
// field.
bool IsHelloName(std::string_view text);

// Removes and returns the text up to the next blanks, and the blanks.
std::string_view TakeWord(std::string_view& text);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_COMMAND_H_
