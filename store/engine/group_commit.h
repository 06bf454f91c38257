// Puts what callers wrote on disk. Callers that want the same thing there share the sync: while one
// round of it runs, the next callers gather, and one of them syncs for all.
//
// An error reaches everyone whose data it may be about: the callers of the round that failed, and
// those who gathered meanwhile, for the kernel tells of lost data once and then takes it as
// written. Nothing is tried again.
#ifndef RMAIL_STORE_ENGINE_GROUP_COMMIT_H_
#define RMAIL_STORE_ENGINE_GROUP_COMMIT_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/log_file.h"

namespace rmail::engine {

enum class SyncMode {
  // Each file and folder by itself. Different ones are synced at the same time, by the callers'
  // threads: the file system's journal merges them.
  kFsync,
  // The whole file system, once for all who wait; also what other programs wrote to it. After a
  // failure, which tells nothing about whose data is lost, the mode is kFsync.
  kSyncFs,
};

// One for each engine. Thread-safe.
class GroupCommit {
 public:
  // `root`: a folder of the file system that everything is on. `env` outlives it.
  GroupCommit(Env* env, std::string root, SyncMode mode);

  // When it returns OK, logs and directories are on disk as they were at the call. Every one is
  // tried; the first error is returned.
  absl::Status Sync(const std::vector<std::shared_ptr<LogFile>>& logs,
                    const std::vector<std::string>& directories);

  // The same for a file that no one else has open.
  absl::Status SyncFile(File& file);

  // How many callers wait for someone else's round.
  size_t waiting() const { return waiting_; }

 private:
  struct Round {
    bool done = false;
    absl::Status result;
  };
  struct Target {
    CondVar changed;
    bool running = false;
    // Gathers callers; null when nobody waits.
    std::shared_ptr<Round> next;
  };
  // A log, or a directory's name; neither: the file system.
  using Key = std::pair<const LogFile*, std::string>;

  // Leads or joins the next round of `key`. `sync` is called without a lock.
  absl::Status Share(const Key& key, const std::function<absl::Status()>& sync);
  absl::Status SyncFileSystem();

  Env* const env_;
  const std::string root_;
  std::atomic<SyncMode> mode_;
  std::atomic<size_t> waiting_ = 0;

  Mutex mutex_;
  // Those that someone syncs or waits for.
  absl::flat_hash_map<Key, std::shared_ptr<Target>> targets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_GROUP_COMMIT_H_
