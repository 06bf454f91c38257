#include "store/engine/group_commit.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "store/base/mutex.h"
#include "store/engine/failing_env.h"
#include "store/engine/log.pb.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

// Counts syncs of directories and of the file system, and holds them while its gate is closed.
class GatedEnv : public FailingEnv {
 public:
  absl::Status SyncDirectory(const std::string& path) override {
    Enter(path);
    return FailingEnv::SyncDirectory(path);
  }
  absl::Status SyncFileSystem(const std::string& path) override {
    Enter("all");
    return FailingEnv::SyncFileSystem(path);
  }

  int Count(const std::string& path) {
    MutexLock lock(&mutex_);
    return counts_[path];
  }
  void WaitForCount(const std::string& path, int count) {
    MutexLock lock(&mutex_);
    while (counts_[path] < count) changed_.Wait(&mutex_);
  }
  void SetGate(bool open) {
    MutexLock lock(&mutex_);
    open_ = open;
    changed_.SignalAll();
  }

 private:
  void Enter(const std::string& path) {
    MutexLock lock(&mutex_);
    ++counts_[path];
    changed_.SignalAll();
    while (!open_) changed_.Wait(&mutex_);
  }

  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  std::map<std::string, int> counts_ ABSL_GUARDED_BY(mutex_);
};

class GroupCommitTest : public ::testing::TestWithParam<SyncMode> {
 protected:
  GroupCommitTest() : commits_(&env_, folder_.path(), GetParam()), first_(env_.Count("all")) {
    for (const char* const name : {"a", "b"}) {
      EXPECT_TRUE(env_.CreateDirectories(folder_.Path(name)).ok());
    }
  }

  std::string Directory(const char* name) const { return folder_.Path(name); }
  // Syncs that were made for what names that directory.
  int Syncs(const char* name) {
    return GetParam() == SyncMode::kFsync ? env_.Count(Directory(name))
                                          : env_.Count("all") - first_;
  }

  // Callers of Sync, each in a thread.
  class Callers {
   public:
    explicit Callers(GroupCommit* commits) : commits_(commits) {}
    void Start(int count, std::vector<std::string> directories) {
      for (int i = 0; i < count; ++i) {
        results_.emplace_back();
        threads_.emplace_back([this, directories, result = results_.size() - 1] {
          const absl::Status status = commits_->Sync({}, directories);
          MutexLock lock(&mutex_);
          results_[result] = status;
        });
      }
    }
    std::vector<absl::StatusCode> Join() {
      for (std::thread& thread : threads_) thread.join();
      std::vector<absl::StatusCode> codes;
      for (const absl::Status& result : results_) codes.push_back(result.code());
      return codes;
    }

   private:
    GroupCommit* const commits_;
    Mutex mutex_;
    std::vector<absl::Status> results_ = std::vector<absl::Status>();
    std::vector<std::thread> threads_;
  };

  // Starts one caller, whose sync then stands still, and more that wait for it to end.
  void StartHeld(Callers& callers, int waiting) {
    env_.SetGate(false);
    callers.Start(1, {Directory("a")});
    if (GetParam() == SyncMode::kFsync) {
      env_.WaitForCount(Directory("a"), 1);
    } else {
      env_.WaitForCount("all", first_ + 1);
    }
    callers.Start(waiting, {Directory("a")});
    while (commits_.waiting() != static_cast<size_t>(waiting)) std::this_thread::yield();
  }

  TestFolder folder_;
  GatedEnv env_;
  GroupCommit commits_;
  // Syncs of the file system that its construction made.
  const int first_;
};

TEST_P(GroupCommitTest, CallersWhoGatherShareOneSync) {
  Callers callers(&commits_);
  StartHeld(callers, 8);
  EXPECT_EQ(Syncs("a"), 1);
  env_.SetGate(true);
  EXPECT_EQ(callers.Join(), std::vector<absl::StatusCode>(9, absl::StatusCode::kOk));
  EXPECT_EQ(Syncs("a"), 2);
  // Later ones do not: what they wrote is not on disk yet.
  EXPECT_TRUE(commits_.Sync({}, {Directory("a")}).ok());
  EXPECT_EQ(Syncs("a"), 3);
}

TEST_P(GroupCommitTest, AFailureReachesAllWhoGatheredAndIsNotTriedAgain) {
  Callers callers(&commits_);
  StartHeld(callers, 8);
  env_.FailNext(FailingEnv::kSync);
  env_.SetGate(true);
  EXPECT_EQ(callers.Join(), std::vector<absl::StatusCode>(9, absl::StatusCode::kUnavailable));
  EXPECT_EQ(Syncs("a"), 1);
  // The next one has written since.
  EXPECT_TRUE(commits_.Sync({}, {Directory("a")}).ok());
}

INSTANTIATE_TEST_SUITE_P(Modes, GroupCommitTest,
                         ::testing::Values(SyncMode::kFsync, SyncMode::kSyncFs));

class FsyncTest : public ::testing::Test {
 protected:
  FsyncTest() : commits_(&env_, folder_.path(), SyncMode::kFsync) {}

  TestFolder folder_;
  GatedEnv env_;
  GroupCommit commits_;
};

TEST_F(FsyncTest, DifferentDirectoriesDoNotWaitForEachOther) {
  for (const char* const name : {"a", "b"}) {
    ASSERT_TRUE(env_.CreateDirectories(folder_.Path(name)).ok());
  }
  env_.SetGate(false);
  std::vector<std::thread> threads;
  for (const char* const name : {"a", "b"}) {
    threads.emplace_back(
        [this, name] { EXPECT_TRUE(commits_.Sync({}, {folder_.Path(name)}).ok()); });
  }
  // Both are under way at the same time.
  for (const char* const name : {"a", "b"}) env_.WaitForCount(folder_.Path(name), 1);
  env_.SetGate(true);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(FsyncTest, OneFailureIsToldAndTheRestIsSyncedAllTheSame) {
  for (const char* const name : {"a", "b"}) {
    ASSERT_TRUE(env_.CreateDirectories(folder_.Path(name)).ok());
  }
  env_.FailNext(FailingEnv::kSync);
  EXPECT_FALSE(commits_.Sync({}, {folder_.Path("a"), folder_.Path("b")}).ok());
  EXPECT_EQ(env_.Count(folder_.Path("b")), 1);
  // A folder that went with its mailbox is its callers' error, nobody else's.
  EXPECT_TRUE(absl::IsNotFound(commits_.Sync({}, {folder_.Path("gone")})));
  EXPECT_TRUE(commits_.Sync({}, {folder_.Path("a")}).ok());
}

TEST_F(FsyncTest, LogsAndFilesAreSynced) {
  ASSERT_TRUE(LogFile::Create(&env_, folder_.Path("log"), LogHeader(), "").ok());
  auto opened = LogFile::Open(&env_, folder_.Path("log"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::shared_ptr<LogFile> log = *std::move(opened);
  EXPECT_TRUE(commits_.Sync({log}, {folder_.path()}).ok());
  env_.FailNext(FailingEnv::kSync);
  EXPECT_TRUE(absl::IsUnavailable(commits_.Sync({log}, {folder_.path()})));
  EXPECT_EQ(env_.Count(folder_.path()), 3);  // LogFile::Create made one

  auto file = env_.Open(folder_.Path("message"), Env::OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(commits_.SyncFile(**file).ok());
  env_.FailNext(FailingEnv::kSync);
  EXPECT_TRUE(absl::IsUnavailable(commits_.SyncFile(**file)));
}

TEST(SyncFsTest, OneSyncForFilesAndDirectories) {
  TestFolder folder;
  GatedEnv env;
  GroupCommit commits(&env, folder.path(), SyncMode::kSyncFs);
  const int before = env.Count("all");
  EXPECT_TRUE(commits.Sync({}, {folder.Path("a"), folder.Path("b")}).ok());
  EXPECT_EQ(env.Count("all"), before + 1);
  auto file = env.Open(folder.Path("message"), Env::OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(commits.SyncFile(**file).ok());
  EXPECT_EQ(env.Count("all"), before + 2);
}

TEST(SyncFsTest, AfterAFailureEachFileAnswersForItself) {
  TestFolder folder;
  GatedEnv env;
  GroupCommit commits(&env, folder.path(), SyncMode::kSyncFs);
  env.FailNext(FailingEnv::kSync);
  EXPECT_TRUE(absl::IsUnavailable(commits.Sync({}, {folder.path()})));
  const int before = env.Count("all");
  EXPECT_TRUE(commits.Sync({}, {folder.path()}).ok());
  EXPECT_EQ(env.Count("all"), before);
  EXPECT_EQ(env.Count(folder.path()), 1);
}

// Threads that come and go on a few directories; the sanitizers watch.
TEST(GroupCommitStressTest, ManyCallers) {
  for (const SyncMode mode : {SyncMode::kFsync, SyncMode::kSyncFs}) {
    TestFolder folder;
    GatedEnv env;
    GroupCommit commits(&env, folder.path(), mode);
    constexpr int kThreads = 16;
    constexpr int kCalls = 20;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, directory = folder.Path(std::to_string(i % 3))] {
        EXPECT_TRUE(env.CreateDirectories(directory).ok());
        for (int call = 0; call < kCalls; ++call) {
          EXPECT_TRUE(commits.Sync({}, {directory, folder.path()}).ok());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(commits.waiting(), 0u);
    EXPECT_LE(env.Count(folder.path()), kThreads * kCalls);
  }
}

}  // namespace
}  // namespace rmail::engine
