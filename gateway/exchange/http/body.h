// Bodies that come piece by piece: of requests from the client, of answers from a handler.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_BODY_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_BODY_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace rmail::gateway::exchange::http {

class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next octets, at most some 256 KiB; empty at the end. After an error it must not be called
  // again.
  virtual boost::asio::awaitable<absl::StatusOr<std::string>> Next() = 0;
};

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_BODY_H_
