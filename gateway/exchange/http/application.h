// What serves the requests that a session reads.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_APPLICATION_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_APPLICATION_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "gateway/exchange/http/body.h"
#include "gateway/exchange/http/request.h"
#include "gateway/exchange/http/response.h"

namespace rmail::gateway::exchange::http {

struct Peer {
  // Without port.
  std::string address;
  // Whether the request came over TLS.
  bool secure = false;
};

// Thread-safe: sessions of several threads share it.
class Application {
 public:
  virtual ~Application() = default;
  // Answers one request. `body` may be read or not; its errors are those of failure.h and can be
  // answered like others. The references outlive the call.
  virtual boost::asio::awaitable<Response> Handle(const Request& request, BodySource& body,
                                                  const Peer& peer) = 0;
};

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_APPLICATION_H_
