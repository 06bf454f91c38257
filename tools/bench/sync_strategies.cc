#include "tools/bench/sync_strategies.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "store/base/mutex.h"
#include "store/base/status.h"
#include "store/engine/group_commit.h"

namespace rmail::bench {
namespace {

using engine::GroupCommit;
using engine::SyncMode;

using Task = std::function<absl::Status()>;

// Threads that work through a list together with the caller.
class Workers {
 public:
  explicit Workers(int count) {
    // The caller is one of them.
    for (int i = 1; i < count; ++i) threads_.emplace_back([this] { Loop(); });
  }
  ~Workers() {
    {
      MutexLock lock(&mutex_);
      stopping_ = true;
      changed_.SignalAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  // One call at a time.
  absl::Status RunAll(std::vector<Task> tasks) {
    MutexLock lock(&mutex_);
    tasks_ = std::move(tasks);
    unfinished_ = tasks_.size();
    result_ = absl::OkStatus();
    changed_.SignalAll();
    while (RunOne()) {
    }
    while (unfinished_ > 0) done_.Wait(&mutex_);
    return result_;
  }

 private:
  bool RunOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (tasks_.empty()) return false;
    const Task task = std::move(tasks_.back());
    tasks_.pop_back();
    mutex_.Unlock();
    const absl::Status status = task();
    mutex_.Lock();
    result_.Update(status);
    if (--unfinished_ == 0) done_.SignalAll();
    return true;
  }

  void Loop() {
    MutexLock lock(&mutex_);
    while (!stopping_) {
      if (!RunOne()) changed_.Wait(&mutex_);
    }
  }

  Mutex mutex_;
  CondVar changed_;
  CondVar done_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  size_t unfinished_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status result_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

// Rounds as of a group commit for everything: while one runs, the next callers gather, and one of
// them leads. Its syncs are made by some threads.
class Rounds {
 public:
  Rounds(Env* env, int threads) : env_(env), workers_(threads) {}

  absl::Status Sync(File& file, const std::string& directory) {
    std::shared_ptr<Round> round;
    {
      MutexLock lock(&mutex_);
      if (next_ == nullptr) next_ = std::make_shared<Round>();
      round = next_;
      round->tasks.emplace_back([&file] { return file.Sync(); });
      if (!directory.empty()) {
        round->tasks.emplace_back([this, directory] { return env_->SyncDirectory(directory); });
      }
      while (running_ && !round->done) changed_.Wait(&mutex_);
      if (round->done) return round->result;
      running_ = true;
      next_ = nullptr;
    }
    const absl::Status result = workers_.RunAll(std::move(round->tasks));
    MutexLock lock(&mutex_);
    round->done = true;
    round->result = result;
    running_ = false;
    changed_.SignalAll();
    return result;
  }

 private:
  struct Round {
    std::vector<Task> tasks;
    bool done = false;
    absl::Status result;
  };

  Env* const env_;
  Workers workers_;
  Mutex mutex_;
  CondVar changed_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Round> next_ ABSL_GUARDED_BY(mutex_);
};

SyncFunction InRounds(Env* env, int threads) {
  auto rounds = std::make_shared<Rounds>(env, threads);
  return
      [rounds](File& file, const std::string& directory) { return rounds->Sync(file, directory); };
}

SyncFunction AsTheStoreDoes(Env* env, const std::string& root, SyncMode mode) {
  auto commits = std::make_shared<GroupCommit>(env, root, mode);
  return [commits, mode](File& file, const std::string& directory) {
    absl::Status result = commits->SyncFile(file);
    // With syncfs the directory went with the file.
    if (mode == SyncMode::kFsync && !directory.empty()) {
      result.Update(commits->Sync({}, {directory}));
    }
    return result;
  };
}

}  // namespace

std::vector<Strategy> AllStrategies(Env* env, const std::string& root) {
  return {
      {"fsync, each caller its own", true, AsTheStoreDoes(env, root, SyncMode::kFsync)},
      {"fsync, rounds of one thread", false, InRounds(env, 1)},
      {"fsync, rounds of 4 threads", false, InRounds(env, 4)},
      {"fsync, rounds of 16 threads", false, InRounds(env, 16)},
      {"syncfs, one a round", true, AsTheStoreDoes(env, root, SyncMode::kSyncFs)},
  };
}

}  // namespace rmail::bench
