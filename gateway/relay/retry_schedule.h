// When a recipient is tried again, and when no more.
#ifndef RMAIL_GATEWAY_RELAY_RETRY_SCHEDULE_H_
#define RMAIL_GATEWAY_RELAY_RETRY_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"

namespace rmail::gateway::relay {

struct RetryPolicy {
  // From the first failed attempt to the second, and so on; the last one is repeated. Not empty,
  // each 1 s at least. (RFC 5321, 4.5.4.1 asks for 30 minutes; most of what fails at first is
  // greylisting, which wants a second attempt soon.)
  std::vector<absl::Duration> delays = {absl::Minutes(1),  absl::Minutes(5), absl::Minutes(15),
                                        absl::Minutes(30), absl::Hours(1),   absl::Hours(4),
                                        absl::Hours(8),    absl::Hours(24)};
  // From when the message was queued until its last attempt.
  absl::Duration max_age = absl::Hours(5 * 24);
  // From when the message was queued until its sender is told that it takes long; zero: never.
  absl::Duration delay_notice = absl::Hours(4);
};

// When the attempt after `attempts` (1 or more, the one that has just failed included) is due;
// nullopt: that one was the last. The last attempt is at the end of `max_age`.
std::optional<absl::Time> NextAttempt(const RetryPolicy& policy, uint32_t attempts,
                                      absl::Time queued_at, absl::Time now);

// The pause after that attempt, whatever the message's age.
absl::Duration PauseAfter(const RetryPolicy& policy, uint32_t attempts);

// Whether the sender should know by now that it takes long.
bool TakesLong(const RetryPolicy& policy, absl::Time queued_at, absl::Time now);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_RETRY_SCHEDULE_H_
