// Mailbox names on the wire: modified UTF-7 (RFC 3501, 5.1.3), or UTF-8 once the client has enabled
// it (RFC 6855, 3; RFC 9051, 5.1).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_NAME_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_NAME_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway::imap {

// Whether the octets are well-formed UTF-8 without NUL.
bool IsUtf8(std::string_view text);

// The UTF-8 of a name in modified UTF-7; nullopt when it is malformed. A name in plain UTF-8, which
// clients send although they may not, is taken as it is.
std::optional<std::string> DecodeMailboxName(std::string_view wire);

// Modified UTF-7 of a UTF-8 name; octets that are not UTF-8 become U+FFFD.
std::string EncodeMailboxName(std::string_view name);

// The name as an astring: in UTF-8 if the session's EnabledFeatures::utf8_names() say so, otherwise
// in modified UTF-7.
void AppendMailboxName(std::string& out, std::string_view name, bool utf8 = false);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_NAME_H_
