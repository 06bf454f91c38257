// The part of Mailbox that takes messages in.
//
// Messages that belong together (RFC 3502) are all there or none is, and one that replaces another
// (RFC 8508) is there before that goes. Their record says so, and nobody else gets the lock before
// what it says is done and on disk: so whoever finds it as the last one knows that nobody was told
// of it, and may take it back as long as a file is missing. If none is, the rest is done for
// whoever died (SettleAppended).
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {

// One call's work.
struct Mailbox::AppendJob {
  std::span<const NewMessage> messages;
  const AppendOptions& options;
  AppendedMessage result;
  // Set once there is something to sync.
  std::shared_ptr<LogFile> log;
  std::vector<std::string> directories;
  // How many files have their names.
  int linked = 0;
  // A sync of the log failed.
  bool lost = false;

  bool together() const { return messages.size() > 1; }
  uint64_t size() const {
    uint64_t octets = 0;
    for (const NewMessage& message : messages) octets += message.info.size;
    return octets;
  }
};

namespace {

MessageInfo InfoOf(const Appended& appended, int i) {
  return {appended.uids(i), appended.flags(i), appended.internal_dates(i), appended.sizes(i)};
}

// What a change may add. What it frees is room as well, and one that frees more needs none.
SizeChange ChangeOf(uint64_t size, uint64_t freed, uint64_t quota) {
  return {static_cast<int64_t>(size), quota == 0 || size <= freed ? 0 : quota + freed};
}

}  // namespace

absl::StatusOr<Mailbox::AppendedMessage> Mailbox::Append(const std::string& path, MessageInfo info,
                                                         const AppendOptions& options) {
  const NewMessage message{path, info, options.records};
  return AppendAll({&message, 1}, options);
}

absl::StatusOr<Mailbox::AppendedMessage> Mailbox::AppendAll(std::span<const NewMessage> messages,
                                                            const AppendOptions& options) {
  if (messages.empty() || messages.size() > kMaxAppended ||
      (options.replaces != 0 && messages.size() > 1)) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "not what can be appended at once");
  }
  AppendJob job{messages, options, {}, {}, {}};
  absl::Status status;
  {
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    status = AppendLocked(job);
  }
  if (status.ok() && !job.together()) {
    status = context_.commits->Sync({job.log}, job.directories);
    job.lost = !status.ok();
  }
  if (job.lost) ReplaceLog(job.log);
  RMAIL_RETURN_IF_ERROR(status);
  Announce();
  CheckpointIfDue();
  return job.result;
}

absl::Status Mailbox::AppendLocked(AppendJob& job) {
  // Before there are UIDs: damage that is found may change what comes next.
  uint64_t freed = job.options.freed;
  if (job.options.replaces != 0) {
    const uint32_t uid = job.options.replaces;
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> old, RowsLocked({{uid, uid}}));
    job.result.replaced = !old.empty();
    if (!old.empty()) freed += old[0].info.size;
  }
  RMAIL_ASSIGN_OR_RETURN(LogRecord record, RecordOf(job.messages));
  if (job.result.replaced) record.mutable_appended()->set_replaces(job.options.replaces);
  RMAIL_RETURN_IF_ERROR(AppendRecord(&record, ChangeOf(job.size(), freed, job.options.quota)));
  const Appended& appended = record.appended();
  job.log = log_;
  job.directories = ShardFolders(appended);
  job.result.uid = appended.uids(0);
  job.result.modseq = record.modseq();
  absl::Status done = LinkFiles(job, appended);
  if (done.ok() && (appended.together() || appended.replaces() != 0)) {
    PutRecordsOf(job, appended);
    done = FinishAppend(appended, &job.lost);
  } else if (done.ok()) {
    last_.settled = true;
    PutRecordsOf(job, appended);
  }
  // With a later record it is done, whatever failed then.
  if (done.ok() || !last_.record.has_appended()) return done;
  // The UIDs are used up; the messages never were.
  made_shard_.reset();
  (void)TakeBack(appended, job.linked);
  return done;
}

absl::StatusOr<LogRecord> Mailbox::RecordOf(std::span<const NewMessage> messages) {
  const auto count = static_cast<uint32_t>(messages.size());
  // Reads the shard that they go to: damage there is found before anything is written.
  const uint32_t expected = index_.counts().uid_next;
  RMAIL_RETURN_IF_ERROR(RowsLocked({{expected, expected}}).status());
  uint32_t uid = index_.counts().uid_next;
  if (count > UINT32_MAX - uid) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "no UID is left in this mailbox");
  }
  RMAIL_RETURN_IF_ERROR(EnsureShards(uid, uid + (count - 1)));
  LogRecord record;
  Appended* const appended = record.mutable_appended();
  for (const NewMessage& message : messages) {
    appended->add_uids(uid++);
    appended->add_internal_dates(message.info.internal_date);
    appended->add_sizes(message.info.size);
    appended->add_flags(message.info.flags & kAllFlags);
  }
  appended->set_together(count > 1);
  return record;
}

absl::Status Mailbox::LinkFiles(AppendJob& job, const Appended& appended) {
  // No file is there before it is on disk that they belong together.
  if (appended.together()) {
    const absl::Status synced = context_.commits->Sync({job.log}, {});
    job.lost = !synced.ok();
    RMAIL_RETURN_IF_ERROR(synced);
  }
  for (int i = 0; i < appended.uids_size(); ++i) {
    const std::string& path = job.messages[static_cast<size_t>(i)].path;
    RMAIL_RETURN_IF_ERROR(env_->Link(path, PathOf(InfoOf(appended, i))));
    ++job.linked;
  }
  return absl::OkStatus();
}

std::vector<std::string> Mailbox::ShardFolders(const Appended& appended) const {
  std::vector<std::string> folders;
  for (const uint32_t uid : appended.uids()) {
    std::string folder = JoinPath(directory_, ShardName(uid));
    if (folders.empty() || folders.back() != folder) folders.push_back(std::move(folder));
  }
  if (appended.replaces() != 0) {
    std::string folder = JoinPath(directory_, ShardName(appended.replaces()));
    if (folders.back() != folder) folders.push_back(std::move(folder));
  }
  return folders;
}

void Mailbox::PutRecordsOf(const AppendJob& job, const Appended& appended) {
  const int64_t now = absl::ToUnixMicros(absl::Now());
  std::vector<UidRecords> records;
  for (size_t i = 0; i < job.messages.size(); ++i) {
    if (job.messages[i].records == nullptr) continue;
    records.push_back({appended.uids(static_cast<int>(i)), job.messages[i].records, now});
  }
  if (!records.empty()) PutRecords(records);
}

absl::Status Mailbox::FinishAppend(const Appended& appended, bool* lost) {
  absl::Status synced = context_.commits->Sync({log_}, ShardFolders(appended));
  *lost = !synced.ok();
  RMAIL_RETURN_IF_ERROR(synced);
  if (appended.replaces() != 0) {
    const uint32_t uid = appended.replaces();
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> old, RowsLocked({{uid, uid}}));
    const absl::Status gone = ExpungeRows(old);
    // Once it is in the log it is done: a file that can't be removed now is removed later.
    if (!gone.ok() && last_.record.has_appended()) return gone;
    if (gone.ok()) last_.settled = true;
    if (!old.empty()) TidyRecordsOf({&uid, 1});
    return absl::OkStatus();
  }
  // From here on a missing file means nothing but itself.
  LogRecord settled;
  settled.mutable_settled();
  const std::shared_ptr<LogFile> log = log_;
  RMAIL_RETURN_IF_ERROR(AppendRecord(&settled));
  synced = context_.commits->Sync({log}, {});
  *lost = !synced.ok();
  RMAIL_RETURN_IF_ERROR(synced);
  last_.settled = true;
  return absl::OkStatus();
}

// The files first, for once: as long as the record that brought them is the last one, it says that
// what is left of them goes. After another record it would not, should the machine go down.
absl::Status Mailbox::TakeBack(const Appended& appended, int files) {
  for (int i = 0; i < files; ++i) {
    const absl::Status removed = env_->Remove(PathOf(InfoOf(appended, i)));
    if (!absl::IsNotFound(removed)) RMAIL_RETURN_IF_ERROR(removed);
  }
  const absl::Status synced = context_.commits->Sync({}, ShardFolders(appended));
  // A folder that a hand removed has none of them.
  if (!absl::IsNotFound(synced)) RMAIL_RETURN_IF_ERROR(synced);
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> there, InfosOf(appended.uids()));
  LogRecord record;
  // A file that was in the way of one of them is not of this call, and is not removed.
  record.mutable_expunged()->set_moved(true);
  for (const MessageInfo& info : there) record.mutable_expunged()->add_uids(info.uid);
  // Who counted what the account stores meanwhile may have left out those without a file.
  const auto expunge = [&]() -> absl::Status {
    mutex_.AssertHeld();
    return AppendRecord(&record);
  };
  RMAIL_RETURN_IF_ERROR(ChangeUnknownSize(expunge));
  RMAIL_RETURN_IF_ERROR(SettleExpunged(record.expunged()));
  TidyRecordsOf({appended.uids().data(), static_cast<size_t>(appended.uids_size())});
  return absl::OkStatus();
}

absl::Status Mailbox::SettleAppended(const Appended& appended) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> wanted, InfosOf(appended.uids()));
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> missing, MendNames(wanted));
  if (missing.empty()) {
    bool lost = false;
    return FinishAppend(appended, &lost);
  }
  LogWarning("{}: taking back {} messages, not all of which came in", directory_, wanted.size());
  return TakeBack(appended, appended.uids_size());
}

}  // namespace rmail::engine
