// The queue is stopped at each step of what it does, in every way that a process or a machine can
// end: what was acknowledged is there afterwards, whole.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "store/base/testing/fault_plan.h"
#include "store/base/testing/memory_env.h"
#include "store/engine/queue_fixture.h"

namespace rmail::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using CrashMode = MemoryEnv::CrashMode;
namespace pb = ::rmail::store::v1;

constexpr char kText[] = "Subject: hello\r\n\r\ntext\r\n";
constexpr uint64_t kMaxSteps = 1000;

class QueueCrashTest : public ::testing::TestWithParam<CrashMode> {
 protected:
  void Start(uint64_t seed) {
    store_ = nullptr;
    env_ = std::make_unique<MemoryEnv>(seed);
    ASSERT_TRUE(env_->CreateDirectory("/root").ok());
    ASSERT_TRUE(env_->SyncDirectory("/").ok());
    Open();
  }
  void Open() {
    store_ = std::make_unique<TestQueue>(env_.get(), "/root",
                                         [this] { return absl::FromUnixMicros(now_); });
  }
  std::vector<std::string> Ids() {
    const auto ids = store_->queue.Candidates({});
    EXPECT_TRUE(ids.ok()) << ids.status();
    return ids.value_or(std::vector<std::string>());
  }
  // Each message that is there can be sent, to recipients that wait.
  void CheckAll(size_t least, size_t most) {
    const std::vector<std::string> ids = Ids();
    EXPECT_GE(ids.size(), least);
    EXPECT_LE(ids.size(), most);
    now_ += absl::ToInt64Microseconds(absl::Hours(2));
    EXPECT_THAT(store_->Lease(), SizeIs(ids.size()));
    for (const std::string& id : ids) {
      EXPECT_EQ(store_->Read(id), kText);
      EXPECT_TRUE(store_->queue.Get(id).ok());
    }
  }
  // Calls `run` with each step from 0 until it says that there was no such step.
  static void ForEachStep(const std::function<bool(uint64_t seed, uint64_t step)>& run) {
    const uint64_t seeds = GetParam() == CrashMode::kRandom ? 20 : 1;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      uint64_t step = 0;
      for (bool more = true; more; ++step) {
        SCOPED_TRACE(fmt::format("seed {}, step {}", seed, step));
        more = run(seed, step);
        if (HasFailure()) return;
        ASSERT_LT(step, kMaxSteps);
      }
      EXPECT_GT(step, 1u);
    }
  }
  static void Add(pb::ReportDeliveryRequest* report, uint32_t index,
                  pb::QueueRecipient::State state) {
    report->add_recipients()->set_index(index);
    report->mutable_recipients()->rbegin()->set_state(state);
  }

  int64_t now_ = int64_t{1'700'000'000'000'000};
  std::unique_ptr<MemoryEnv> env_;
  std::unique_ptr<TestQueue> store_;
};

TEST_P(QueueCrashTest, WhatWasQueuedIsThere) {
  ForEachStep([this](uint64_t seed, uint64_t step) {
    Start(seed);
    EXPECT_TRUE(store_->Enqueue(kText, {"a@x.test"}).ok());
    env_->StopAt(step);
    const bool queued = store_->Enqueue(kText, {"b@y.test"}).ok();
    const bool more = !env_->fault_pending();
    env_->Crash(seed, GetParam());
    Open();
    CheckAll(queued ? 2 : 1, 2);
    return more;
  });
}

TEST_P(QueueCrashTest, AReportLosesNothing) {
  for (const bool finishes : {false, true}) {
    ForEachStep([this, finishes](uint64_t seed, uint64_t step) {
      Start(seed);
      const std::string id = store_->Enqueue(kText, {"a@x.test", "b@y.test"}).value_or("");
      // The second report is about a state that may not be on disk.
      for (const uint32_t first : {true, false}) {
        now_ += 1;
        const auto leased = store_->Lease();
        if (leased.size() != 1) {
          ADD_FAILURE() << leased.size();
          return false;
        }
        pb::ReportDeliveryRequest report = TestQueue::NewReport(leased[0].second);
        Add(&report, 0, pb::QueueRecipient::STATE_DELIVERED);
        Add(&report, 1,
            finishes && !first ? pb::QueueRecipient::STATE_FAILED
                               : pb::QueueRecipient::STATE_WAITING);
        if (!first) env_->StopAt(step);
        (void)store_->queue.Report(report, id);
      }
      const bool more = !env_->fault_pending();
      env_->Crash(seed, GetParam());
      Open();
      CheckAll(finishes ? 0 : 1, 1);
      return more;
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, QueueCrashTest,
                         ::testing::Values(CrashMode::kKeepAll, CrashMode::kRandom,
                                           CrashMode::kLoseAllUnsynced));

using QueueFailureTest = QueueCrashTest;

// Each call fails once: the message is queued, or there is nothing of it.
TEST_P(QueueFailureTest, NothingIsHalfQueued) {
  ForEachStep([this](uint64_t seed, uint64_t step) {
    Start(seed);
    EXPECT_TRUE(store_->Enqueue(kText, {"a@x.test"}).ok());
    env_->FailOnce(step, FaultPlan::kChanges | FaultPlan::kReads);
    const bool queued = store_->Enqueue(kText, {"b@y.test"}, 10).ok();
    const bool more = !env_->fault_pending();
    env_->ClearFaults();
    const size_t count = queued ? 2 : 1;
    EXPECT_THAT(Ids(), SizeIs(count));
    Open();
    CheckAll(count, count);
    return more;
  });
}

INSTANTIATE_TEST_SUITE_P(Once, QueueFailureTest, ::testing::Values(CrashMode::kKeepAll));

}  // namespace
}  // namespace rmail::engine
