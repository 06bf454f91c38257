// One mailbox on disk: its message files, its log and the index in memory.
//
// Locks, in this order: `mutex_` (threads of this process), then the lock file (other processes of
// the same mail_root). Whoever holds both has read the whole log and may append to it. Nothing is
// synced and no callback runs while either is held: an append is made durable after both are
// released, together with others that wait for the same (GroupCommit).
//
// The order of a change is: log record, then file names. So whatever stands in the log holds, and a
// process that dies in between leaves names that lag behind by that change: they are put right by
// whoever meets them (FORMAT.md).
#ifndef RMAIL_STORE_ENGINE_MAILBOX_H_
#define RMAIL_STORE_ENGINE_MAILBOX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/group_commit.h"
#include "store/engine/index.h"
#include "store/engine/log_file.h"

namespace rmail::engine {

enum class FlagOperation { kAdd, kRemove, kReplace };

// Thread-safe. Errors: CORRUPT_MAILBOX, STORE_UNAVAILABLE (the file system refuses),
// MAILBOX_NOT_FOUND (deleted meanwhile).
class Mailbox {
 public:
  // `on_change` is called with the highest modseq after each change that this object makes or
  // learns of; no lock is held.
  Mailbox(Env* env, std::string directory, std::function<void(uint64_t)> on_change);

  const std::string& directory() const { return directory_; }
  // The folder for messages that come in; on the same file system as the shards. Made when it is
  // missing.
  absl::StatusOr<std::string> IncomingDirectory();

  struct AppendedMessage {
    uint32_t uid = 0;
    uint64_t modseq = 0;
  };
  // Adds a message whose complete, synced file is at `path`: by link, so that `path` stays. Durable
  // when it returns. `info.uid` is ignored.
  absl::StatusOr<AppendedMessage> Append(const std::string& path, MessageInfo info);

  absl::StatusOr<IndexCounts> Counts();

  struct Changes {
    IndexCounts counts;
    // What the caller knows is too old: `changed` is everything, `expunged` is empty.
    bool reset = false;
    std::vector<MessageRow> changed;
    std::vector<uint32_t> expunged;
  };
  // What changed after a modseq; 0 for everything.
  absl::StatusOr<Changes> ChangesSince(uint64_t modseq);

  absl::StatusOr<std::vector<MessageRow>> Rows(const std::vector<UidSpan>& spans);

  struct FlagUpdate {
    std::vector<UidSpan> spans;
    FlagOperation operation = FlagOperation::kAdd;
    uint64_t flags = 0;
    std::optional<uint64_t> unchanged_since;
  };
  struct FlagResult {
    // The messages named, as they are now.
    std::vector<MessageRow> messages;
    // Left alone because of `unchanged_since`.
    std::vector<uint32_t> conflicts;
  };
  // Written, not synced: a crash of the machine may lose the last changes, never a message.
  absl::StatusOr<FlagResult> UpdateFlags(const FlagUpdate& update);

  struct ExpungeResult {
    std::vector<uint32_t> uids;
    uint64_t highest_modseq = 0;
  };
  // Removes messages with \Deleted within the spans.
  absl::StatusOr<ExpungeResult> Expunge(const std::vector<UidSpan>& spans);

  // The message's file, to read. NOT_FOUND when it was expunged meanwhile.
  absl::StatusOr<std::unique_ptr<File>> OpenMessage(const MessageInfo& info);

  struct CheckResult {
    uint64_t indexed = 0;
    uint64_t files = 0;
    std::vector<std::string> problems;
  };
  // Compares index and files; at most `max_problems` are told.
  absl::StatusOr<CheckResult> Check(size_t max_problems);

  // Makes the index anew from the names. Returns how many messages there are.
  absl::StatusOr<uint64_t> Rebuild();

 private:
  // Makes the index current without the lock file: enough to read.
  absl::Status Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the lock file and makes the index current: needed to write.
  absl::StatusOr<FileLock> LockAndRefresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The rest of this section is called with the lock file held.
  absl::Status MakeCurrent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CatchUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReadLog(LogFile::Tail* tail) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `uid_gap`: how many UIDs to leave out, in case some were given that nothing tells of any more.
  absl::Status RebuildLocked(std::string_view why, uint32_t uid_gap)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status NoteBoot() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MendLastShard() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MendNames(const std::vector<MessageInfo>& files, uint32_t first_uid)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendRecord(LogRecord* record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendExpunged(const std::vector<uint32_t>& uids)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status EnsureShard(uint32_t uid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MoveName(const MessageInfo& from, const MessageInfo& to);

  void RemoveLeftovers() const;
  // Ascending by UID.
  absl::StatusOr<std::vector<MessageInfo>> ListShard(const std::string& shard) const;
  absl::StatusOr<std::vector<MessageInfo>> ListFiles(uint32_t first_shard) const;
  std::vector<LogRecord> AppendedRecords(const std::vector<MessageInfo>& files) const;
  std::optional<MessageInfo> FindFile(uint32_t uid) const;
  std::string PathOf(const MessageInfo& info) const;
  // Calls on_change_ when the index has moved on since the last call.
  void Announce() ABSL_LOCKS_EXCLUDED(mutex_);

  Env* const env_;
  const std::string directory_;
  const std::function<void(uint64_t)> on_change_;

  Mutex mutex_;
  std::unique_ptr<File> lock_file_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<LogFile> log_ ABSL_GUARDED_BY(mutex_);
  Index index_ ABSL_GUARDED_BY(mutex_);
  uint64_t announced_modseq_ ABSL_GUARDED_BY(mutex_) = 0;
  // The shard whose folder is known to be there.
  uint32_t made_shard_ ABSL_GUARDED_BY(mutex_) = UINT32_MAX;

  GroupCommit commits_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_H_
