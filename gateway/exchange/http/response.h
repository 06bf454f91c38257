// An answer as handlers make it. Headers that every answer carries, and the framing, are the
// session's.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_RESPONSE_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_RESPONSE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange/http/request.h"

namespace rmail::gateway::exchange::http {

class BodySource;  // body.h

struct Response {
  int status = 200;
  // Empty when there is no body.
  std::string content_type;
  // Beyond Content-Type and what the session adds (Date, Content-Length, Connection, security
  // headers).
  std::vector<Header> headers;
  // The body, unless `stream` is set.
  std::string body;
  // A body that comes piece by piece; never read for HEAD.
  std::shared_ptr<BodySource> stream;
  // How long it is; unset: it is sent chunked.
  std::optional<uint64_t> stream_size;
  // Whether the connection has to end after it: what follows on it cannot be trusted or is not
  // wanted.
  bool close = false;
};

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_RESPONSE_H_
