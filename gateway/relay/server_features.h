// What a server says in answer to EHLO (RFC 5321, 4.1.1.1). Pure.
#ifndef RMAIL_GATEWAY_RELAY_SERVER_FEATURES_H_
#define RMAIL_GATEWAY_RELAY_SERVER_FEATURES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::relay {

struct ServerFeatures {
  // What the server calls itself.
  std::string name;
  bool pipelining = false;   // RFC 2920
  bool eight_bit = false;    // RFC 6152
  bool utf8 = false;         // RFC 6531
  bool chunking = false;     // RFC 3030
  bool binary = false;       // RFC 3030
  bool start_tls = false;    // RFC 3207
  bool dsn = false;          // RFC 3461
  bool require_tls = false;  // RFC 8689
  bool auth_plain = false;   // RFC 4616
  bool auth_login = false;
  bool size = false;  // RFC 1870
  // Octets; nullopt: not said.
  std::optional<uint64_t> max_size;
  // RFC 9422: recipients in a transaction, transactions in a connection; nullopt: not said.
  std::optional<size_t> max_recipients;
  std::optional<size_t> max_messages;
};

// Keywords that are not known, and values that make no sense, are passed over.
ServerFeatures ParseFeatures(const smtp::Reply& ehlo);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_SERVER_FEATURES_H_
