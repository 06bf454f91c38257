#include "store/engine/group_commit.h"

#include <utility>

namespace rmail::engine {

absl::Status GroupCommit::Sync(std::shared_ptr<LogFile> log, const std::string& directory) {
  std::shared_ptr<Round> round;
  {
    MutexLock lock(&mutex_);
    if (next_ == nullptr) next_ = std::make_shared<Round>();
    round = next_;
    round->logs.insert(std::move(log));
    round->directories.insert(directory);
    while (running_ && !round->done) changed_.Wait(&mutex_);
    if (round->done) return round->result;
    // The first to see that no round runs leads the one that it is in.
    running_ = true;
    next_ = nullptr;
  }
  const absl::Status result = Run(*round);
  MutexLock lock(&mutex_);
  round->done = true;
  round->result = result;
  running_ = false;
  changed_.SignalAll();
  return result;
}

absl::Status GroupCommit::Run(const Round& round) {
  // All are tried: a failure of one must not leave another caller's half unsynced and called
  // durable.
  absl::Status result;
  for (const std::shared_ptr<LogFile>& log : round.logs) result.Update(log->Sync());
  for (const std::string& directory : round.directories) {
    result.Update(env_->SyncDirectory(directory));
  }
  return result;
}

}  // namespace rmail::engine
