// One mailbox on disk: its message files, its log and the index in memory.
//
// Locks, in this order: `mutex_` (threads of this process), the lock file (other processes of the
// same mail_root), the account's Usage. Two mailboxes are locked in the order of their folders'
// names. Whoever holds the first two has read the whole log and may append to it. Messages are not
// synced and on_change does not run while either is held: an append is made durable after both are
// released, together with others that wait for the same (GroupCommit). But for messages that belong
// together, and one that replaces another: they are synced before anything else can be done.
// (Progress and `translate` run under the locks: they must not block.)
//
// The order of a change is: log record, then files, then the next record. So whatever stands in the
// log holds, and only what the last record says can be undone on the files, by a process that died:
// whoever takes the lock and did not write that record itself sees to it (Settle; FORMAT.md).
#ifndef RMAIL_STORE_ENGINE_MAILBOX_H_
#define RMAIL_STORE_ENGINE_MAILBOX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/background.h"
#include "store/engine/group_commit.h"
#include "store/engine/index.h"
#include "store/engine/index_files.h"
#include "store/engine/lock_file.h"
#include "store/engine/log_file.h"
#include "store/engine/message_records.h"
#include "store/engine/record_files.h"
#include "store/engine/usage.h"

namespace rmail::engine {

enum class FlagOperation { kAdd, kRemove, kReplace };

// A change of what an account stores.
struct SizeChange {
  int64_t delta = 0;   // octets
  uint64_t quota = 0;  // what the account may store, in octets; 0: no limit
};

// What mailboxes share; all but `usage` outlive them.
struct MailboxContext {
  Env* env;
  GroupCommit* commits;
  // The account's; null: nothing is counted.
  std::shared_ptr<Usage> usage = nullptr;
  // Where checkpoints run; null: at the end of the call that makes one due.
  Background* background = nullptr;
};

// Thread-safe. Errors: CORRUPT_MAILBOX, STORE_UNAVAILABLE (the file system refuses),
// MAILBOX_NOT_FOUND (deleted meanwhile).
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  // `on_change` is called with the highest modseq after each change that this object makes or
  // learns of; no lock is held.
  Mailbox(MailboxContext context, std::string directory, std::function<void(uint64_t)> on_change);

  const std::string& directory() const { return directory_; }
  // The folder for messages that come in; on the same file system as the shards. Made when it is
  // missing.
  absl::StatusOr<std::string> IncomingDirectory();

  struct AppendedMessage {
    // Of several messages the first one's: the others' follow without a gap.
    uint32_t uid = 0;
    uint64_t modseq = 0;
    // The message replaced is gone, by this call.
    bool replaced = false;
  };
  struct AppendOptions {
    // What is kept beside the message; null: it is made when it is first asked for.
    const MessageRecords* records = nullptr;
    // What the account may store, in octets; 0: no limit.
    uint64_t quota = 0;
    // A message of this mailbox that goes once the new one is there; 0: none. What it takes is room
    // for the new one. That it is there no more is no error.
    uint32_t replaces = 0;
    // Room that is made elsewhere in the account for the new message, in octets.
    uint64_t freed = 0;
  };
  // Adds a message whose complete, synced file is at `path`: by link, so that `path` stays. Durable
  // when it returns. `info.uid` is ignored. OVER_QUOTA.
  absl::StatusOr<AppendedMessage> Append(const std::string& path, MessageInfo info,
                                         const AppendOptions& options);

  struct NewMessage {
    std::string path;
    MessageInfo info;
    const MessageRecords* records = nullptr;
  };
  static constexpr size_t kMaxAppended = 1000;
  // The same for up to so many messages: all of them or none (RFC 3502), whenever the process or
  // the machine ends. `options.records` is not looked at, and nothing can be replaced by several.
  absl::StatusOr<AppendedMessage> AppendAll(std::span<const NewMessage> messages,
                                            const AppendOptions& options);

  absl::StatusOr<IndexCounts> Counts();
  // Looks whether others changed the mailbox and announces it. Does nothing while the mailbox is
  // busy: whoever is at work announces. MAILBOX_NOT_FOUND.
  absl::Status Poll();

  struct Changes {
    IndexCounts counts;
    // What the caller knows is too old: `changed` is everything, `expunged` is empty.
    bool reset = false;
    RowCursor changed;
    std::vector<UidSpan> expunged;
  };
  // What changed after a modseq; 0 for everything.
  absl::StatusOr<Changes> ChangesSince(uint64_t modseq);

  // The messages within the spans (ascending, not overlapping), ascending.
  absl::StatusOr<std::vector<MessageRow>> Rows(const std::vector<UidSpan>& spans);
  // The same for many: nothing is copied. Only those whose modseq is above `changed_since`.
  absl::StatusOr<RowCursor> View(const std::vector<UidSpan>& spans, uint64_t changed_since = 0);

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
    // How many records it took, and the modseq of the last one.
    int records = 0;
    uint64_t modseq = 0;
  };
  // Written, not synced: a crash of the machine may lose the last changes, never a message.
  absl::StatusOr<FlagResult> UpdateFlags(const FlagUpdate& update);

  struct ExpungeResult {
    std::vector<uint32_t> uids;
    uint64_t highest_modseq = 0;
  };
  // Removes messages with \Deleted within the spans.
  absl::StatusOr<ExpungeResult> Expunge(const std::vector<UidSpan>& spans);
  // The same for all messages within the spans.
  absl::StatusOr<ExpungeResult> Remove(const std::vector<UidSpan>& spans);

  struct TransferOptions {
    // The flags that a message has in the target.
    std::function<uint64_t(uint64_t flags)> translate;
    // As in AppendOptions; a move within an account needs none.
    uint64_t quota = 0;
  };
  struct TransferResult {
    // The n-th of one became the n-th of the other; both ascend.
    std::vector<uint32_t> source_uids;
    std::vector<uint32_t> target_uids;
    uint64_t source_modseq = 0;
    uint64_t target_modseq = 0;
  };
  // Gives messages a second name in another mailbox of the account, or the same. All or none.
  // Durable when it returns. OVER_QUOTA.
  static absl::StatusOr<TransferResult> Copy(Mailbox& source, const std::vector<UidSpan>& spans,
                                             Mailbox& target, const TransferOptions& options);
  // Moves messages by rename. At each moment a message is in exactly one of the two.
  static absl::StatusOr<TransferResult> Move(Mailbox& source, const std::vector<UidSpan>& spans,
                                             Mailbox& target, const TransferOptions& options);

  // The message's file, to read. NOT_FOUND when it was expunged meanwhile.
  absl::StatusOr<std::unique_ptr<File>> OpenMessage(const MessageInfo& info);

  // Keeps what was made from messages that had no records, in ascending order. A failure is logged.
  void StoreRecords(std::span<const UidRecords> records);

  // Told how many of how many shards are done; false ends the work with CANCELLED.
  using Progress = std::function<bool(uint32_t done, uint32_t total)>;

  struct CheckResult {
    uint64_t indexed = 0;
    uint64_t files = 0;
    std::vector<std::string> problems;
  };
  // Compares index and files, shard by shard; at most `max_problems` are told.
  absl::StatusOr<CheckResult> Check(size_t max_problems, const Progress& progress = nullptr);

  struct ShardInfo {
    ShardSummary summary;
    uint32_t files = 0;
  };
  // Shards that have messages or a folder, ascending.
  absl::StatusOr<std::vector<ShardInfo>> Shards();

  // Makes the index anew from the names. Returns how many messages there are.
  absl::StatusOr<uint64_t> Rebuild(const Progress& progress = nullptr);

  // Writes a snapshot and shortens the log, whether that is due or not.
  absl::Status Checkpoint();

 private:
  // mailbox_index.cc: keeping index, log and names in agreement.

  // Makes the index current without the lock file: enough to read.
  absl::Status Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<FileLock> AcquireLock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the lock file and makes the index current: needed to write.
  absl::StatusOr<FileLock> LockAndRefresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `read`; when it meets damage in the snapshot, makes the index anew and calls it again.
  template <typename Read>
  std::invoke_result_t<Read> ReadIndex(const Read& read) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The rest of this section is called with the lock file held.
  absl::StatusOr<std::vector<MessageRow>> RowsLocked(const std::vector<UidSpan>& spans)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MakeCurrent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckMark() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReopenLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CatchUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SettleExpunged(const Expunged& expunged) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Settle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RebuildLocked(std::string_view why, const Progress& progress)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SwitchTo(const std::string& draft, const SnapshotHeader& header)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes a record and applies it. What it says about files is still to be done: then set
  // last_.settled.
  absl::Status AppendRecord(LogRecord* record, const SizeChange& change = {})
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `change` with the spans, cut into windows of kMaxRecordMessages UIDs, with both locks
  // held; messages that come meanwhile may be left out.
  absl::Status ForEachWindow(const std::vector<UidSpan>& spans,
                             const std::function<absl::Status(const std::vector<UidSpan>&)>& change)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status UpdateFlagsIn(const std::vector<UidSpan>& spans, const FlagUpdate& update,
                             FlagResult* result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Record and names. `moves`: up to kMaxRecordMessages.
  absl::Status ChangeFlags(std::span<const std::pair<MessageInfo, MessageInfo>> moves)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Records and unlinks, in steps of kMaxRecordMessages.
  absl::Status ExpungeRows(std::span<const MessageRow> rows) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Removes messages with all of these flags.
  absl::StatusOr<ExpungeResult> ExpungeWith(uint64_t flags, const std::vector<UidSpan>& spans)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes messages whose files are gone out of the index; their size is not known to `usage`.
  absl::Status ForgetMessages(const std::vector<uint32_t>& uids)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs a change after which what the account stores is to be counted anew.
  absl::Status ChangeUnknownSize(const std::function<absl::Status()>& change);
  absl::Status WriteMark() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Above all UIDs that can have been given, as far as the folders of shards (ascending) tell.
  static uint32_t UidFloor(const std::vector<uint32_t>& shards);
  // Makes the folders of the shards of these UIDs.
  // A folder in the mailbox's; MAILBOX_NOT_FOUND when that is gone.
  absl::Status MakeFolder(const std::string& path);
  absl::Status EnsureShards(uint32_t first_uid, uint32_t last_uid)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MoveName(const MessageInfo& from, const MessageInfo& to);
  // Sees to it that each message's file has its name. Returns the UIDs that have no file.
  absl::StatusOr<std::vector<uint32_t>> MendNames(const std::vector<MessageInfo>& wanted) const;
  // The same for messages of one shard.
  absl::Status MendShard(std::span<const MessageInfo> wanted, std::vector<uint32_t>* missing) const;
  // nullopt: there is none.
  absl::StatusOr<std::optional<MessageInfo>> FindFile(uint32_t uid) const;
  absl::StatusOr<std::vector<MessageInfo>> InfosOf(
      const google::protobuf::RepeatedField<uint32_t>& uids) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveLeftovers() const;

  // mailbox_power_loss.cc: called with the lock file held.

  absl::Status RecoverFromPowerLoss() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `uid_next`: what the log knew. `strays` gets the files that no message has.
  absl::Status ReconcileShard(uint32_t shard, uint32_t uid_next, std::vector<MessageInfo>* strays)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Adopt(LogRecord* record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AdoptStrays(const std::vector<MessageInfo>& strays)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // mailbox_append.cc: called with the lock file held.

  struct AppendJob;
  absl::Status AppendLocked(AppendJob& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A record that makes messages part of this mailbox, under the next UIDs.
  absl::StatusOr<LogRecord> RecordOf(std::span<const NewMessage> messages)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LinkFiles(AppendJob& job, const Appended& appended)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The paths of the folders that they are in.
  std::vector<std::string> ShardFolders(const Appended& appended) const;
  void PutRecordsOf(const AppendJob& job, const Appended& appended)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // For messages that are all there and belong together, or replace one: makes that durable, and
  // does what is left to do. `*lost`: a sync failed.
  absl::Status FinishAppend(const Appended& appended, bool* lost)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Removes them, and the files of the first so many.
  absl::Status TakeBack(const Appended& appended, int files) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // For the last record, whose process died: finishes it or takes it back.
  absl::Status SettleAppended(const Appended& appended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // mailbox_records.cc

  void PutRecords(std::span<const UidRecords> records) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The n-th of `uids` has become the n-th of `target_uids` there. Both are locked.
  void CopyRecordsTo(const Mailbox& target, std::span<const uint32_t> uids,
                     std::span<const uint32_t> target_uids) const;
  // These messages are gone, ascending: gives back the room of their records.
  void TidyRecordsOf(std::span<const uint32_t> uids) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // mailbox_transfer.cc

  enum class TransferKind { kCopy, kMove };
  // One call's work, in steps of kMaxRecordMessages.
  struct TransferJob;
  static absl::StatusOr<TransferResult> Transfer(Mailbox& source, const std::vector<UidSpan>& spans,
                                                 Mailbox& target, TransferKind kind,
                                                 const TransferOptions& options);
  // With both mailboxes locked.
  static absl::Status TransferLocked(TransferJob& job, std::span<const MessageRow> rows);
  // `record`: what NewRecord gave for the rows.
  static absl::Status CopyStep(TransferJob& job, std::span<const MessageRow> rows,
                               LogRecord& record);
  static absl::Status MoveStep(TransferJob& job, std::span<const MessageRow> rows,
                               LogRecord& record);
  static absl::Status MoveFiles(TransferJob& job, std::span<const MessageRow> rows,
                                LogRecord& record);
  // A record that makes messages part of this mailbox, under the next UIDs.
  absl::StatusOr<LogRecord> NewRecord(std::span<const MessageRow> rows,
                                      const TransferOptions& options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendExpunged(const std::vector<uint32_t>& uids)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes copies back.
  absl::Status Undo(const std::vector<uint32_t>& uids) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static absl::Status RenameAll(TransferJob& job, std::span<const MessageRow> rows,
                                const Appended& appended, std::vector<uint32_t>* gone,
                                std::vector<uint32_t>* missing);

  // checkpoint.cc

  // Makes a checkpoint, or has one made, when the log has grown long.
  void CheckpointIfDue() ABSL_LOCKS_EXCLUDED(mutex_);
  // After a sync of `log` that failed: what was written to it may be lost, and no later sync would
  // tell. New files take its place.
  void ReplaceLog(const std::shared_ptr<LogFile>& log) ABSL_LOCKS_EXCLUDED(mutex_);
  // Puts a snapshot, written to `draft` when `log` was read up to `position`, in place, and a log
  // that goes on from there.
  absl::Status FinishCheckpoint(const std::shared_ptr<LogFile>& log, uint64_t position,
                                const SnapshotHeader& header, const std::string& draft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::string PathOf(const MessageInfo& info) const;
  // Calls on_change_ when the index has moved on since the last call.
  void Announce() ABSL_LOCKS_EXCLUDED(mutex_);

  const MailboxContext context_;
  Env* const env_;
  const std::string directory_;
  const std::function<void(uint64_t)> on_change_;

  Mutex mutex_;
  std::unique_ptr<LockFile> lock_file_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<LogFile> log_ ABSL_GUARDED_BY(mutex_);
  Index index_ ABSL_GUARDED_BY(mutex_);
  LastRecord last_ ABSL_GUARDED_BY(mutex_);
  uint64_t announced_modseq_ ABSL_GUARDED_BY(mutex_) = 0;
  // The highest shard whose folder is known to be there, on disk.
  std::optional<uint32_t> made_shard_ ABSL_GUARDED_BY(mutex_);
  bool checkpoint_pending_ ABSL_GUARDED_BY(mutex_) = false;
  // The next one is not tried before the log is this long, in octets.
  uint64_t checkpoint_at_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_H_
