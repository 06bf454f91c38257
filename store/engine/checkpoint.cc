// The part of Mailbox that writes snapshots, so that logs stay short.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

// A log this long is read in about a millisecond.
constexpr uint64_t kMinLog = 256 << 10;
// Reading one of this length is what opening a mailbox may cost.
constexpr uint64_t kMaxLog = 4 << 20;
// A snapshot is written anew when the log has reached this part of it, so that what is written for
// a change stays in proportion.
constexpr uint64_t kLogPart = 16;
constexpr uint64_t kRowBytes = 36;

}  // namespace

void Mailbox::CheckpointIfDue() {
  {
    MutexLock lock(&mutex_);
    if (checkpoint_pending_ || log_ == nullptr) return;
    const uint64_t snapshot = index_.counts().messages * kRowBytes;
    const uint64_t due = std::clamp(snapshot / kLogPart, kMinLog, kMaxLog);
    if (log_->record_bytes() < std::max(due, checkpoint_at_)) return;
    checkpoint_pending_ = true;
    // If it fails, on a full disk say, not every change tries again.
    checkpoint_at_ = log_->record_bytes() + due;
  }
  const auto checkpoint = [](Mailbox& mailbox) {
    const absl::Status status = mailbox.Checkpoint();
    // Another process that was first has done it.
    const bool done = status.ok() || absl::IsAborted(status);
    if (!done) LogWarning("{}: no checkpoint: {}", mailbox.directory(), FromAbsl(status.message()));
    MutexLock lock(&mailbox.mutex_);
    mailbox.checkpoint_pending_ = false;
    if (done) mailbox.checkpoint_at_ = 0;
  };
  if (context_.background == nullptr || weak_from_this().expired()) {
    checkpoint(*this);
    return;
  }
  context_.background->Run([weak = weak_from_this(), checkpoint] {
    if (const std::shared_ptr<Mailbox> mailbox = weak.lock()) checkpoint(*mailbox);
  });
}

void Mailbox::ReplaceLog(const std::shared_ptr<LogFile>& log) {
  {
    MutexLock lock(&mutex_);
    if (log_ != log) return;
    log_ = nullptr;
  }
  const absl::Status status = Checkpoint();
  if (!status.ok()) {
    LogWarning("{}: the log that could not be synced stays: {}", directory_,
               FromAbsl(status.message()));
  }
}

absl::Status Mailbox::Checkpoint() {
  SnapshotImage image;
  std::shared_ptr<LogFile> log;
  uint64_t position;
  {
    MutexLock lock(&mutex_);
    // With the lock: what the last record says is done, so the log may begin after it.
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    image = index_.Image();
    log = log_;
    position = log_->end();
  }
  image.header.epoch = log->header().epoch;
  RMAIL_ASSIGN_OR_RETURN(const std::string incoming, IncomingDirectory());
  RMAIL_ASSIGN_OR_RETURN(const uint64_t random, RandomNumber());
  const std::string draft = JoinPath(incoming, fmt::format("snapshot.{:016x}", random));
  // The long part: the mailbox can be used meanwhile.
  const absl::Status written = WriteSnapshot(env_, draft, image);
  absl::Status status = written;
  if (written.ok()) {
    MutexLock lock(&mutex_);
    status = FinishCheckpoint(log, position, image.header, draft);
  }
  if (absl::IsDataLoss(written)) {
    // A block of the snapshot before is damaged.
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    if (log_ != log) return absl::OkStatus();
    log_ = nullptr;
    return RebuildLocked(FromAbsl(written.message()), nullptr);
  }
  if (!status.ok()) (void)env_->Remove(draft);
  return status;
}

absl::Status Mailbox::FinishCheckpoint(const std::shared_ptr<LogFile>& log, uint64_t position,
                                       const SnapshotHeader& header, const std::string& draft) {
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
  if (log_ != log) {
    return MakeStatus(absl::StatusCode::kAborted, "another process was first");
  }
  // First the snapshot, on disk, then the log that needs it: a snapshot that is newer than the
  // log's start does no harm.
  RMAIL_RETURN_IF_ERROR(env_->Rename(draft, JoinPath(directory_, kSnapshotName)));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  LogRecord superseded;
  superseded.mutable_superseded();
  RMAIL_RETURN_IF_ERROR(AppendRecord(&superseded));
  last_.settled = true;
  RMAIL_ASSIGN_OR_RETURN(const std::string tail, log_->BytesFrom(position));
  const std::string path = JoinPath(directory_, kLogName);
  absl::Status status = LogFile::Create(env_, path, {header.epoch, header.modseq}, tail);
  // Whether or not it was replaced: what is at the path is the log.
  log_ = nullptr;
  RMAIL_RETURN_IF_ERROR(status);
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<LogFile> fresh, LogFile::Open(env_, path));
  RMAIL_ASSIGN_OR_RETURN(const LogFile::Tail end,
                         ReadRecords(*fresh, index_, /*skip_known=*/true, &last_));
  if (end != LogFile::Tail::kClean) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a new log cannot be read back");
  }
  log_ = std::move(fresh);
  return absl::OkStatus();
}

}  // namespace rmail::engine
