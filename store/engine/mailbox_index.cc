// The part of Mailbox that keeps index, log and file names in agreement: opening, catching up,
// settling what another process left undone, making the index anew.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

constexpr char kIncomingName[] = "tmp";

// A temporary file that is older belongs to a process that died.
constexpr absl::Duration kLongestUpload = absl::Hours(24);

uint32_t ShardOf(uint32_t uid) { return uid / kShardSize; }

// The shard's files as a snapshot's block; a second file of one UID is left out.
ShardSource BlockOf(const std::string& directory, uint32_t shard,
                    const std::vector<MessageInfo>& files, uint64_t modseq) {
  ShardSource source;
  auto columns = std::make_shared<ShardColumns>();
  source.summary.shard = shard;
  source.summary.max_modseq = modseq;
  for (const MessageInfo& file : files) {
    if (columns->size() > 0 && columns->uids.back() == file.uid) {
      LogError("{}: {} has the UID of another file and is left out", directory, ShardPath(file));
      continue;
    }
    columns->Add(file, modseq);
    ++source.summary.messages;
    if (!(file.flags & kSeen)) ++source.summary.unseen;
    source.summary.size += file.size;
    if (file.flags & kDeleted) {
      ++source.summary.deleted;
      source.summary.deleted_size += file.size;
    }
  }
  source.columns = std::move(columns);
  return source;
}

// What the names in a mailbox's folder say. `modseq` is that of each message.
absl::StatusOr<SnapshotImage> ImageOfNames(Env* env, const std::string& directory,
                                           const std::vector<uint32_t>& shards, uint64_t modseq,
                                           const Mailbox::Progress& progress) {
  SnapshotImage image;
  image.header.modseq = modseq;
  image.header.expunged_floor = modseq;
  image.header.uid_next = 1;
  for (size_t i = 0; i < shards.size(); ++i) {
    if (progress != nullptr &&
        !progress(static_cast<uint32_t>(i), static_cast<uint32_t>(shards.size()))) {
      return MakeStatus(absl::StatusCode::kCancelled, "nobody waits for the rebuild any more");
    }
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files,
                           ListShard(env, directory, shards[i]));
    if (files.empty()) continue;
    image.shards.push_back(BlockOf(directory, shards[i], files, modseq));
    image.header.uid_next = files.back().uid + 1;
  }
  return image;
}

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
      const absl::StatusOr<LogFile::Tail> tail =
          ReadRecords(*log_, index_, /*skip_known=*/false, &last_);
      if (!tail.ok()) {
        // What was read and could not be applied must be read again.
        log_ = nullptr;
        if (!absl::IsDataLoss(tail.status())) return tail.status();
      }
      // A torn tail is most likely another process that is writing: what is whole has been read.
      if (tail.ok() && *tail != LogFile::Tail::kDamaged && !last_.record.has_superseded()) {
        return absl::OkStatus();
      }
    }
  }
  return LockAndRefresh().status();
}

absl::StatusOr<FileLock> Mailbox::AcquireLock() {
  if (lock_file_ != nullptr) {
    absl::StatusOr<FileLock> lock = lock_file_->Acquire();
    if (ReasonOf(lock.status()) != store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) return lock;
    // A hand may have removed the file. If the mailbox was deleted, so was its folder.
    log_ = nullptr;
  }
  RMAIL_ASSIGN_OR_RETURN(lock_file_, LockFile::Open(env_, directory_));
  return lock_file_->Acquire();
}

absl::StatusOr<FileLock> Mailbox::LockAndRefresh() {
  RMAIL_ASSIGN_OR_RETURN(FileLock lock, AcquireLock());
  absl::Status current = MakeCurrent();
  if (current.ok()) current = CheckMark();
  if (current.ok()) current = Settle();
  if (!current.ok()) {
    // Whoever could not read to the end must not write there: the next call starts over.
    log_ = nullptr;
    return current;
  }
  return lock;
}

absl::Status Mailbox::MakeCurrent() {
  if (log_ == nullptr) return OpenLog();
  bool replaced;
  RMAIL_ASSIGN_OR_RETURN(const bool news, log_->HasNews(&replaced));
  if (replaced) {
    // What others wrote before they replaced it.
    const absl::StatusOr<LogFile::Tail> tail =
        ReadRecords(*log_, index_, /*skip_known=*/false, &last_);
    return tail.ok() && *tail != LogFile::Tail::kDamaged ? ReopenLog() : OpenLog();
  }
  if (news) RMAIL_RETURN_IF_ERROR(CatchUp());
  if (last_.record.has_superseded() && !last_.settled) return ReopenLog();
  return absl::OkStatus();
}

absl::Status Mailbox::CatchUp() {
  const absl::StatusOr<LogFile::Tail> tail =
      ReadRecords(*log_, index_, /*skip_known=*/false, &last_);
  if (absl::IsDataLoss(tail.status()) || (tail.ok() && *tail == LogFile::Tail::kDamaged)) {
    log_ = nullptr;
    return RebuildLocked("the log is damaged", nullptr);
  }
  RMAIL_RETURN_IF_ERROR(tail.status());
  if (*tail == LogFile::Tail::kClean) return absl::OkStatus();
  // Whoever wrote this died: nobody else can be writing now.
  LogWarning("{}: cutting off an unfinished log record", directory_);
  return log_->CutTail();
}

// After a checkpoint of another process: the new log goes on where the old one ends, and what has
// been read stays.
absl::Status Mailbox::ReopenLog() {
  absl::StatusOr<std::unique_ptr<LogFile>> log =
      LogFile::Open(env_, JoinPath(directory_, kLogName));
  if (!log.ok() || (*log)->header().epoch != log_->header().epoch ||
      (*log)->header().base_modseq > index_.counts().highest_modseq) {
    return OpenLog();
  }
  log_ = *std::move(log);
  last_.settled = last_.settled || last_.record.has_superseded();
  const absl::StatusOr<LogFile::Tail> tail =
      ReadRecords(*log_, index_, /*skip_known=*/true, &last_);
  if (!tail.ok() || *tail == LogFile::Tail::kDamaged) return OpenLog();
  return *tail == LogFile::Tail::kTorn ? log_->CutTail() : absl::OkStatus();
}

// A log that was cut short ends where a record ends, or looks as if a process had died: only what
// was known outside of it tells that there was more.
absl::Status Mailbox::CheckMark() {
  RMAIL_ASSIGN_OR_RETURN(const std::optional<IndexMark> mark, lock_file_->ReadMark());
  const IndexCounts& counts = index_.counts();
  if (!mark || (counts.highest_modseq >= mark->modseq && counts.uid_next >= mark->uid_next)) {
    return absl::OkStatus();
  }
  log_ = nullptr;
  return RebuildLocked("changes are missing at the log's end", nullptr);
}

absl::Status Mailbox::OpenLog() {
  log_ = nullptr;
  index_ = Index();
  last_ = LastRecord();
  made_shard_.reset();
  RMAIL_ASSIGN_OR_RETURN(const bool went_down, lock_file_->WentDown(env_->BootId()));
  absl::StatusOr<OpenedIndex> opened = OpenIndex(env_, directory_);
  std::string damage;
  if (absl::IsNotFound(opened.status())) {
    damage = "the log is missing";
  } else if (absl::IsDataLoss(opened.status())) {
    damage = std::string(FromAbsl(opened.status().message()));
  } else {
    RMAIL_RETURN_IF_ERROR(opened.status());
    if (opened->tail == LogFile::Tail::kDamaged) damage = "the log is damaged";
    index_ = std::move(opened->index);
  }
  if (damage.empty()) {
    log_ = std::move(opened->log);
    last_ = std::move(opened->last);
    if (opened->tail == LogFile::Tail::kTorn) {
      LogWarning("{}: cutting off an unfinished log record", directory_);
      RMAIL_RETURN_IF_ERROR(log_->CutTail());
    }
    if (went_down) RMAIL_RETURN_IF_ERROR(RecoverFromPowerLoss());
  } else {
    RMAIL_RETURN_IF_ERROR(RebuildLocked(damage, nullptr));
  }
  RemoveLeftovers();
  return lock_file_->NoteBoot(env_->BootId());
}

absl::StatusOr<std::vector<MessageInfo>> Mailbox::InfosOf(
    const google::protobuf::RepeatedField<uint32_t>& uids) {
  std::vector<UidSpan> spans;
  for (const uint32_t uid : uids) {
    if (!spans.empty() && spans.back().last + 1 == uid) {
      spans.back().last = uid;
    } else {
      spans.push_back({uid, uid});
    }
  }
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, RowsLocked(spans));
  std::vector<MessageInfo> infos;
  infos.reserve(rows.size());
  for (const MessageRow& row : rows) infos.push_back(row.info);
  return infos;
}

// Does to the files what the last record says, if whoever wrote it died before it had.
absl::Status Mailbox::Settle() {
  if (last_.settled) return absl::OkStatus();
  // A copy: the index may be made anew underneath.
  const LogRecord record = last_.record;
  if (record.appended().together() || record.appended().replaces() != 0) {
    return SettleAppended(record.appended());
  }
  std::vector<MessageInfo> wanted;
  if (record.has_appended()) {
    RMAIL_ASSIGN_OR_RETURN(wanted, InfosOf(record.appended().uids()));
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> sources,
                           InfosOf(record.appended().moved_from()));
    wanted.insert(wanted.begin(), sources.begin(), sources.end());
  } else if (record.has_flags_changed()) {
    RMAIL_ASSIGN_OR_RETURN(wanted, InfosOf(record.flags_changed().uids()));
  } else if (record.has_moving()) {
    RMAIL_ASSIGN_OR_RETURN(wanted, InfosOf(record.moving().uids()));
  } else if (record.has_expunged()) {
    return SettleExpunged(record.expunged());
  }
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> missing, MendNames(wanted));
  RMAIL_RETURN_IF_ERROR(ForgetMessages(missing));
  last_.settled = true;
  return absl::OkStatus();
}

absl::Status Mailbox::SettleExpunged(const Expunged& expunged) {
  std::vector<MessageInfo> strays;
  for (const MessageInfo& info : last_.removed) {
    if (expunged.moved()) {
      // Only a machine that went down, this or another, can have left it.
      if (env_->Stat(PathOf(info)).ok()) strays.push_back(info);
      continue;
    }
    const absl::Status removed = env_->Remove(PathOf(info));
    if (!absl::IsNotFound(removed)) RMAIL_RETURN_IF_ERROR(removed);
  }
  RMAIL_RETURN_IF_ERROR(AdoptStrays(strays));
  last_.settled = true;
  return absl::OkStatus();
}

absl::Status Mailbox::ForgetMessages(const std::vector<uint32_t>& uids) {
  if (uids.empty()) return absl::OkStatus();
  LogWarning("{}: {} messages of the index have no file", directory_, uids.size());
  const auto forget = [&]() -> absl::Status {
    mutex_.AssertHeld();
    for (size_t at = 0; at < uids.size(); at += kMaxRecordMessages) {
      const size_t end = std::min(uids.size(), at + kMaxRecordMessages);
      LogRecord record;
      // Should a file turn up all the same, it is not removed.
      record.mutable_expunged()->set_moved(true);
      record.mutable_expunged()->mutable_uids()->Add(uids.begin() + static_cast<ptrdiff_t>(at),
                                                     uids.begin() + static_cast<ptrdiff_t>(end));
      RMAIL_RETURN_IF_ERROR(AppendRecord(&record));
      last_.settled = true;
    }
    return absl::OkStatus();
  };
  return ChangeUnknownSize(forget);
}

void Mailbox::RemoveLeftovers() const {
  const int64_t oldest = absl::ToUnixNanos(absl::Now() - kLongestUpload);
  const auto sweep = [&](const std::string& directory, bool all) {
    const absl::StatusOr<std::vector<std::string>> names = env_->List(directory);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      if (!all && !absl::EndsWith(name, ".tmp")) continue;
      const std::string path = JoinPath(directory, name);
      const absl::StatusOr<FileInfo> info = env_->Stat(path);
      if (info.ok() && !info->is_directory && info->modified_ns < oldest) (void)env_->Remove(path);
    }
  };
  sweep(JoinPath(directory_, kIncomingName), /*all=*/true);
  sweep(directory_, /*all=*/false);
}

absl::StatusOr<std::vector<MessageRow>> Mailbox::RowsLocked(const std::vector<UidSpan>& spans) {
  absl::StatusOr<std::vector<MessageRow>> rows = index_.Rows(spans);
  if (!absl::IsDataLoss(rows.status())) return rows;
  log_ = nullptr;
  RMAIL_RETURN_IF_ERROR(RebuildLocked(FromAbsl(rows.status().message()), nullptr));
  return index_.Rows(spans);
}

absl::Status Mailbox::AppendRecord(LogRecord* record, const SizeChange& change) {
  RMAIL_RETURN_IF_ERROR(index_.Prepare(*record));
  record->set_modseq(index_.counts().highest_modseq + 1);
  const auto append = [&]() -> absl::Status {
    mutex_.AssertHeld();
    return log_->Append(*record);
  };
  RMAIL_RETURN_IF_ERROR(context_.usage != nullptr && change.delta != 0
                            ? context_.usage->Step(change.delta, change.quota, append)
                            : append());
  last_ = {*record, {}, false};
  const absl::Status applied = index_.Apply(*record, &last_.removed);
  if (!applied.ok()) {
    log_ = nullptr;
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a change contradicts the index");
  }
  // Without it, a log that is cut short later is taken as it is: no reason to fail the change.
  (void)WriteMark();
  return absl::OkStatus();
}

absl::Status Mailbox::ChangeUnknownSize(const std::function<absl::Status()>& change) {
  return context_.usage != nullptr ? context_.usage->UnknownStep(change) : change();
}

absl::Status Mailbox::WriteMark() {
  return lock_file_->WriteMark({index_.counts().highest_modseq, index_.counts().uid_next});
}

uint32_t Mailbox::UidFloor(const std::vector<uint32_t>& shards) {
  if (shards.empty()) return 1;
  const uint64_t floor = (uint64_t{shards.back()} + 1) * kShardSize;
  return static_cast<uint32_t>(std::min<uint64_t>(floor, UINT32_MAX));
}

// A shard's folder is there, and on disk, before a UID in it is given, and stays: so the folders
// say which UIDs may have been given, whatever becomes of the index.
absl::Status Mailbox::EnsureShards(uint32_t first_uid, uint32_t last_uid) {
  uint32_t shard = ShardOf(first_uid);
  if (made_shard_ && shard <= *made_shard_) shard = *made_shard_ + 1;
  if (shard > ShardOf(last_uid)) return absl::OkStatus();
  for (; shard <= ShardOf(last_uid); ++shard) {
    RMAIL_RETURN_IF_ERROR(MakeFolder(JoinPath(directory_, std::to_string(shard))));
  }
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  made_shard_ = ShardOf(last_uid);
  return absl::OkStatus();
}

absl::Status Mailbox::RebuildLocked(std::string_view why, const Progress& progress) {
  const bool healthy = log_ != nullptr;
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> shards, ListShards(env_, directory_));
  RMAIL_ASSIGN_OR_RETURN(const std::optional<IndexMark> mark, lock_file_->ReadMark());
  RMAIL_ASSIGN_OR_RETURN(const uint64_t epoch, RandomNumber());
  // What is known of what was: neither modseqs nor UIDs may go back behind it.
  const IndexCounts before = index_.counts();
  const IndexMark known = mark.value_or(IndexMark());
  if (shards.empty() && !mark && before.uid_next == 1) {
    const std::string path = JoinPath(directory_, kLogName);
    RMAIL_RETURN_IF_ERROR(LogFile::Create(env_, path, {epoch, 0}, ""));
    RMAIL_ASSIGN_OR_RETURN(log_, LogFile::Open(env_, path));
    last_ = LastRecord();
    return WriteMark();
  }
  // No modseq ever given reaches the microseconds since 1970.
  const auto now = static_cast<uint64_t>(absl::ToUnixMicros(absl::Now()));
  const uint64_t modseq = std::max({before.highest_modseq + 1, known.modseq + 1, now});
  RMAIL_ASSIGN_OR_RETURN(SnapshotImage image,
                         ImageOfNames(env_, directory_, shards, modseq, progress));
  image.header.epoch = epoch;
  uint32_t& uid_next = image.header.uid_next;
  uid_next = std::max({uid_next, before.uid_next, known.uid_next});
  if (!healthy) uid_next = std::max(uid_next, UidFloor(shards));
  RMAIL_ASSIGN_OR_RETURN(const std::string incoming, IncomingDirectory());
  const std::string draft = JoinPath(incoming, fmt::format("snapshot.{:016x}", epoch));
  RMAIL_RETURN_IF_ERROR(WriteSnapshot(env_, draft, image));
  const auto switch_over = [&]() -> absl::Status {
    mutex_.AssertHeld();
    return SwitchTo(draft, image.header);
  };
  RMAIL_RETURN_IF_ERROR(ChangeUnknownSize(switch_over));
  LogWarning("{}: index made anew ({}): {} messages", directory_, why, index_.counts().messages);
  return absl::OkStatus();
}

absl::Status Mailbox::SwitchTo(const std::string& draft, const SnapshotHeader& header) {
  LogRecord superseded;
  superseded.mutable_superseded();
  if (log_ != nullptr) RMAIL_RETURN_IF_ERROR(AppendRecord(&superseded));
  log_ = nullptr;
  const std::string snapshot_path = JoinPath(directory_, kSnapshotName);
  const std::string log_path = JoinPath(directory_, kLogName);
  RMAIL_RETURN_IF_ERROR(env_->Rename(draft, snapshot_path));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  RMAIL_RETURN_IF_ERROR(LogFile::Create(env_, log_path, {header.epoch, header.modseq}, ""));
  absl::StatusOr<OpenedIndex> opened = OpenIndex(env_, directory_);
  if (!opened.ok() || opened->tail != LogFile::Tail::kClean) {
    return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "a new index cannot be read back");
  }
  log_ = std::move(opened->log);
  index_ = std::move(opened->index);
  last_ = LastRecord();
  return WriteMark();
}

}  // namespace rmail::engine
