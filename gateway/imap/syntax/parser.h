// From the text of a command to a Command. Pure: no state, no I/O. Thread-safe.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_PARSER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_PARSER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/syntax/command.h"
#include "gateway/imap/syntax/lexer.h"

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
// and REPLACE it ends at the first fragment's end (append_arguments.h).
ParseResult ParseCommand(std::string_view text, ParseOptions options = {});

// Whether the literal that the text announces at its end ("{310}") ends the first fragment of
// APPEND or REPLACE rather than being an argument.
bool AnnouncesMessage(std::string_view text);

// What stands in the brackets of BODY[...].
std::optional<Section> ParseSectionSpec(std::string_view text);

// What a URL argument may be: 1 to kMaxUrl octets of printable ASCII.
bool IsUrlText(std::string_view text);

// Names of all commands that ParseCommand knows, each once.
std::vector<std::string_view> KnownCommands();

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_PARSER_H_
