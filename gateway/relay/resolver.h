// What the relay asks the domain name system.
#ifndef RMAIL_GATEWAY_RELAY_RESOLVER_H_
#define RMAIL_GATEWAY_RELAY_RESOLVER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rmail::gateway::relay {

struct MxRecord {
  uint16_t preference = 0;
  // A host name of letters, digits, hyphens and underscores, in lower case; "." for a null MX (RFC
  // 7505).
  std::string host;
};

// Without records: the name is there and has none.
struct MxAnswer {
  std::vector<MxRecord> records;
  // How long it holds.
  absl::Duration ttl;
};

struct AddressAnswer {
  std::vector<boost::asio::ip::address> addresses;
  absl::Duration ttl;
};

// Thread-safe. Names are ASCII (A-labels), without a dot at the end.
//
// Errors: kNotFound     there is no such name
//         kUnavailable  no answer, or none that makes sense: it may be another one later
class Resolver {
 public:
  virtual ~Resolver() = default;
  virtual boost::asio::awaitable<absl::StatusOr<MxAnswer>> LookUpMx(std::string domain) = 0;
  // IPv6 and IPv4.
  virtual boost::asio::awaitable<absl::StatusOr<AddressAnswer>> LookUpAddresses(
      std::string host) = 0;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_RESOLVER_H_
