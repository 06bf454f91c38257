// What the session fuzzer makes its commands from.
#ifndef RMAIL_GATEWAY_IMAP_SESSION_FUZZ_COMMANDS_H_
#define RMAIL_GATEWAY_IMAP_SESSION_FUZZ_COMMANDS_H_

#include <span>
#include <string_view>

namespace rmail::gateway::imap {

// Honest commands without their tags, literals included.
extern const std::span<const std::string_view> kFuzzCommands;
// Pieces that mean something to a parser.
extern const std::span<const std::string_view> kFuzzTokens;

// Whether the server may answer the command with a continuation although it has no literal.
bool AsksForMore(std::string_view command);
// Whether it may switch compression on.
bool MayCompress(std::string_view command);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SESSION_FUZZ_COMMANDS_H_
