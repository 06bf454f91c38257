// What can be configured of the relay.
#ifndef RMAIL_GATEWAY_RELAY_RELAY_OPTIONS_H_
#define RMAIL_GATEWAY_RELAY_RELAY_OPTIONS_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "gateway/relay/retry_schedule.h"

namespace rmail::gateway::relay {

struct RelayOptions {
  // In delivery reports.
  std::string hostname = "localhost";
  // Who holds the leases, for the queue's list: "mail.example.com/1234".
  std::string holder;
  // Messages under way at once.
  size_t workers = 50;
  // Of those, with a recipient at one domain.
  size_t max_per_destination = 10;
  // All mail goes to one server, which is then the one destination that counts.
  bool smarthost = false;
  RetryPolicy retry;
  // How long a lease lasts, 10 s at least; it is renewed at half its time. What a relay that died
  // had under way is tried again by others after as long.
  absl::Duration lease = absl::Minutes(5);
  // How long the store waits for messages before it answers with none. It answers at once when one
  // comes; a stop waits for it.
  absl::Duration lease_wait = absl::Seconds(2);
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_RELAY_OPTIONS_H_
