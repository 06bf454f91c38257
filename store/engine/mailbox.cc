#include "store/engine/mailbox.h"

#include <algorithm>
#include <utility>

#include "store/base/error.h"
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

Mailbox::Mailbox(MailboxContext context, std::string directory,
                 std::function<void(uint64_t)> on_change)
    : context_(std::move(context)),
      env_(context_.env),
      directory_(std::move(directory)),
      on_change_(std::move(on_change)) {}

// The mailbox's own folder is not made: without it the mailbox was deleted, and what comes into it
// would be where nobody looks.
absl::Status Mailbox::MakeFolder(const std::string& path) {
  const absl::Status made = env_->CreateDirectory(path);
  if (!absl::IsNotFound(made)) return made;
  return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox has no folder");
}

absl::StatusOr<std::string> Mailbox::IncomingDirectory() {
  std::string path = JoinPath(directory_, kIncoming);
  if (env_->Stat(path).ok()) return path;
  RMAIL_RETURN_IF_ERROR(MakeFolder(path));
  return path;
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

absl::Status Mailbox::Poll() {
  if (!mutex_.TryLock()) return absl::OkStatus();
  const absl::Status status = Refresh();
  mutex_.Unlock();
  RMAIL_RETURN_IF_ERROR(status);
  Announce();
  return absl::OkStatus();
}

template <typename Read>
std::invoke_result_t<Read> Mailbox::ReadIndex(const Read& read) {
  RMAIL_RETURN_IF_ERROR(Refresh());
  std::invoke_result_t<Read> result = read();
  if (!absl::IsDataLoss(result.status())) return result;
  log_ = nullptr;
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
  result = read();
  if (!absl::IsDataLoss(result.status())) return result;
  // Header and directory of the snapshot are whole, a block is not.
  log_ = nullptr;
  RMAIL_RETURN_IF_ERROR(RebuildLocked(FromAbsl(result.status().message()), nullptr));
  return read();
}

absl::StatusOr<Mailbox::Changes> Mailbox::ChangesSince(uint64_t modseq) {
  MutexLock lock(&mutex_);
  return ReadIndex([&]() -> absl::StatusOr<Changes> {
    mutex_.AssertHeld();
    Changes changes;
    changes.counts = index_.counts();
    std::optional<std::vector<UidSpan>> expunged = index_.ExpungedSince(modseq);
    // A modseq from the future is from another life of this mailbox.
    changes.reset = !expunged || modseq > changes.counts.highest_modseq;
    const bool all = changes.reset || modseq == 0;
    if (!all) changes.expunged = *std::move(expunged);
    RMAIL_ASSIGN_OR_RETURN(changes.changed, index_.View({{1, UINT32_MAX}}, all ? 0 : modseq));
    return changes;
  });
}

absl::StatusOr<std::vector<MessageRow>> Mailbox::Rows(const std::vector<UidSpan>& spans) {
  MutexLock lock(&mutex_);
  return ReadIndex([&] {
    mutex_.AssertHeld();
    return index_.Rows(spans);
  });
}

absl::StatusOr<RowCursor> Mailbox::View(const std::vector<UidSpan>& spans, uint64_t changed_since) {
  MutexLock lock(&mutex_);
  return ReadIndex([&] {
    mutex_.AssertHeld();
    return index_.View(spans, changed_since);
  });
}

absl::StatusOr<Mailbox::FlagResult> Mailbox::UpdateFlags(const FlagUpdate& update) {
  FlagResult result;
  RMAIL_RETURN_IF_ERROR(ForEachWindow(update.spans, [&](const std::vector<UidSpan>& spans) {
    mutex_.AssertHeld();
    return UpdateFlagsIn(spans, update, &result);
  }));
  Announce();
  CheckpointIfDue();
  return result;
}

absl::Status Mailbox::UpdateFlagsIn(const std::vector<UidSpan>& spans, const FlagUpdate& update,
                                    FlagResult* result) {
  RMAIL_ASSIGN_OR_RETURN(std::vector<MessageRow> rows, RowsLocked(spans));
  std::vector<std::pair<MessageInfo, MessageInfo>> moves;
  for (const MessageRow& row : rows) {
    if (update.unchanged_since && row.modseq > *update.unchanged_since) {
      result->conflicts.push_back(row.info.uid);
      continue;
    }
    MessageInfo changed = row.info;
    changed.flags = NewFlags(row.info.flags, update) & kAllFlags;
    if (changed.flags != row.info.flags) moves.emplace_back(row.info, changed);
  }
  if (!moves.empty()) {
    RMAIL_RETURN_IF_ERROR(ChangeFlags(moves));
    ++result->records;
    result->modseq = index_.counts().highest_modseq;
    RMAIL_ASSIGN_OR_RETURN(rows, RowsLocked(spans));
  }
  result->messages.insert(result->messages.end(), rows.begin(), rows.end());
  return absl::OkStatus();
}

absl::Status Mailbox::ChangeFlags(std::span<const std::pair<MessageInfo, MessageInfo>> moves) {
  LogRecord record;
  FlagsChanged* const changed = record.mutable_flags_changed();
  for (const auto& [from, to] : moves) {
    changed->add_uids(to.uid);
    changed->add_flags(to.flags);
  }
  RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
  for (const auto& [from, to] : moves) RMAIL_RETURN_IF_ERROR(MoveName(from, to));
  last_.settled = true;
  return absl::OkStatus();
}

absl::Status Mailbox::ExpungeRows(std::span<const MessageRow> rows) {
  for (size_t at = 0; at < rows.size();) {
    LogRecord record;
    int64_t size = 0;
    for (int i = 0; i < kMaxRecordMessages && at < rows.size(); ++i, ++at) {
      record.mutable_expunged()->add_uids(rows[at].info.uid);
      size += static_cast<int64_t>(rows[at].info.size);
    }
    RMAIL_RETURN_IF_ERROR(AppendRecord(&record, {-size, 0}));
    RMAIL_RETURN_IF_ERROR(Settle());
  }
  return absl::OkStatus();
}

absl::StatusOr<Mailbox::ExpungeResult> Mailbox::Expunge(const std::vector<UidSpan>& spans) {
  return ExpungeWith(kDeleted, spans);
}

absl::StatusOr<Mailbox::ExpungeResult> Mailbox::Remove(const std::vector<UidSpan>& spans) {
  return ExpungeWith(0, spans);
}

absl::StatusOr<Mailbox::ExpungeResult> Mailbox::ExpungeWith(uint64_t flags,
                                                            const std::vector<UidSpan>& spans) {
  ExpungeResult result;
  RMAIL_RETURN_IF_ERROR(
      ForEachWindow(spans, [&](const std::vector<UidSpan>& window) -> absl::Status {
        mutex_.AssertHeld();
        RMAIL_ASSIGN_OR_RETURN(std::vector<MessageRow> rows, RowsLocked(window));
        std::erase_if(rows,
                      [flags](const MessageRow& row) { return (row.info.flags & flags) != flags; });
        RMAIL_RETURN_IF_ERROR(ExpungeRows(rows));
        std::vector<uint32_t> uids;
        for (const MessageRow& row : rows) uids.push_back(row.info.uid);
        TidyRecordsOf(uids);
        result.uids.insert(result.uids.end(), uids.begin(), uids.end());
        result.highest_modseq = index_.counts().highest_modseq;
        return absl::OkStatus();
      }));
  Announce();
  CheckpointIfDue();
  return result;
}

// Both locks are given back between windows: a change of millions of messages takes a while.
absl::Status Mailbox::ForEachWindow(
    const std::vector<UidSpan>& spans,
    const std::function<absl::Status(const std::vector<UidSpan>&)>& change) {
  uint32_t uid_next = 0;
  for (uint64_t first = 0; first == 0 || first < uid_next; first += kMaxRecordMessages) {
    std::vector<UidSpan> window;
    for (const UidSpan& span : spans) {
      const auto from = std::max<uint64_t>(span.first, first);
      const auto to = std::min<uint64_t>(span.last, first + kMaxRecordMessages - 1);
      if (from <= to) window.push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(to)});
    }
    if (window.empty() && first != 0) continue;
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    if (first == 0) uid_next = index_.counts().uid_next;
    RMAIL_RETURN_IF_ERROR(change(window));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> Mailbox::OpenMessage(const MessageInfo& info) {
  absl::StatusOr<std::unique_ptr<File>> file = env_->Open(PathOf(info), Env::OpenMode::kRead);
  if (!absl::IsNotFound(file.status())) return file;
  // Its flags changed meanwhile, or it was expunged, or a hand changed its name.
  MutexLock lock(&mutex_);
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, RowsLocked({{info.uid, info.uid}}));
  if (rows.empty()) return MakeStatus(absl::StatusCode::kNotFound, "expunged");
  file = env_->Open(PathOf(rows[0].info), Env::OpenMode::kRead);
  if (!absl::IsNotFound(file.status())) return file;
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> missing, MendNames({rows[0].info}));
  if (missing.empty()) return env_->Open(PathOf(rows[0].info), Env::OpenMode::kRead);
  RMAIL_RETURN_IF_ERROR(ForgetMessages(missing));
  return MakeStatus(absl::StatusCode::kNotFound, "the message's file is missing");
}

absl::StatusOr<uint64_t> Mailbox::Rebuild(const Progress& progress) {
  uint64_t messages;
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    RMAIL_RETURN_IF_ERROR(RebuildLocked("asked for", progress));
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
