// Internationalised domain names (RFC 5891, UTS 46). Pure.
#ifndef RMAIL_GATEWAY_RELAY_IDN_H_
#define RMAIL_GATEWAY_RELAY_IDN_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway::relay {

// The domain with A-labels ("xn--...") for its U-labels, in lower case; nullopt when it is no
// domain name. What is ASCII already stays as it is.
std::optional<std::string> ToAsciiDomain(std::string_view domain);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_IDN_H_
