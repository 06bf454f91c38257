// From the text of a command to a Command. Pure: no state, no I/O. Thread-safe.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_PARSER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_PARSER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

struct ParseResult {
  // Empty when not even the tag could be read.
  std::string tag;
  std::optional<Command> command;
  // Why there is no command, for the client; empty when there is one. It quotes nothing of the
  // input.
  std::string error;
};

// `text` is a whole command without its last line ending, literals in place (see Lexer); for APPEND
// it ends with the announcement of the message ("{310}").
ParseResult ParseCommand(std::string_view text);

// Whether the literal that the text announces at its end ("{310}") is APPEND's message rather than
// an argument.
bool AnnouncesMessage(std::string_view text);

// Names of all commands that ParseCommand knows, each once.
std::vector<std::string_view> KnownCommands();

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_PARSER_H_
