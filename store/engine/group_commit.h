// Concurrent callers that want something on disk share the syncs: while one round runs, the next
// callers gather, and one of them syncs for all.
#ifndef RMAIL_STORE_ENGINE_GROUP_COMMIT_H_
#define RMAIL_STORE_ENGINE_GROUP_COMMIT_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/log_file.h"

namespace rmail::engine {

// Thread-safe.
class GroupCommit {
 public:
  explicit GroupCommit(Env* env) : env_(env) {}

  // When it returns OK, the log and the directory are on disk as they were at the call.
  absl::Status Sync(std::shared_ptr<LogFile> log, const std::string& directory);

 private:
  struct Round {
    std::set<std::shared_ptr<LogFile>> logs;
    std::set<std::string> directories;
    bool done = false;
    absl::Status result;
  };

  absl::Status Run(const Round& round);

  Env* const env_;
  Mutex mutex_;
  CondVar changed_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  // Gathers callers; null when nobody waits.
  std::shared_ptr<Round> next_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_GROUP_COMMIT_H_
