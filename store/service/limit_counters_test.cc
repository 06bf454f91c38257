#include "store/service/limit_counters.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

pb::LimitedEvent Event(const std::string& key, uint32_t count, uint32_t limit,
                       uint32_t window_seconds = 160) {
  pb::LimitedEvent event;
  event.set_key(key);
  event.set_count(count);
  event.set_limit(limit);
  event.set_window_seconds(window_seconds);
  return event;
}

// Three within ten minutes lock out for a minute, an hour at most.
pb::LimitedEvent Failure(const std::string& key, const std::string& fingerprint = "",
                         uint32_t count = 1) {
  pb::LimitedEvent event = Event(key, count, 3, 600);
  event.set_lockout_seconds(60);
  event.set_max_lockout_seconds(3600);
  event.set_fingerprint(fingerprint);
  return event;
}

class LimitCountersTest : public ::testing::Test {
 protected:
  pb::CountEventsResponse Count(const std::vector<pb::LimitedEvent>& events) {
    pb::CountEventsRequest request;
    for (const pb::LimitedEvent& event : events) *request.add_events() = event;
    return counters_.Count(request, now_);
  }
  bool Allowed(const std::vector<pb::LimitedEvent>& events) { return Count(events).allowed(); }

  absl::Time now_ = absl::FromUnixSeconds(1'600'000'000);
  LimitCounters counters_;
};

TEST_F(LimitCountersTest, AWindowHoldsNoMore) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Allowed({Event("a/b/c", 1, 5)}));
  const pb::CountEventsResponse refused = Count({Event("a/b/c", 1, 5)});
  EXPECT_FALSE(refused.allowed());
  EXPECT_EQ(refused.refused(), 0u);
  EXPECT_FALSE(refused.locked_out());
  EXPECT_EQ(refused.retry_after_seconds(), 170u);
  EXPECT_TRUE(Allowed({Event("a/b/d", 5, 5)}));
  EXPECT_FALSE(Allowed({Event("a/b/e", 6, 5)}));
  now_ += absl::Seconds(refused.retry_after_seconds() - 1);
  EXPECT_FALSE(Allowed({Event("a/b/c", 1, 5)}));
  now_ += absl::Seconds(1);
  EXPECT_TRUE(Allowed({Event("a/b/c", 5, 5)}));
}

// Whatever the moments: no window ever has more than the limit, and all that is allowed comes in
// time.
TEST_F(LimitCountersTest, TheWindowSlides) {
  std::vector<absl::Time> counted;
  for (int i = 0; i < 4000; ++i) {
    now_ += absl::Milliseconds(i * 7919 % 1000);
    if (Allowed({Event("k", 1, 50)})) counted.push_back(now_);
  }
  ASSERT_GT(counted.size(), 100u);
  for (size_t i = 50; i < counted.size(); ++i) {
    const absl::Duration between = counted[i] - counted[i - 50];
    EXPECT_GE(between, absl::Seconds(160));
    EXPECT_LE(between, absl::Seconds(180));
  }
}

TEST_F(LimitCountersTest, ItTellsWhenItIsWorthTryingAgain) {
  EXPECT_TRUE(Allowed({Event("k", 3, 5)}));
  now_ += absl::Seconds(80);
  EXPECT_TRUE(Allowed({Event("k", 2, 5)}));
  EXPECT_EQ(Count({Event("k", 3, 5)}).retry_after_seconds(), 90u);
  EXPECT_EQ(Count({Event("k", 4, 5)}).retry_after_seconds(), 170u);
  now_ += absl::Seconds(90);
  EXPECT_FALSE(Allowed({Event("k", 4, 5)}));
  EXPECT_TRUE(Allowed({Event("k", 3, 5)}));
}

TEST_F(LimitCountersTest, AllOrNone) {
  EXPECT_TRUE(Allowed({Event("full", 1, 1)}));
  for (int i = 0; i < 10; ++i) {
    const auto refused = Count({Event("free", 1, 2), Event("full", 1, 1)});
    EXPECT_FALSE(refused.allowed());
    EXPECT_EQ(refused.refused(), 1u);
  }
  EXPECT_TRUE(Allowed({Event("free", 2, 2)}));
}

TEST_F(LimitCountersTest, NoneOnlyAsks) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Allowed({Event("k", 0, 1)}));
  EXPECT_EQ(counters_.keys(), 0u);
  EXPECT_TRUE(Allowed({Event("k", 1, 1)}));
  EXPECT_FALSE(Allowed({Event("k", 0, 1)}));
}

TEST_F(LimitCountersTest, WithoutALimitNothingIsCounted) {
  EXPECT_TRUE(Allowed({Event("k", 1'000'000, 0)}));
  EXPECT_EQ(counters_.keys(), 0u);
}

TEST_F(LimitCountersTest, TheSameEventCountsOnce) {
  pb::LimitedEvent event = Event("k", 1, 2);
  event.set_fingerprint("first");
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Allowed({event}));
  event.set_fingerprint("second");
  EXPECT_TRUE(Allowed({event}));
  event.set_fingerprint("third");
  EXPECT_FALSE(Allowed({event}));
  event.set_fingerprint("first");
  EXPECT_TRUE(Allowed({event}));
  now_ += absl::Seconds(171);
  event.set_fingerprint("third");
  EXPECT_TRUE(Allowed({event}));
}

TEST_F(LimitCountersTest, WhoReachesTheLimitIsLockedOut) {
  EXPECT_TRUE(Allowed({Failure("k")}));
  EXPECT_TRUE(Allowed({Failure("k")}));
  EXPECT_TRUE(Allowed({Failure("k", "", 0)}));
  const auto last = Count({Event("other", 1, 10), Failure("k")});
  EXPECT_TRUE(last.allowed());
  EXPECT_TRUE(last.locked_out());
  EXPECT_EQ(last.refused(), 1u);
  EXPECT_EQ(last.retry_after_seconds(), 60u);
  now_ += absl::Milliseconds(59'001);
  for (const uint32_t count : {0, 1}) {
    const auto refused = Count({Failure("k", "", count)});
    EXPECT_FALSE(refused.allowed());
    EXPECT_FALSE(refused.locked_out());
    EXPECT_EQ(refused.retry_after_seconds(), 1u);
  }
  now_ += absl::Milliseconds(999);
  EXPECT_TRUE(Allowed({Failure("k", "", 0)}));
  EXPECT_TRUE(Allowed({Failure("k")}));
}

TEST_F(LimitCountersTest, EachTimeForLonger) {
  const auto lock_out = [&] {
    EXPECT_FALSE(Count({Failure("k")}).locked_out());
    EXPECT_FALSE(Count({Failure("k")}).locked_out());
    const auto last = Count({Failure("k")});
    EXPECT_TRUE(last.locked_out());
    return absl::Seconds(last.retry_after_seconds());
  };
  for (const int minutes : {1, 2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(lock_out(), absl::Minutes(minutes));
    now_ += absl::Minutes(minutes);
  }
  // Who has been quiet for four times the longest is a new one.
  now_ += absl::Hours(3) - absl::Seconds(1);
  EXPECT_EQ(lock_out(), absl::Minutes(60));
  now_ += absl::Hours(4);
  EXPECT_EQ(lock_out(), absl::Minutes(1));
}

TEST_F(LimitCountersTest, OldFailuresAndRepeatedOnesLockNobodyOut) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(Count({Failure("k", "the same")}).locked_out());
    EXPECT_FALSE(Count({Failure("slow")}).locked_out());
    now_ += absl::Seconds(330);
  }
  EXPECT_FALSE(Count({Failure("k", "the same")}).locked_out());
  EXPECT_FALSE(Count({Failure("k", "the same")}).locked_out());
  EXPECT_FALSE(Count({Failure("k", "another")}).locked_out());
  EXPECT_TRUE(Count({Failure("k", "a third")}).locked_out());
}

TEST_F(LimitCountersTest, AWindowThatChanges) {
  // Gateways with different configurations for a while.
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(Allowed({Event("k", 1, 1'000'000, i % 2 == 0 ? 1800 : 86'400)}));
    now_ += absl::Milliseconds(500);
  }
  EXPECT_FALSE(Allowed({Event("k", 1, 500, 86'400)}));
  now_ += absl::Hours(26);
  EXPECT_TRUE(Allowed({Event("k", 500, 500, 86'400)}));
}

TEST(LimitCountersBoundsTest, TheOldestKeysAreForgotten) {
  LimitCountersOptions options;
  options.max_keys = 1000;
  options.max_cells = 2000;
  LimitCounters counters(options);
  absl::Time now = absl::FromUnixSeconds(1'600'000'000);
  const auto count = [&](const pb::LimitedEvent& event) {
    pb::CountEventsRequest request;
    *request.add_events() = event;
    return counters.Count(request, now);
  };
  for (int i = 0; i < 3; ++i) count(Failure("guesser"));
  count(Event("oldest", 1, 1));
  count(Event("busy", 1, 1));
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(count(Event("flood/" + std::to_string(i), 1, 1)).allowed());
    // Refusals keep it known.
    if (i % 100 == 0) {
      EXPECT_FALSE(count(Event("busy", 1, 1)).allowed());
    }
  }
  EXPECT_EQ(counters.keys(), 1001u);
  EXPECT_TRUE(count(Event("oldest", 1, 1)).allowed());
  EXPECT_FALSE(count(Event("busy", 1, 1)).allowed());
  EXPECT_FALSE(count(Failure("guesser")).allowed());

  // Cells, too: each of these keys has 64 fingerprints and some slots.
  for (int i = 0; i < 200; ++i) {
    for (int j = 0; j < 64; ++j) {
      pb::LimitedEvent event = Event("cells/" + std::to_string(i), 1, 1000);
      event.set_fingerprint(std::to_string(j));
      EXPECT_TRUE(count(event).allowed());
    }
  }
  EXPECT_LE(counters.keys(), 2000 / 65 + 1u);
  EXPECT_FALSE(count(Failure("guesser")).allowed());

  // What is of no use any more goes by itself.
  now += absl::Hours(10);
  for (int i = 0; i < 40; ++i) count(Event("new", 1, 1000));
  EXPECT_EQ(counters.keys(), 2u);
}

TEST(LimitCountersThreadsTest, TogetherTheyCountNoMore) {
  LimitCounters counters;
  const absl::Time now = absl::FromUnixSeconds(1'600'000'000);
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        pb::CountEventsRequest request;
        *request.add_events() = Event("shared", 1, 700);
        *request.add_events() = Failure("own/" + std::to_string(t), "x");
        if (counters.Count(request, now).allowed()) ++allowed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 700);
}

}  // namespace
}  // namespace rmail::service
