// The parts of an answer's head that are the connection's and not the handler's.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_FRAMING_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_FRAMING_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/exchange/http/request.h"
#include "gateway/exchange/http/response.h"

namespace rmail::gateway::exchange::http {

// Adds Date, Content-Length or Transfer-Encoding, Connection, and the security headers that the
// handler has not set. `version` is the request's.
void AddFramingHeaders(Response& response, int version, bool keep_alive, absl::Time now);

// "Tue, 24 Nov 2026 23:06:03 GMT" (RFC 9110, 5.6.7).
std::string HttpDate(absl::Time time);

// A chunk (RFC 9112, 7.1); the last one for an empty piece.
std::string ToChunk(std::string_view piece);

// Whether the client waits for 100 Continue before it sends its body.
bool ExpectsContinue(const Request& request);

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_FRAMING_H_
