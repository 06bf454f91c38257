// The part of Mailbox that keeps index, log and file names in agreement: opening, catching up, mending, rebuilding.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

constexpr char kLockName[] = "lock";
constexpr char kLogName[] = "log.1";

// A rebuild that cannot know which UIDs were given to messages that are gone leaves this many out.
constexpr uint32_t kUidGap = 16 * kShardSize;

}  // namespace

std::string Mailbox::PathOf(const MessageInfo& info) const {
  return JoinPath(directory_, ShardPath(info));
}

absl::Status Mailbox::Refresh() {
  if (log_ != nullptr) {
    bool replaced;
    RMAIL_ASSIGN_OR_RETURN(const bool news, log_->HasNews(&replaced));
    if (!replaced && !news) return absl::OkStatus();
    if (!replaced) {
      LogFile::Tail tail;
      RMAIL_RETURN_IF_ERROR(ReadLog(&tail));
      // A torn tail is most likely another process that is writing: what is whole has been read.
      if (tail != LogFile::Tail::kDamaged) return absl::OkStatus();
    }
  }
  return LockAndRefresh().status();
}

absl::StatusOr<FileLock> Mailbox::LockAndRefresh() {
  if (lock_file_ == nullptr) {
    absl::StatusOr<std::unique_ptr<File>> file =
        env_->Open(JoinPath(directory_, kLockName), Env::OpenMode::kCreate);
    if (absl::IsNotFound(file.status())) {
      return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox has no folder");
    }
    RMAIL_RETURN_IF_ERROR(file.status());
    lock_file_ = *std::move(file);
  }
  RMAIL_ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(lock_file_.get()));
  RMAIL_ASSIGN_OR_RETURN(const FileInfo lock_info, lock_file_->Info());
  if (lock_info.links == 0) {
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox was deleted");
  }
  bool replaced = true;
  bool news = true;
  if (log_ != nullptr) {
    RMAIL_ASSIGN_OR_RETURN(news, log_->HasNews(&replaced));
  }
  if (replaced) {
    RMAIL_RETURN_IF_ERROR(OpenLog());
    return lock;
  }
  if (!news) return lock;
  LogFile::Tail tail;
  RMAIL_RETURN_IF_ERROR(ReadLog(&tail));
  if (tail == LogFile::Tail::kDamaged) {
    RMAIL_RETURN_IF_ERROR(RebuildLocked("the log is damaged"));
  } else if (tail == LogFile::Tail::kTorn) {
    // Whoever wrote this died: nobody else can be writing now.
    LogWarning("{}: cutting off an unfinished log record", directory_);
    RMAIL_RETURN_IF_ERROR(log_->CutTail());
  }
  return lock;
}

absl::Status Mailbox::OpenLog() {
  index_ = Index();
  absl::StatusOr<std::unique_ptr<LogFile>> log =
      LogFile::Open(env_, JoinPath(directory_, kLogName));
  if (absl::IsNotFound(log.status())) return RebuildLocked("the log is missing");
  if (absl::IsDataLoss(log.status())) return RebuildLocked("the log is damaged");
  RMAIL_RETURN_IF_ERROR(log.status());
  log_ = *std::move(log);
  LogFile::Tail tail;
  RMAIL_RETURN_IF_ERROR(ReadLog(&tail));
  if (tail == LogFile::Tail::kDamaged) return RebuildLocked("the log is damaged");
  if (tail == LogFile::Tail::kTorn) {
    LogWarning("{}: cutting off an unfinished log record", directory_);
    RMAIL_RETURN_IF_ERROR(log_->CutTail());
  }
  return MendLastShard();
}

absl::Status Mailbox::ReadLog(LogFile::Tail* tail) {
  bool consistent = true;
  RMAIL_ASSIGN_OR_RETURN(*tail, log_->Read([&](const LogRecord& record) {
    mutex_.AssertHeld();
    consistent = consistent && index_.Apply(record);
  }));
  if (!consistent) *tail = LogFile::Tail::kDamaged;
  return absl::OkStatus();
}

absl::Status Mailbox::AppendRecord(LogRecord* record) {
  record->set_modseq(index_.counts().highest_modseq + 1);
  RMAIL_RETURN_IF_ERROR(log_->Append(*record));
  if (!index_.Apply(*record)) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a change contradicts the index");
  }
  return absl::OkStatus();
}

absl::Status Mailbox::AppendExpunged(const std::vector<uint32_t>& uids) {
  LogRecord record;
  record.mutable_expunged()->mutable_uids()->Add(uids.begin(), uids.end());
  return AppendRecord(&record);
}

absl::Status Mailbox::EnsureShard(uint32_t uid) {
  const uint32_t shard = uid / kShardSize;
  if (made_shard_ == shard) return absl::OkStatus();
  RMAIL_RETURN_IF_ERROR(env_->CreateDirectories(JoinPath(directory_, ShardName(uid))));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  made_shard_ = shard;
  return absl::OkStatus();
}

absl::Status Mailbox::MoveName(const MessageInfo& from, const MessageInfo& to) {
  absl::Status moved = env_->Rename(PathOf(from), PathOf(to));
  if (!absl::IsNotFound(moved)) return moved;
  // The name lagged behind, or a hand changed it. A file that is missing is found out when it is read.
  const std::optional<MessageInfo> other = FindFile(from.uid);
  if (!other || *other == to) return absl::OkStatus();
  moved = env_->Rename(PathOf(*other), PathOf(to));
  return absl::IsNotFound(moved) ? absl::OkStatus() : moved;
}

absl::StatusOr<std::vector<MessageInfo>> Mailbox::ListShard(const std::string& shard) const {
  std::vector<MessageInfo> files;
  const absl::StatusOr<std::vector<std::string>> names = env_->List(JoinPath(directory_, shard));
  if (absl::IsNotFound(names.status())) return files;
  RMAIL_RETURN_IF_ERROR(names.status());
  const std::optional<uint32_t> number = ParseShardName(shard);
  for (const std::string& name : *names) {
    const std::optional<MessageInfo> info = ParseFileName(name);
    if (info && number && info->uid / kShardSize == *number) files.push_back(*info);
  }
  std::sort(files.begin(), files.end(),
            [](const MessageInfo& a, const MessageInfo& b) { return a.uid < b.uid; });
  return files;
}

absl::StatusOr<std::vector<MessageInfo>> Mailbox::ListFiles() const {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env_->List(directory_));
  std::vector<uint32_t> shards;
  for (const std::string& name : names) {
    if (const std::optional<uint32_t> shard = ParseShardName(name)) shards.push_back(*shard);
  }
  std::sort(shards.begin(), shards.end());
  std::vector<MessageInfo> files;
  for (const uint32_t shard : shards) {
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> some, ListShard(std::to_string(shard)));
    files.insert(files.end(), some.begin(), some.end());
  }
  return files;
}

std::optional<MessageInfo> Mailbox::FindFile(uint32_t uid) const {
  const absl::StatusOr<std::vector<MessageInfo>> files = ListShard(ShardName(uid));
  if (!files.ok()) return std::nullopt;
  for (const MessageInfo& info : *files) {
    if (info.uid == uid) return info;
  }
  return std::nullopt;
}

// What a process or machine that died left undone concerns the newest messages: names that lag behind the log, records
// whose file never came, and, after a power failure, files whose record was lost.
absl::Status Mailbox::MendLastShard() {
  const uint32_t next = index_.counts().uid_next;
  const uint32_t shard = (next - 1) / kShardSize;
  RMAIL_ASSIGN_OR_RETURN(std::vector<MessageInfo> files, ListShard(std::to_string(shard)));
  if (next / kShardSize != shard) {
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> more, ListShard(ShardName(next)));
    files.insert(files.end(), more.begin(), more.end());
  }
  return MendNames(files, shard * kShardSize);
}

absl::Status Mailbox::MendNames(const std::vector<MessageInfo>& files, uint32_t first_uid) {
  absl::flat_hash_map<uint32_t, MessageInfo> by_uid;
  const uint32_t known = index_.counts().uid_next;
  LogRecord adopted;
  for (const MessageInfo& file : files) {
    if (!by_uid.emplace(file.uid, file).second || file.uid < known) continue;
    Appended* const appended = adopted.mutable_appended();
    appended->add_uids(file.uid);
    appended->add_internal_dates(file.internal_date);
    appended->add_sizes(file.size);
    appended->add_flags(file.flags);
  }
  std::vector<uint32_t> missing;
  for (const MessageRow& row : index_.Rows({{std::max(first_uid, 1u), UINT32_MAX}})) {
    const auto found = by_uid.find(row.info.uid);
    if (found == by_uid.end()) {
      missing.push_back(row.info.uid);
    } else if (!(found->second == row.info)) {
      RMAIL_RETURN_IF_ERROR(env_->Rename(PathOf(found->second), PathOf(row.info)));
    }
  }
  if (adopted.appended().uids_size() > 0) {
    LogWarning("{}: {} messages were missing in the log", directory_,
               adopted.appended().uids_size());
    RMAIL_RETURN_IF_ERROR(AppendRecord(&adopted));
  }
  if (!missing.empty()) {
    LogWarning("{}: {} messages of the log never got a file", directory_, missing.size());
    RMAIL_RETURN_IF_ERROR(AppendExpunged(missing));
  }
  return absl::OkStatus();
}

absl::Status Mailbox::RebuildLocked(std::string_view why) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files, ListFiles());
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env_->List(directory_));
  const bool is_new = std::none_of(names.begin(), names.end(), [](const std::string& name) {
    return ParseShardName(name).has_value();
  });
  // What was read of the old log, as far as it goes: neither modseqs nor UIDs may go back behind it.
  const IndexCounts before = index_.counts();
  LogRecord record;
  uint32_t uid_next = before.uid_next;
  for (const MessageInfo& file : files) {
    Appended* const appended = record.mutable_appended();
    if (appended->uids_size() > 0 && appended->uids().rbegin()[0] == file.uid) {
      LogError("{}: {} has the UID of another file and is left out", directory_, ShardPath(file));
      continue;
    }
    appended->add_uids(file.uid);
    appended->add_internal_dates(file.internal_date);
    appended->add_sizes(file.size);
    appended->add_flags(file.flags);
    uid_next = std::max(uid_next, file.uid + 1);
  }
  // No modseq ever given reaches the microseconds since 1970.
  const uint64_t now = static_cast<uint64_t>(absl::ToUnixMicros(absl::Now()));
  const uint64_t modseq = is_new ? 2 : std::max(before.highest_modseq + 1, now);
  record.set_modseq(modseq);
  LogRecord floor;
  floor.set_modseq(modseq + 1);
  floor.set_uid_floor(is_new ? 1 : std::min(uid_next, UINT32_MAX - kUidGap) + kUidGap);

  const std::string path = JoinPath(directory_, kLogName);
  RMAIL_RETURN_IF_ERROR(LogFile::Create(env_, path, {record, floor}));
  RMAIL_ASSIGN_OR_RETURN(log_, LogFile::Open(env_, path));
  index_ = Index();
  LogFile::Tail tail;
  RMAIL_RETURN_IF_ERROR(ReadLog(&tail));
  if (tail != LogFile::Tail::kClean) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a new log cannot be read back");
  }
  if (!is_new) {
    LogWarning("{}: index made anew ({}): {} messages", directory_, why, files.size());
  }
  return absl::OkStatus();
}

}  // namespace rmail::engine
