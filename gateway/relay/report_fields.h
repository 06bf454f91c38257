// Values of a delivery report that others have a say in, made safe.
#ifndef RMAIL_GATEWAY_RELAY_REPORT_FIELDS_H_
#define RMAIL_GATEWAY_RELAY_REPORT_FIELDS_H_

#include <string>
#include <string_view>

#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::relay {

// One line of text, `max` octets at most: control characters become spaces, what is not UTF-8 (or,
// with `ascii`, not ASCII) becomes '?'.
std::string CleanLine(std::string_view text, bool ascii, size_t max = 500);

// "550 5.1.1 No such user", clean. The code is left out where it is 0.
std::string ReplyText(const smtp::Reply& reply, bool ascii);

// "rfc822; user@example.com"; an address that is not ASCII is one of RFC 6533, 3: as it is when
// `utf8`, else encoded.
std::string AddressField(std::string_view address, bool utf8);
// The same for an address with its type, "rfc822;user@example.com".
std::string TypedAddressField(std::string_view typed, bool utf8);

// A status for a reply: its own when that is one and has the class `leading` ('2', '4', '5'), else
// that class with its detail, else "5.0.0".
std::string StatusOf(const smtp::Reply& reply, char leading);

// The value of the header's Message-ID when it is "<...>" on one line; else empty.
std::string MessageIdOf(std::string_view header);

// Whether a line is too long, or has a NUL or a CR or LF by itself: no such thing may go into a
// message unencoded (RFC 2045, 2.8).
bool IsUnclean(std::string_view text);

// Base64 in lines of 76, with CRLF.
std::string Base64Lines(std::string_view octets);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_REPORT_FIELDS_H_
