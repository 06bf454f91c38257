// The queue when its files can't be read or synced for a while.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "store/base/env.h"
#include "store/engine/failing_env.h"
#include "store/engine/queue.h"
#include "store/engine/queue_fixture.h"
#include "store/engine/queue_log.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kBob[] = "bob@elsewhere.test";

class QueueFaultTest : public ::testing::Test {
 protected:
  QueueFaultTest() { store_ = NewStore(); }

  // Another one on the same mail_root.
  std::unique_ptr<TestQueue> NewStore() {
    return std::make_unique<TestQueue>(&env_, folder_.path(),
                                       [this] { return absl::FromUnixMicros(now_); });
  }
  void Advance(absl::Duration time) { now_ += absl::ToInt64Microseconds(time); }
  static std::vector<std::string> Ids(TestQueue& store) {
    const auto ids = store.queue.Candidates({});
    EXPECT_TRUE(ids.ok()) << ids.status();
    return ids.value_or(std::vector<std::string>());
  }

  TestFolder folder_;
  FailingEnv env_;
  int64_t now_ = int64_t{1'700'000'000'000'000};
  std::unique_ptr<TestQueue> store_;
};

TEST_F(QueueFaultTest, WhatCantBeReadForNowStaysQueued) {
  const absl::StatusOr<std::string> enqueued = store_->Enqueue("text", {kBob});
  ASSERT_TRUE(enqueued.ok()) << enqueued.status();
  const std::string& id = *enqueued;
  ASSERT_THAT(Ids(*store_), ElementsAre(id));
  const std::string state = folder_.Path("queue/" + id.substr(0, 2) + "/" + id + ".json");
  const auto hide = [&] {
    std::filesystem::rename(state, state + ".away");
    // It can be opened, but not read.
    std::filesystem::create_directory(state);
  };
  const auto restore = [&] {
    std::filesystem::remove(state);
    std::filesystem::rename(state + ".away", state);
  };
  hide();
  EXPECT_THAT(store_->Lease(1, absl::Seconds(60)), IsEmpty());
  EXPECT_THAT(Ids(*store_), ElementsAre(id));
  EXPECT_TRUE(absl::IsUnavailable(store_->queue.Hold({}).status()));
  restore();
  Advance(absl::Seconds(60));
  const auto leased = store_->Lease(1, absl::Hours(1));
  ASSERT_THAT(leased, SizeIs(1));

  // One that opens the queue meanwhile finds it, and its lease, later.
  hide();
  const auto other = NewStore();
  EXPECT_THAT(Ids(*other), ElementsAre(id));
  const auto none = other->queue.Lease({"test", 1, absl::Seconds(60), {}});
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(none->messages, IsEmpty());
  EXPECT_LE(absl::ToUnixMicros(none->next), now_ + 60'000'000);
  restore();
  Advance(absl::Seconds(60));
  EXPECT_THAT(other->Lease(), IsEmpty());
  EXPECT_TRUE(other->queue.Renew(id, leased[0].second, absl::Seconds(60)).ok());
  Advance(absl::Seconds(60));
  EXPECT_THAT(other->Lease(), SizeIs(1));
}

// Calls a function whenever a folder is to be synced.
class HookedEnv : public FailingEnv {
 public:
  absl::Status SyncDirectory(const std::string& path) override {
    if (hook) hook();
    return FailingEnv::SyncDirectory(path);
  }
  std::function<void()> hook;
};

TEST_F(QueueFaultTest, NobodyLeasesWhatIsNotOnDiskYet) {
  HookedEnv env;
  TestQueue store(&env, folder_.path(), [this] { return absl::FromUnixMicros(now_); });
  ASSERT_TRUE(store.queue.IncomingDirectory().ok());
  int seen = 0;
  env.hook = [&] {
    // It is read anew, and changed.
    seen += static_cast<int>(store.queue.Retry({}).value_or(0));
    EXPECT_THAT(store.Lease(), IsEmpty());
  };
  ASSERT_TRUE(store.Enqueue("text", {kBob}).ok());
  EXPECT_GE(seen, 1);
  env.hook = nullptr;
  EXPECT_THAT(store.Lease(), SizeIs(1));
}

TEST_F(QueueFaultTest, ALogThatCantBeOpenedIsNotWrittenTo) {
  QueueLog log(&env_, folder_.path());
  ASSERT_TRUE(log.Open().ok());
  ASSERT_TRUE(log.Append("files 0123456789abcdef0123\n").ok());
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_FALSE(log.Replace("").ok());
  EXPECT_FALSE(log.is_open());
  EXPECT_TRUE(absl::IsUnavailable(log.Append("files 0123456789abcdef0123\n")));
  const auto changes = log.Open();
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_THAT(*changes, IsEmpty());
  EXPECT_TRUE(log.Append("files 0123456789abcdef0123\n").ok());
}

}  // namespace
}  // namespace rmail::engine
