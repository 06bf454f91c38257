#include "gateway/relay/retry_schedule.h"

#include <algorithm>

namespace rmail::gateway::relay {

absl::Duration PauseAfter(const RetryPolicy& policy, uint32_t attempts) {
  const size_t last = policy.delays.size() - 1;
  return policy.delays[std::min<size_t>(std::max(attempts, 1U) - 1, last)];
}

std::optional<absl::Time> NextAttempt(const RetryPolicy& policy, uint32_t attempts,
                                      absl::Time queued_at, absl::Time now) {
  const absl::Time end = queued_at + policy.max_age;
  if (now >= end) return std::nullopt;
  return std::min(now + PauseAfter(policy, attempts), end);
}

bool TakesLong(const RetryPolicy& policy, absl::Time queued_at, absl::Time now) {
  return policy.delay_notice > absl::ZeroDuration() && now - queued_at >= policy.delay_notice;
}

}  // namespace rmail::gateway::relay
