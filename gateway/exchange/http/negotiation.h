// Media types: what a client sends and what it takes.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_NEGOTIATION_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_NEGOTIATION_H_

#include <string_view>

namespace rmail::gateway::exchange::http {

// Whether a client that sent this Accept field takes `type` ("application/json"), whatever its
// weight above 0 (RFC 9110, 12.5.1). A range that cannot be understood counts for nothing.
bool Accepts(std::string_view accept, std::string_view type);

// Whether a Content-Type value is `type`, its parameters aside, in any case.
bool IsMediaType(std::string_view content_type, std::string_view type);

// The credentials of an Authorization field with the scheme Bearer (RFC 6750, 2.1), empty for
// another scheme.
std::string_view BearerToken(std::string_view authorization);

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_NEGOTIATION_H_
