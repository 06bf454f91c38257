// The part of Mailbox that keeps index, log and file names in agreement: opening, catching up,
// mending, rebuilding.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

constexpr char kLockName[] = "lock";
constexpr char kLogName[] = "log.1";
constexpr char kIncomingName[] = "tmp";

// A file in tmp/ that is older belongs to an upload whose process died.
constexpr absl::Duration kLongestUpload = absl::Hours(24);

// A rebuild that cannot know which UIDs were given to messages that are gone leaves this many out.
constexpr uint32_t kUidGap = 16 * kShardSize;
// As many changes are not made between two syncs of a log.
constexpr uint64_t kModseqGap = 1 << 20;
// The lock file names the machines that have the mailbox open, a line each.
constexpr uint64_t kMaxLockFile = 64 << 10;

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
      log_ = nullptr;
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
  const absl::Status current = MakeCurrent();
  if (!current.ok()) {
    // Whoever could not read to the end must not write there: the next call starts over.
    log_ = nullptr;
    return current;
  }
  return lock;
}

absl::Status Mailbox::MakeCurrent() {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo lock_info, lock_file_->Info());
  if (lock_info.links == 0) {
    return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "the mailbox was deleted");
  }
  bool replaced = true;
  bool news = true;
  if (log_ != nullptr) {
    RMAIL_ASSIGN_OR_RETURN(news, log_->HasNews(&replaced));
  }
  if (replaced) return OpenLog();
  return news ? CatchUp() : absl::OkStatus();
}

absl::Status Mailbox::OpenLog() {
  index_ = Index();
  absl::StatusOr<std::unique_ptr<LogFile>> log =
      LogFile::Open(env_, JoinPath(directory_, kLogName));
  if (absl::IsNotFound(log.status())) return RebuildLocked("the log is missing", kUidGap);
  if (absl::IsDataLoss(log.status())) return RebuildLocked("the log is damaged", kUidGap);
  RMAIL_RETURN_IF_ERROR(log.status());
  log_ = *std::move(log);
  RMAIL_RETURN_IF_ERROR(CatchUp());
  RemoveLeftovers();
  RMAIL_RETURN_IF_ERROR(MendLastShard());
  return NoteBoot();
}

// Flag changes are not synced, and a message can be seen a moment before it is. So when this
// machine has gone down since the mailbox was last opened here, clients may have been told UIDs and
// modseqs that are lost: none of them is given again.
absl::Status Mailbox::NoteBoot() {
  const std::string now = env_->BootId();
  const std::string machine = now.substr(0, now.find(' ') + 1);
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, lock_file_->Info());
  std::string text(std::min<uint64_t>(info.size, kMaxLockFile), '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, lock_file_->ReadAt(0, text.data(), text.size()));
  text.resize(size);
  std::string others;
  bool rebooted = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (FromAbsl(line) == now) return absl::OkStatus();
    if (absl::StartsWith(line, machine)) {
      rebooted = true;
    } else {
      others.append(line.data(), line.size()).append("\n");
    }
  }
  if (rebooted) {
    LogRecord record;
    record.set_modseq(index_.counts().highest_modseq + kModseqGap);
    record.set_uid_floor(std::min(index_.counts().uid_next, UINT32_MAX - kShardSize) + kShardSize);
    RMAIL_RETURN_IF_ERROR(log_->Append(record));
    index_.Apply(record);
    RMAIL_RETURN_IF_ERROR(log_->Sync());
  }
  const std::string changed = now + "\n" + others;
  RMAIL_RETURN_IF_ERROR(lock_file_->WriteAt(0, changed));
  return lock_file_->Truncate(changed.size());
}

absl::Status Mailbox::CatchUp() {
  LogFile::Tail tail;
  RMAIL_RETURN_IF_ERROR(ReadLog(&tail));
  if (tail == LogFile::Tail::kDamaged) return RebuildLocked("the log is damaged", kUidGap);
  if (tail == LogFile::Tail::kTorn) {
    // Whoever wrote this died: nobody else can be writing now.
    LogWarning("{}: cutting off an unfinished log record", directory_);
    return log_->CutTail();
  }
  return absl::OkStatus();
}

void Mailbox::RemoveLeftovers() const {
  const std::string incoming = JoinPath(directory_, kIncomingName);
  const absl::StatusOr<std::vector<std::string>> names = env_->List(incoming);
  if (!names.ok()) return;
  const int64_t oldest = absl::ToUnixNanos(absl::Now() - kLongestUpload);
  for (const std::string& name : *names) {
    const std::string path = JoinPath(incoming, name);
    const absl::StatusOr<FileInfo> info = env_->Stat(path);
    if (info.ok() && !info->is_directory && info->modified_ns < oldest) (void)env_->Remove(path);
  }
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
  for (size_t at = 0; at < uids.size(); at += kMaxRecordMessages) {
    const size_t end = std::min(uids.size(), at + kMaxRecordMessages);
    LogRecord record;
    record.mutable_expunged()->mutable_uids()->Add(uids.begin() + static_cast<ptrdiff_t>(at),
                                                   uids.begin() + static_cast<ptrdiff_t>(end));
    RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
  }
  return absl::OkStatus();
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
  // The name lagged behind, or a hand changed it. A file that is missing is found out when it is
  // read.
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

absl::StatusOr<std::vector<MessageInfo>> Mailbox::ListFiles(uint32_t first_shard) const {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env_->List(directory_));
  std::vector<uint32_t> shards;
  for (const std::string& name : names) {
    const std::optional<uint32_t> shard = ParseShardName(name);
    if (shard && *shard >= first_shard) shards.push_back(*shard);
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

// What a process or machine that died left undone concerns the newest messages: names that lag
// behind the log, records whose file never came, and, after a power failure, files whose record was
// lost (in any later shard).
absl::Status Mailbox::MendLastShard() {
  const uint32_t first = (index_.counts().uid_next - 1) / kShardSize;
  RMAIL_ASSIGN_OR_RETURN(std::vector<MessageInfo> files, ListFiles(first));
  const uint32_t known = index_.counts().uid_next;
  const auto orphans = std::find_if(files.begin(), files.end(),
                                    [known](const MessageInfo& file) { return file.uid >= known; });
  RMAIL_RETURN_IF_ERROR(
      MendNames(std::vector<MessageInfo>(files.begin(), orphans), first * kShardSize));
  if (orphans == files.end()) return absl::OkStatus();
  files.erase(files.begin(), orphans);
  LogWarning("{}: {} messages were missing in the log", directory_, files.size());
  for (LogRecord& record : AppendedRecords(files)) RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
  return absl::OkStatus();
}

absl::Status Mailbox::MendNames(const std::vector<MessageInfo>& files, uint32_t first_uid) {
  absl::flat_hash_map<uint32_t, std::vector<MessageInfo>> by_uid;
  for (const MessageInfo& file : files) by_uid[file.uid].push_back(file);
  std::vector<uint32_t> missing;
  for (const MessageRow& row : index_.Rows({{std::max(first_uid, 1u), UINT32_MAX}})) {
    const std::vector<MessageInfo>& named = by_uid[row.info.uid];
    if (named.empty()) {
      missing.push_back(row.info.uid);
    } else if (std::find(named.begin(), named.end(), row.info) == named.end()) {
      // The name that the index says is free: a rename replaces nothing.
      RMAIL_RETURN_IF_ERROR(env_->Rename(PathOf(named[0]), PathOf(row.info)));
    }
  }
  if (missing.empty()) return absl::OkStatus();
  LogWarning("{}: {} messages of the log never got a file", directory_, missing.size());
  return AppendExpunged(missing);
}

// `appended` records for files in order; a second file of one UID is left out.
std::vector<LogRecord> Mailbox::AppendedRecords(const std::vector<MessageInfo>& files) const {
  std::vector<LogRecord> records;
  uint32_t last = 0;
  for (const MessageInfo& file : files) {
    if (file.uid == last) {
      LogError("{}: {} has the UID of another file and is left out", directory_, ShardPath(file));
      continue;
    }
    last = file.uid;
    if (records.empty() || records.back().appended().uids_size() == kMaxRecordMessages) {
      records.emplace_back();
    }
    Appended* const appended = records.back().mutable_appended();
    appended->add_uids(file.uid);
    appended->add_internal_dates(file.internal_date);
    appended->add_sizes(file.size);
    appended->add_flags(file.flags);
  }
  return records;
}

absl::Status Mailbox::RebuildLocked(std::string_view why, uint32_t uid_gap) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files, ListFiles(0));
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env_->List(directory_));
  const bool is_new = std::none_of(names.begin(), names.end(), [](const std::string& name) {
    return ParseShardName(name).has_value();
  });
  // What was read of the old log, as far as it goes: neither modseqs nor UIDs may go back behind
  // it.
  const IndexCounts before = index_.counts();
  const uint32_t uid_next =
      files.empty() ? before.uid_next : std::max(before.uid_next, files.back().uid + 1);
  // No modseq ever given reaches the microseconds since 1970.
  const uint64_t now = static_cast<uint64_t>(absl::ToUnixMicros(absl::Now()));
  uint64_t modseq = is_new ? 2 : std::max(before.highest_modseq + 1, now);
  std::vector<LogRecord> records = AppendedRecords(files);
  records.emplace_back().set_uid_floor(is_new ? 1
                                              : std::min(uid_next, UINT32_MAX - uid_gap) + uid_gap);
  for (LogRecord& record : records) record.set_modseq(modseq++);

  const std::string path = JoinPath(directory_, kLogName);
  RMAIL_RETURN_IF_ERROR(LogFile::Create(env_, path, records));
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
