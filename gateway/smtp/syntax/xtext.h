// Encodings of text in parameters of MAIL and RCPT: xtext (RFC 3461, 4) and its kin for addresses
// in UTF-8 (RFC 6533, 3).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_XTEXT_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_XTEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway::smtp {

// What xtext stands for; nullopt when it is none, or stands for anything but printable ASCII and
// spaces, or, when `utf8`, other UTF-8: nothing that comes out can break a line.
std::optional<std::string> DecodeXtext(std::string_view xtext, bool utf8 = false);

// Printable ASCII and spaces as xtext. Other octets are encoded too, though no server has to take
// them.
std::string EncodeXtext(std::string_view text);

// The address of an ORCPT of type utf-8, in any of the forms of RFC 6533, 3; those that are not
// ASCII only when `utf8`. nullopt when it is none, is not UTF-8 or holds control characters.
std::optional<std::string> DecodeUtf8Address(std::string_view encoded, bool utf8);

// The form that is ASCII (utf-8-addr-xtext). `address` is UTF-8.
std::string EncodeUtf8Address(std::string_view address);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_XTEXT_H_
