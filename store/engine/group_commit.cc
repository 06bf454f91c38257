#include "store/engine/group_commit.h"

#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::engine {

GroupCommit::GroupCommit(Env* env, std::string root, SyncMode mode)
    : env_(env), root_(std::move(root)), mode_(mode) {
  // Errors are told from the first call on, so that comes before anything is written.
  if (mode == SyncMode::kSyncFs) (void)SyncFileSystem();
}

absl::Status GroupCommit::Sync(const std::vector<std::shared_ptr<LogFile>>& logs,
                               const std::vector<std::string>& directories) {
  if (mode_ == SyncMode::kSyncFs) return SyncFileSystem();
  absl::Status result;
  for (const std::shared_ptr<LogFile>& log : logs) {
    result.Update(Share({log.get(), ""}, [&] { return log->Sync(); }));
  }
  for (const std::string& directory : directories) {
    result.Update(Share({nullptr, directory}, [&] { return env_->SyncDirectory(directory); }));
  }
  return result;
}

absl::Status GroupCommit::SyncFile(File& file) {
  return mode_ == SyncMode::kSyncFs ? SyncFileSystem() : file.Sync();
}

absl::Status GroupCommit::SyncFileSystem() {
  return Share({nullptr, ""}, [&] {
    absl::Status result = env_->SyncFileSystem(root_);
    if (!result.ok() && mode_.exchange(SyncMode::kFsync) == SyncMode::kSyncFs) {
      LogError("{}; from now on each file is synced by itself", FromAbsl(result.message()));
    }
    return result;
  });
}

absl::Status GroupCommit::Share(const Key& key, const std::function<absl::Status()>& sync) {
  std::shared_ptr<Target> target;
  std::shared_ptr<Round> round;
  {
    MutexLock lock(&mutex_);
    std::shared_ptr<Target>& known = targets_[key];
    if (known == nullptr) known = std::make_shared<Target>();
    target = known;
    if (target->next == nullptr) target->next = std::make_shared<Round>();
    round = target->next;
    while (!round->done && target->running) {
      ++waiting_;
      target->changed.Wait(&mutex_);
      --waiting_;
    }
    if (round->done) return round->result;
    // The first to see that no round runs leads the one that it is in.
    target->running = true;
    target->next = nullptr;
  }
  const absl::Status result = sync();
  MutexLock lock(&mutex_);
  round->done = true;
  round->result = result;
  target->running = false;
  if (!result.ok() && target->next != nullptr) {
    // They wrote before this failed: what was lost may be theirs.
    target->next->done = true;
    target->next->result = result;
    target->next = nullptr;
  }
  if (target->next == nullptr) targets_.erase(key);
  target->changed.SignalAll();
  return result;
}

}  // namespace rmail::engine
