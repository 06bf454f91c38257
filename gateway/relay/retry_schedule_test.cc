#include "gateway/relay/retry_schedule.h"

#include <gtest/gtest.h>

namespace rmail::gateway::relay {
namespace {

TEST(RetrySchedule, AttemptsOfAMessageThatNeverGetsThrough) {
  const RetryPolicy policy;
  const absl::Time queued = absl::UnixEpoch();
  std::vector<absl::Duration> attempts;
  absl::Time now = queued;
  for (uint32_t made = 1;; ++made) {
    attempts.push_back(now - queued);
    const std::optional<absl::Time> next = NextAttempt(policy, made, queued, now);
    if (!next.has_value()) break;
    now = *next;
  }
  const absl::Duration m = absl::Minutes(1);
  EXPECT_EQ(attempts, (std::vector<absl::Duration>{0 * m, 1 * m, 6 * m, 21 * m, 51 * m, 111 * m,
                                                   351 * m, 831 * m, 2271 * m, 3711 * m, 5151 * m,
                                                   6591 * m, 7200 * m}));
}

TEST(RetrySchedule, AnAttemptAfterTheEndIsTheLast) {
  const RetryPolicy policy;
  const absl::Time queued = absl::UnixEpoch();
  const absl::Duration tick = absl::Microseconds(1);
  EXPECT_EQ(NextAttempt(policy, 1, queued, queued + policy.max_age - tick),
            queued + policy.max_age);
  EXPECT_FALSE(NextAttempt(policy, 1, queued, queued + policy.max_age).has_value());
  EXPECT_FALSE(NextAttempt(policy, 1, queued, queued + absl::Hours(999)).has_value());
}

TEST(RetrySchedule, NoAttemptCountsAsOneAndTheLastPauseIsRepeated) {
  const RetryPolicy policy;
  EXPECT_EQ(PauseAfter(policy, 0), absl::Minutes(1));
  EXPECT_EQ(PauseAfter(policy, 8), absl::Hours(24));
  EXPECT_EQ(PauseAfter(policy, 4'000'000'000), absl::Hours(24));
}

TEST(RetrySchedule, DelayIsToldOnceItIsOne) {
  RetryPolicy policy;
  const absl::Time queued = absl::UnixEpoch();
  EXPECT_FALSE(TakesLong(policy, queued, queued + absl::Hours(4) - absl::Microseconds(1)));
  EXPECT_TRUE(TakesLong(policy, queued, queued + absl::Hours(4)));
  policy.delay_notice = absl::ZeroDuration();
  EXPECT_FALSE(TakesLong(policy, queued, queued + absl::Hours(99)));
}

}  // namespace
}  // namespace rmail::gateway::relay
