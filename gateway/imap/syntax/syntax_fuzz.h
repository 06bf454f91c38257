// What fuzzing of the syntax layer checks, for libFuzzer and for the deterministic test alike.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SYNTAX_FUZZ_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SYNTAX_FUZZ_H_

#include <string_view>

namespace rmail::gateway::imap {

// Assembles and parses the input as a client's octets. Aborts when a command that was parsed does
// not survive being written and parsed again, or when a limit is exceeded.
void FuzzSyntax(std::string_view input);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SYNTAX_FUZZ_H_
