// The part of Mailbox that works on two mailboxes at once: COPY and MOVE.
//
// A copy is one record in the target, then links. A move is a record `moving` in the source, one
// `appended` in the target, then renames, then a record `expunged` in the source. Wherever a
// process dies, the last record of each log tells which messages to look for, and the file is in
// one place: each mailbox keeps what it has the file of (Settle).
#include <algorithm>
#include <set>
#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {

struct Mailbox::TransferJob {
  Mailbox& source;
  Mailbox& target;
  const TransferKind kind;
  const TransferOptions& options;
  TransferResult result;
  // What has to be synced in the end.
  std::vector<std::shared_ptr<LogFile>> logs;
  std::set<std::string> directories;
  // A message had no file: what the account stores is to be counted anew.
  bool lost = false;

  bool within_one() const { return &source == &target; }
  void Touch(const Mailbox& mailbox, uint32_t uid) {
    directories.insert(JoinPath(mailbox.directory_, ShardName(uid)));
  }
  void Done(uint32_t source_uid, uint32_t target_uid) {
    result.source_uids.push_back(source_uid);
    result.target_uids.push_back(target_uid);
    Touch(target, target_uid);
    if (kind == TransferKind::kMove) Touch(source, source_uid);
  }
};

namespace {

MessageInfo InfoOf(const Appended& appended, int i) {
  return {appended.uids(i), appended.flags(i), appended.internal_dates(i), appended.sizes(i)};
}

std::vector<uint32_t> From(const std::vector<uint32_t>& uids, size_t first) {
  return {uids.begin() + static_cast<ptrdiff_t>(first), uids.end()};
}

}  // namespace

absl::StatusOr<Mailbox::TransferResult> Mailbox::Copy(Mailbox& source,
                                                      const std::vector<UidSpan>& spans,
                                                      Mailbox& target,
                                                      const TransferOptions& options) {
  return Transfer(source, spans, target, TransferKind::kCopy, options);
}

absl::StatusOr<Mailbox::TransferResult> Mailbox::Move(Mailbox& source,
                                                      const std::vector<UidSpan>& spans,
                                                      Mailbox& target,
                                                      const TransferOptions& options) {
  return Transfer(source, spans, target, TransferKind::kMove, options);
}

// The analysis does not know that two names may stand for one mailbox.
absl::StatusOr<Mailbox::TransferResult> Mailbox::Transfer(
    Mailbox& source, const std::vector<UidSpan>& spans, Mailbox& other, TransferKind kind,
    const TransferOptions& options) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // Two objects may stand for one folder, which must not be locked twice.
  Mailbox& target = source.directory_ == other.directory_ ? source : other;
  TransferJob job{source, target, kind, options, {}, {}, {}};
  {
    Mailbox& first = source.directory_ <= target.directory_ ? source : target;
    Mailbox& second = &first == &source ? target : source;
    MutexLock first_lock(&first.mutex_);
    std::optional<MutexLock> second_lock;
    if (!job.within_one()) second_lock.emplace(&second.mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock first_file, first.LockAndRefresh());
    std::optional<FileLock> second_file;
    if (!job.within_one()) {
      RMAIL_ASSIGN_OR_RETURN(FileLock lock, second.LockAndRefresh());
      second_file.emplace(std::move(lock));
    }
    // The shard that the target goes on in: damage there is found before anything is written.
    const uint32_t next = target.index_.counts().uid_next;
    RMAIL_RETURN_IF_ERROR(target.RowsLocked({{next, next}}).status());
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, source.RowsLocked(spans));
    RMAIL_RETURN_IF_ERROR(TransferLocked(job, rows));
    job.result.source_modseq = source.index_.counts().highest_modseq;
    job.result.target_modseq = target.index_.counts().highest_modseq;
    job.logs.push_back(target.log_);
    if (kind == TransferKind::kMove && !job.within_one()) job.logs.push_back(source.log_);
  }
  if (!job.result.target_uids.empty()) {
    const absl::Status synced =
        target.context_.commits->Sync(job.logs, {job.directories.begin(), job.directories.end()});
    if (!synced.ok()) {
      for (const std::shared_ptr<LogFile>& log : job.logs) {
        target.ReplaceLog(log);
        source.ReplaceLog(log);
      }
      return synced;
    }
  }
  for (Mailbox* const mailbox : {&source, &target}) {
    mailbox->Announce();
    mailbox->CheckpointIfDue();
  }
  return std::move(job.result);
}

absl::Status Mailbox::TransferLocked(TransferJob& job, std::span<const MessageRow> rows)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (size_t at = 0; at < rows.size(); at += kMaxRecordMessages) {
    const auto step = rows.subspan(at, std::min<size_t>(kMaxRecordMessages, rows.size() - at));
    const size_t before = job.result.target_uids.size();
    RMAIL_ASSIGN_OR_RETURN(LogRecord record, job.target.NewRecord(step, job.options));
    const absl::Status status =
        job.kind == TransferKind::kCopy ? CopyStep(job, step, record) : MoveStep(job, step, record);
    const std::vector<uint32_t> done = From(job.result.source_uids, before);
    job.source.CopyRecordsTo(job.target, done, From(job.result.target_uids, before));
    if (job.kind == TransferKind::kMove) job.source.TidyRecordsOf(done);
    if (status.ok()) continue;
    // All or none.
    if (job.kind == TransferKind::kCopy) (void)job.target.Undo(job.result.target_uids);
    return status;
  }
  return absl::OkStatus();
}

absl::Status Mailbox::Undo(const std::vector<uint32_t>& uids) {
  if (uids.empty()) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows,
                         RowsLocked({{uids.front(), uids.back()}}));
  return ExpungeRows(rows);
}

// Messages that have no file here.
absl::Status Mailbox::AppendExpunged(const std::vector<uint32_t>& uids) {
  if (uids.empty()) return absl::OkStatus();
  LogRecord record;
  record.mutable_expunged()->mutable_uids()->Add(uids.begin(), uids.end());
  record.mutable_expunged()->set_moved(true);
  RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
  last_.settled = true;
  return absl::OkStatus();
}

absl::StatusOr<LogRecord> Mailbox::NewRecord(std::span<const MessageRow> rows,
                                             const TransferOptions& options) {
  LogRecord record;
  Appended* const appended = record.mutable_appended();
  uint32_t uid = index_.counts().uid_next;
  if (rows.size() >= UINT32_MAX - uid) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "no UID is left in this mailbox");
  }
  RMAIL_RETURN_IF_ERROR(EnsureShards(uid, uid + static_cast<uint32_t>(rows.size()) - 1));
  for (const MessageRow& row : rows) {
    appended->add_uids(uid++);
    appended->add_internal_dates(row.info.internal_date);
    appended->add_sizes(row.info.size);
    appended->add_flags(options.translate(row.info.flags) & kAllFlags);
  }
  return record;
}

absl::Status Mailbox::CopyStep(TransferJob& job, std::span<const MessageRow> rows,
                               LogRecord& record) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Mailbox& source = job.source;
  Mailbox& target = job.target;
  int64_t size = 0;
  for (const MessageRow& row : rows) size += static_cast<int64_t>(row.info.size);
  RMAIL_RETURN_IF_ERROR(target.AppendRecord(&record, {size, job.options.quota}));
  absl::Status linked;
  std::vector<uint32_t> missing;
  for (size_t i = 0; i < rows.size() && linked.ok(); ++i) {
    const MessageInfo copy = InfoOf(record.appended(), static_cast<int>(i));
    linked = target.env_->Link(source.PathOf(rows[i].info), target.PathOf(copy));
    if (absl::IsNotFound(linked)) {
      // A hand changed the file's name, or removed it.
      const auto file = source.FindFile(rows[i].info.uid);
      linked = file.status();
      if (file.ok() && !*file) missing.push_back(copy.uid);
      if (file.ok() && !*file) continue;
      if (file.ok()) linked = target.env_->Link(source.PathOf(**file), target.PathOf(copy));
    }
    if (linked.ok()) job.Done(rows[i].info.uid, copy.uid);
  }
  if (!linked.ok()) {
    target.made_shard_.reset();
    const auto& uids = record.appended().uids();
    (void)target.Undo({uids.begin(), uids.end()});
    return linked;
  }
  target.last_.settled = true;
  return target.ForgetMessages(missing);
}

absl::Status Mailbox::MoveStep(TransferJob& job, std::span<const MessageRow> rows,
                               LogRecord& record) {
  const auto move = [&] { return MoveFiles(job, rows, record); };
  Usage* const usage = job.target.context_.usage.get();
  if (usage == nullptr) return move();
  // A move changes nothing about what the account stores; but nobody may add it up meanwhile.
  absl::Status status = usage->Step(0, 0, move);
  if (job.lost) status.Update(usage->UnknownStep([] { return absl::OkStatus(); }));
  return status;
}

absl::Status Mailbox::MoveFiles(TransferJob& job, std::span<const MessageRow> rows,
                                LogRecord& record) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Mailbox& source = job.source;
  Mailbox& target = job.target;
  if (job.within_one()) {
    for (const MessageRow& row : rows) {
      record.mutable_appended()->add_moved_from(row.info.uid);
    }
  } else {
    LogRecord moving;
    for (const MessageRow& row : rows) moving.mutable_moving()->add_uids(row.info.uid);
    RMAIL_RETURN_IF_ERROR(source.AppendRecord(&moving));
  }
  RMAIL_RETURN_IF_ERROR(target.AppendRecord(&record));
  // UIDs that have no file any more, in the source and, never having had one, in the target.
  std::vector<uint32_t> gone;
  std::vector<uint32_t> missing;
  const absl::Status renamed = RenameAll(job, rows, record.appended(), &gone, &missing);
  if (!renamed.ok()) target.made_shard_.reset();
  if (job.within_one()) {
    gone.insert(gone.end(), missing.begin(), missing.end());
  } else {
    RMAIL_RETURN_IF_ERROR(target.AppendExpunged(missing));
    target.last_.settled = true;
  }
  RMAIL_RETURN_IF_ERROR(source.AppendExpunged(gone));
  source.last_.settled = true;
  return renamed;
}

// Stops at an error; what could not be moved stays where it is.
absl::Status Mailbox::RenameAll(TransferJob& job, std::span<const MessageRow> rows,
                                const Appended& appended, std::vector<uint32_t>* gone,
                                std::vector<uint32_t>* missing) {
  absl::Status renamed;
  for (size_t i = 0; i < rows.size(); ++i) {
    const MessageInfo there = InfoOf(appended, static_cast<int>(i));
    const uint32_t uid = rows[i].info.uid;
    if (!renamed.ok()) {
      missing->push_back(there.uid);
      continue;
    }
    const std::string to = job.target.PathOf(there);
    renamed = job.target.env_->Rename(job.source.PathOf(rows[i].info), to);
    if (absl::IsNotFound(renamed)) {
      // A hand changed the file's name, or removed it.
      const auto file = job.source.FindFile(uid);
      if (file.ok() && !*file) {
        renamed = absl::OkStatus();
        gone->push_back(uid);
        missing->push_back(there.uid);
        job.lost = true;
        continue;
      }
      renamed = file.ok() ? job.target.env_->Rename(job.source.PathOf(**file), to) : file.status();
    }
    if (renamed.ok()) {
      gone->push_back(uid);
      job.Done(uid, there.uid);
    } else {
      missing->push_back(there.uid);
    }
  }
  return renamed;
}

}  // namespace rmail::engine
