// Character classes of internationalised addresses (RFC 6531).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_UTF8_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_UTF8_H_

#include <string_view>

namespace rmail::gateway::smtp {

bool IsAscii(std::string_view text);

// Well-formed UTF-8 (RFC 3629) without C1 control characters (U+0080 to U+009F).
bool IsUtf8(std::string_view text);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_UTF8_H_
