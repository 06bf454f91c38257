// How many messages are under way to each destination.
#ifndef RMAIL_GATEWAY_RELAY_DESTINATION_LIMITS_H_
#define RMAIL_GATEWAY_RELAY_DESTINATION_LIMITS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace rmail::gateway::relay {

// Not thread-safe.
class DestinationLimits {
 public:
  // `max` is 1 or more, for each.
  explicit DestinationLimits(size_t max) : max_(max) {}

  // False: it is full.
  bool Begin(const std::string& domain);
  void End(const std::string& domain);

  // Those that are full.
  std::vector<std::string> Full() const;
  // How many messages can begin wherever they go, if they don't go where it is full; 1 or more.
  size_t Headroom() const;

 private:
  const size_t max_;
  absl::flat_hash_map<std::string, size_t> running_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_DESTINATION_LIMITS_H_
