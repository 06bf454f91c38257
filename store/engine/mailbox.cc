#include "store/engine/mailbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

constexpr char kIncoming[] = "tmp";

uint64_t NewFlags(uint64_t old_flags, const Mailbox::FlagUpdate& update) {
  switch (update.operation) {
    case FlagOperation::kAdd:
      return old_flags | update.flags;
    case FlagOperation::kRemove:
      return old_flags & ~update.flags;
    case FlagOperation::kReplace:
      return update.flags;
  }
  return old_flags;
}

}  // namespace

Mailbox::Mailbox(Env* env, std::string directory, std::function<void(uint64_t)> on_change)
    : env_(env),
      directory_(std::move(directory)),
      on_change_(std::move(on_change)),
      commits_(env) {}

absl::StatusOr<std::string> Mailbox::IncomingDirectory() {
  std::string path = JoinPath(directory_, kIncoming);
  RMAIL_RETURN_IF_ERROR(env_->CreateDirectories(path));
  return path;
}

absl::StatusOr<Mailbox::AppendedMessage> Mailbox::Append(const std::string& path,
                                                         MessageInfo info) {
  AppendedMessage result;
  std::shared_ptr<LogFile> log;
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    info.uid = index_.counts().uid_next;
    info.flags &= kAllFlags;
    if (info.uid == UINT32_MAX) {
      return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "no UID is left in this mailbox");
    }
    RMAIL_RETURN_IF_ERROR(EnsureShard(info.uid));
    LogRecord record;
    record.mutable_appended()->add_uids(info.uid);
    record.mutable_appended()->add_internal_dates(info.internal_date);
    record.mutable_appended()->add_sizes(info.size);
    record.mutable_appended()->add_flags(info.flags);
    RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
    const absl::Status linked = env_->Link(path, PathOf(info));
    if (!linked.ok()) {
      // The UID is used up; the message never was.
      (void)AppendExpunged({info.uid});
      return linked;
    }
    result = {info.uid, record.modseq()};
    log = log_;
  }
  RMAIL_RETURN_IF_ERROR(commits_.Sync(std::move(log), JoinPath(directory_, ShardName(info.uid))));
  Announce();
  return result;
}

absl::StatusOr<IndexCounts> Mailbox::Counts() {
  IndexCounts counts;
  {
    MutexLock lock(&mutex_);
    RMAIL_RETURN_IF_ERROR(Refresh());
    counts = index_.counts();
  }
  Announce();
  return counts;
}

absl::StatusOr<Mailbox::Changes> Mailbox::ChangesSince(uint64_t modseq) {
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(Refresh());
  Changes changes;
  changes.counts = index_.counts();
  std::optional<std::vector<uint32_t>> expunged = index_.ExpungedSince(modseq);
  // A modseq from the future is from another life of this mailbox.
  changes.reset = !expunged || modseq > changes.counts.highest_modseq;
  if (changes.reset || modseq == 0) {
    changes.changed = index_.AllRows();
  } else {
    changes.changed = index_.ChangedSince(modseq);
    changes.expunged = *std::move(expunged);
  }
  return changes;
}

absl::StatusOr<std::vector<MessageRow>> Mailbox::Rows(const std::vector<UidSpan>& spans) {
  MutexLock lock(&mutex_);
  RMAIL_RETURN_IF_ERROR(Refresh());
  return index_.Rows(spans);
}

absl::StatusOr<Mailbox::FlagResult> Mailbox::UpdateFlags(const FlagUpdate& update) {
  FlagResult result;
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    result.messages = index_.Rows(update.spans);
    std::vector<LogRecord> records;
    std::vector<std::pair<MessageInfo, MessageInfo>> moves;
    for (MessageRow& row : result.messages) {
      if (update.unchanged_since && row.modseq > *update.unchanged_since) {
        result.conflicts.push_back(row.info.uid);
        continue;
      }
      MessageInfo changed = row.info;
      changed.flags = NewFlags(row.info.flags, update) & kAllFlags;
      if (changed.flags == row.info.flags) continue;
      if (moves.size() % kMaxRecordMessages == 0) records.emplace_back();
      moves.emplace_back(row.info, changed);
      records.back().mutable_flags_changed()->add_uids(changed.uid);
      records.back().mutable_flags_changed()->add_flags(changed.flags);
    }
    if (!moves.empty()) {
      for (LogRecord& record : records) RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
      for (const auto& [from, to] : moves) RMAIL_RETURN_IF_ERROR(MoveName(from, to));
      result.messages = index_.Rows(update.spans);
    }
  }
  Announce();
  return result;
}

absl::StatusOr<Mailbox::ExpungeResult> Mailbox::Expunge(const std::vector<UidSpan>& spans) {
  ExpungeResult result;
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    absl::Status removed;
    for (const MessageRow& row : index_.Rows(spans)) {
      if (!(row.info.flags & kDeleted)) continue;
      // Files first: a file that outlived its record would come back in a rebuild.
      removed = env_->Remove(PathOf(row.info));
      if (absl::IsNotFound(removed)) {
        const std::optional<MessageInfo> other = FindFile(row.info.uid);
        removed = other ? env_->Remove(PathOf(*other)) : absl::OkStatus();
      }
      if (!removed.ok()) break;
      result.uids.push_back(row.info.uid);
    }
    if (!result.uids.empty()) RMAIL_RETURN_IF_ERROR(AppendExpunged(result.uids));
    if (result.uids.empty() && !removed.ok()) return removed;
    result.highest_modseq = index_.counts().highest_modseq;
  }
  Announce();
  return result;
}

absl::StatusOr<std::unique_ptr<File>> Mailbox::OpenMessage(const MessageInfo& info) {
  absl::StatusOr<std::unique_ptr<File>> file = env_->Open(PathOf(info), Env::OpenMode::kRead);
  if (!absl::IsNotFound(file.status())) return file;
  // Its flags changed meanwhile, it was expunged, or a process died between log and name.
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
  const std::optional<MessageRow> row = index_.Find(info.uid);
  if (!row) return MakeStatus(absl::StatusCode::kNotFound, "expunged");
  file = env_->Open(PathOf(row->info), Env::OpenMode::kRead);
  if (!absl::IsNotFound(file.status())) return file;
  if (const std::optional<MessageInfo> other = FindFile(info.uid)) {
    RMAIL_RETURN_IF_ERROR(env_->Rename(PathOf(*other), PathOf(row->info)));
    return env_->Open(PathOf(row->info), Env::OpenMode::kRead);
  }
  LogError("{}: the file of UID {} is missing; the message is taken as expunged", directory_,
           info.uid);
  RMAIL_RETURN_IF_ERROR(AppendExpunged({info.uid}));
  return MakeStatus(absl::StatusCode::kNotFound, "the message's file is missing");
}

absl::StatusOr<Mailbox::CheckResult> Mailbox::Check(size_t max_problems) {
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files, ListFiles(0));
  CheckResult result;
  result.indexed = index_.counts().messages;
  result.files = files.size();
  const auto report = [&](std::string problem) {
    if (result.problems.size() < max_problems) result.problems.push_back(std::move(problem));
  };
  absl::flat_hash_map<uint32_t, MessageInfo> by_uid;
  for (const MessageInfo& file : files) {
    if (!by_uid.emplace(file.uid, file).second) {
      report(fmt::format("UID {} has more than one file: {}", file.uid, ShardPath(file)));
    }
    const absl::StatusOr<FileInfo> stat = env_->Stat(PathOf(file));
    if (!stat.ok()) {
      report(fmt::format("{}: {}", ShardPath(file), FromAbsl(stat.status().message())));
    } else if (stat->size != file.size) {
      report(fmt::format("{} has {} octets", ShardPath(file), stat->size));
    }
  }
  for (const MessageRow& row : index_.AllRows()) {
    const auto found = by_uid.find(row.info.uid);
    if (found == by_uid.end()) {
      report(fmt::format("UID {} has no file", row.info.uid));
      continue;
    }
    if (!(found->second == row.info)) {
      report(fmt::format("UID {}: the index has {}, the file is {}", row.info.uid,
                         FileName(row.info), FileName(found->second)));
    }
    by_uid.erase(found);
  }
  for (const auto& [uid, file] : by_uid) {
    report(fmt::format("{} is not in the index", ShardPath(file)));
  }
  return result;
}

absl::StatusOr<uint64_t> Mailbox::Rebuild() {
  uint64_t messages;
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    RMAIL_RETURN_IF_ERROR(RebuildLocked("asked for", 0));
    messages = index_.counts().messages;
  }
  Announce();
  return messages;
}

void Mailbox::Announce() {
  uint64_t modseq;
  {
    MutexLock lock(&mutex_);
    modseq = index_.counts().highest_modseq;
    if (modseq == announced_modseq_) return;
    announced_modseq_ = modseq;
  }
  on_change_(modseq);
}

}  // namespace rmail::engine
