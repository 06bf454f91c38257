// Messages that can be told from each other and checked octet by octet: all of one follows from
// its token.
#ifndef RMAIL_TOOLS_IMAP_STRESS_MESSAGE_H_
#define RMAIL_TOOLS_IMAP_STRESS_MESSAGE_H_

#include <string>
#include <string_view>

namespace rmail::imap_stress {

// Tokens are atoms without quotes; the subject of the message is its token.
std::string MessageOf(std::string_view token);

// " 1-Feb-2024 10:00:00 +0000": what it is appended with.
std::string InternalDateOf(std::string_view token);

// The token of a message that was read; "" when it is none of ours.
std::string TokenIn(std::string_view message);

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_MESSAGE_H_
