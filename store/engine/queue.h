// The queue: messages that wait for other servers, below mail_root/queue (FORMAT.md). Any number of
// stores may share it.
//
// What is never done with the lock of the queue's files held: waiting for a disk to sync, reading
// or writing a message's bytes.
#ifndef RMAIL_STORE_ENGINE_QUEUE_H_
#define RMAIL_STORE_ENGINE_QUEUE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rmail/store/v1/queue.pb.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/group_commit.h"
#include "store/engine/queue_index.h"
#include "store/engine/queue_log.h"

namespace rmail::engine {

struct QueueOptions {
  Env* env = Env::Posix();
  // mail_root/queue; made when the first message comes.
  std::string directory;
  // Outlives the queue.
  GroupCommit* commits = nullptr;
  // What time it is.
  std::function<absl::Time()> now;
};

// What the index has to know of a message, whose state has so many octets.
QueueSummary Summarize(const store::v1::QueuedMessage& message, size_t state_size);

// Thread-safe. Messages are named by their ids (queue_file.h). Errors of calls for one message:
// QUEUED_MESSAGE_NOT_FOUND, and LEASE_LOST where a lease is needed.
class Queue {
 public:
  // Nothing is read before it is needed.
  explicit Queue(QueueOptions options);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  absl::Time now() const { return options_.now(); }

  // Called when a message may be due that was not, by what this object did, from any thread. It
  // must not call the queue. Null: nobody listens; when SetListener returns, the one before is not
  // being called.
  void SetListener(std::function<void()> listener);

  // Where a message's file is written before it is queued.
  absl::StatusOr<std::string> IncomingDirectory();
  // QUEUE_FULL when there are `max` messages; 0: no limit.
  absl::Status CheckRoom(uint64_t max);
  // Queues a message, whose file has been synced; it gets another name, the old one may go. On disk
  // when it returns its id. INVALID_REQUEST (see CheckEnvelope), QUEUE_FULL.
  absl::StatusOr<std::string> Enqueue(const std::string& path, uint64_t size,
                                      const store::v1::QueueEnvelope& envelope, uint64_t max);

  struct LeaseOptions {
    std::string holder;
    size_t max_messages = 1;
    absl::Duration length;
    // Messages that are only due for these are left out.
    absl::flat_hash_set<std::string> except_domains;
  };
  struct Leased {
    std::vector<store::v1::QueuedMessage> messages;
    // What proves the lease of each.
    std::vector<std::string> keys;
    // When there are none: when the next will be due; InfiniteFuture.
    absl::Time next;
  };
  // Takes what is due, about 1 MiB of envelopes at most. Does not wait.
  absl::StatusOr<Leased> Lease(const LeaseOptions& options);
  absl::Status Renew(std::string_view id, std::string_view key, absl::Duration length);
  // Gives a lease back that nothing was done with.
  absl::Status Release(std::string_view id, std::string_view key);
  // True: nobody is left to be sent to, and the message is gone. INVALID_REQUEST. A lease that ran
  // out is as good as before unless somebody else has got one since.
  absl::StatusOr<bool> Report(const store::v1::ReportDeliveryRequest& request, std::string_view id);

  absl::StatusOr<store::v1::QueuedMessage> Get(std::string_view id);
  // Its bytes.
  absl::StatusOr<std::unique_ptr<File>> Open(std::string_view id);

  // Ids of messages that may fit a filter, the oldest first.
  absl::StatusOr<std::vector<std::string>> Candidates(const store::v1::QueueFilter& filter);
  // Whether one of them does.
  static bool Fits(const store::v1::QueuedMessage& message, const store::v1::QueueFilter& filter);

  // These answer how many messages it was done to.
  absl::StatusOr<uint64_t> Retry(const store::v1::QueueFilter& filter);
  absl::StatusOr<uint64_t> Hold(const store::v1::QueueFilter& filter);
  absl::StatusOr<uint64_t> Delete(const store::v1::QueueFilter& filter);

 private:
  // What a change of a message's state is to lead to.
  enum class Outcome { kUnchanged, kReplace, kRemove };
  using Change = std::function<absl::StatusOr<Outcome>(store::v1::QueuedMessage*)>;
  // What a message's file says, and how long it is.
  struct State {
    store::v1::QueuedMessage message;
    size_t size = 0;
  };

  std::string ShardDirectory(std::string_view id) const;
  // "{id}.json", "{id}.queued.json" and "{id}.eml".
  std::string StatePath(std::string_view id) const;
  std::string FirstStatePath(std::string_view id) const;
  std::string MessagePath(std::string_view id) const;
  int64_t NowMicros() const { return absl::ToUnixMicros(options_.now()); }
  void Notify();
  // A folder of the queue is there, and on disk.
  absl::Status MakeFolder(const std::string& name);

  // Takes the lock of the queue's files, and reads what others did.
  absl::StatusOr<FileLock> Acquire() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same; before that, the whole queue is read, if that has not been done.
  absl::StatusOr<FileLock> AcquireLoaded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CatchUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const std::vector<QueueChange>& changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Without the lock of the files. What must be looked at again with it becomes doubtful.
  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadShard(const std::string& directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // It is looked at when AcquireLoaded is called next, or after `wait`.
  void Doubt(std::string_view id, absl::Duration wait = absl::ZeroDuration())
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MustLook() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !doubtful_.empty() && NowMicros() >= look_at_;
  }
  // What was put there by hand, and may fit the filter, is seen by the next AcquireLoaded.
  void Discover(const store::v1::QueueFilter& filter);
  bool LogIsLong() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ShortenLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::StatusOr<State> ReadState(std::string_view id);
  void SetSummary(std::string_view id, const State& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Where the state is read, the index follows; also when the message is gone, or damaged. What
  // can't be read for now stays, and is doubtful.
  absl::Status Refresh(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sees to a message that something is wrong with: what can't be sent is set aside. The second one
  // takes the locks.
  void LookAt(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAgain(std::string_view id);
  // Takes the state that the message was queued with in place of one that is damaged.
  absl::Status Restore(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetAside(std::string_view id, std::string_view why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A file beside the state's, which is then renamed to it.
  absl::StatusOr<std::string> WriteTemporary(std::string_view id, std::string_view text, bool sync);
  absl::Status Publish(std::string_view id, const std::string& temporary,
                       const QueueSummary& summary, uint64_t max);
  void TakeBack(std::string_view id);

  // The rest is called with the lock of the files held.
  absl::Status LogFiles(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LogLease(std::string_view id, std::optional<QueueLease> lease)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckLease(std::string_view id, std::string_view key) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RemoveFiles(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Without a line in the log, and so without that lock, too.
  absl::Status Unlink(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Outcome> ChangeState(std::string_view id, const Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // These take it.
  absl::StatusOr<uint64_t> ChangeAll(const store::v1::QueueFilter& filter, const Change& change);

  const QueueOptions options_;
  Env* const env_;

  Mutex listener_mutex_;
  std::function<void()> listener_ ABSL_GUARDED_BY(listener_mutex_);

  Mutex folders_mutex_;
  // What is in the queue's folder, on disk; empty: not known.
  absl::flat_hash_set<std::string> folders_ ABSL_GUARDED_BY(folders_mutex_);

  // Before the lock of the files; no other of these is held then.
  Mutex mutex_;
  std::unique_ptr<File> lock_file_ ABSL_GUARDED_BY(mutex_);
  QueueLog log_ ABSL_GUARDED_BY(mutex_);
  // The log's length after it was last made short.
  uint64_t short_log_ ABSL_GUARDED_BY(mutex_) = 0;
  bool loaded_ ABSL_GUARDED_BY(mutex_) = false;
  QueueIndex index_ ABSL_GUARDED_BY(mutex_);
  // Messages that something may be wrong with, and when they are looked at, in microseconds.
  absl::flat_hash_set<std::string> doubtful_ ABSL_GUARDED_BY(mutex_);
  int64_t look_at_ ABSL_GUARDED_BY(mutex_) = 0;
  // What this process is queueing and is not on disk yet: hidden in the index.
  absl::flat_hash_set<std::string> queueing_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_QUEUE_H_
