// What the Exchange gateway can be told.
#ifndef RMAIL_GATEWAY_EXCHANGE_EXCHANGE_OPTIONS_H_
#define RMAIL_GATEWAY_EXCHANGE_EXCHANGE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace rmail::gateway::exchange {

// Of one connection.
struct HttpLimits {
  // A request's head in all, and each line of a chunked body, in octets.
  size_t header_size = 16 << 10;
  // A JSON body, in octets.
  size_t json_size = 64 << 10;
  // From a request's first octet to the end of its head.
  absl::Duration header_timeout = absl::Seconds(10);
  // Between two requests.
  absl::Duration idle_timeout = absl::Seconds(60);
  // For a body, and a second more for each 16 KiB that came.
  absl::Duration body_timeout = absl::Seconds(60);
  // For each 256 KiB of an answer.
  absl::Duration write_timeout = absl::Seconds(60);
};

struct ConnectionQuota {
  // Connections in all and of one address.
  size_t total = 1000;
  size_t per_address = 200;
};

struct ExchangeOptions {
  std::string host = "0.0.0.0";
  // HTTP; 0 for any free port.
  uint16_t port = 9002;
  // HTTPS; opened only with TLS.
  uint16_t secure_port = 9003;
  ConnectionQuota connections;
  HttpLimits http;
  // How long a login that failed waits for its answer.
  absl::Duration auth_failure_delay = absl::Seconds(1);
};

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_EXCHANGE_OPTIONS_H_
