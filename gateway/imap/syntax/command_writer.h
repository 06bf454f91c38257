// The text of a command from its typed form: the parser's inverse, so that a fuzzer can check one
// with the other.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_WRITER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_WRITER_H_

#include <string>

#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

// ParseCommand(WriteCommand(command)) is the same command, for every command that ParseCommand
// makes.
std::string WriteCommand(const Command& command);

// "HEADER.FIELDS (DATE FROM)": what stands in BODY's brackets, in commands and in answers.
void AppendSection(std::string& out, const Section& section);

// "MESSAGES".
std::string_view StatusItemName(StatusItem item);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_WRITER_H_
