#include "store/engine/index_files.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "store/base/status.h"

namespace rmail::engine {
namespace {

// A reader without a lock may come between the two renames of a checkpoint.
constexpr int kOpenTries = 3;

absl::StatusOr<uint64_t> AddUpNames(Env* env, const std::string& directory) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> shards, ListShards(env, directory));
  uint64_t size = 0;
  for (const uint32_t shard : shards) {
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files, ListShard(env, directory, shard));
    for (const MessageInfo& file : files) size += file.size;
  }
  return size;
}

// What those of the messages take that have no file.
absl::StatusOr<uint64_t> SizeWithoutFiles(Env* env, const std::string& directory, Index& index,
                                          const google::protobuf::RepeatedField<uint32_t>& uids) {
  uint64_t size = 0;
  std::optional<uint32_t> shard;
  std::vector<MessageInfo> files;
  const auto by_uid = [](const MessageInfo& a, const MessageInfo& b) { return a.uid < b.uid; };
  for (const uint32_t uid : uids) {
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, index.Rows({{uid, uid}}));
    if (rows.empty()) continue;
    if (shard != uid / kShardSize) {
      shard = uid / kShardSize;
      RMAIL_ASSIGN_OR_RETURN(files, ListShard(env, directory, *shard));
    }
    if (!std::binary_search(files.begin(), files.end(), rows[0].info, by_uid)) {
      size += rows[0].info.size;
    }
  }
  return size;
}

absl::StatusOr<uint64_t> SizeOf(Env* env, const std::string& directory, OpenedIndex& opened,
                                bool locked) {
  const uint64_t size = opened.index.counts().size;
  // Whoever has the lock is at work on what its last record says, or will settle it first.
  if (!locked || opened.last.settled) return size;
  const LogRecord& record = opened.last.record;
  uint64_t without = 0;
  for (const auto* const uids :
       {&record.appended().uids(), &record.appended().moved_from(), &record.moving().uids()}) {
    RMAIL_ASSIGN_OR_RETURN(const uint64_t some,
                           SizeWithoutFiles(env, directory, opened.index, *uids));
    without += some;
  }
  return size - without;
}

}  // namespace

absl::StatusOr<LogFile::Tail> ReadRecords(LogFile& log, Index& index, bool skip_known,
                                          LastRecord* last) {
  absl::Status applied;
  std::vector<MessageInfo> removed;
  RMAIL_ASSIGN_OR_RETURN(const LogFile::Tail tail, log.Read([&](const LogRecord& record) {
    if (!applied.ok()) return;
    if (skip_known && record.modseq() <= index.counts().highest_modseq) return;
    removed.clear();
    applied = index.Apply(record, &removed);
    last->record = record;
    last->removed.swap(removed);
    last->settled = false;
  }));
  RMAIL_RETURN_IF_ERROR(applied);
  return tail;
}

absl::StatusOr<OpenedIndex> OpenIndex(Env* env, const std::string& directory) {
  OpenedIndex opened;
  RMAIL_ASSIGN_OR_RETURN(opened.log, LogFile::Open(env, JoinPath(directory, kLogName)));
  const LogHeader& header = opened.log->header();
  if (header.base_modseq != 0) {
    absl::StatusOr<std::shared_ptr<const SnapshotFile>> snapshot =
        SnapshotFile::Open(env, JoinPath(directory, kSnapshotName));
    if (absl::IsNotFound(snapshot.status())) {
      return MakeStatus(absl::StatusCode::kDataLoss, "the snapshot is missing");
    }
    RMAIL_RETURN_IF_ERROR(snapshot.status());
    // One that is newer than the log's start is fine: a checkpoint that did not come to its end.
    if ((*snapshot)->header().epoch != header.epoch ||
        (*snapshot)->header().modseq < header.base_modseq) {
      return MakeStatus(absl::StatusCode::kDataLoss, "snapshot and log don't go together");
    }
    opened.index = Index(*std::move(snapshot));
  }
  RMAIL_ASSIGN_OR_RETURN(opened.tail,
                         ReadRecords(*opened.log, opened.index, /*skip_known=*/true, &opened.last));
  return opened;
}

absl::StatusOr<std::vector<MessageInfo>> ListShard(Env* env, const std::string& directory,
                                                   uint32_t shard) {
  std::vector<MessageInfo> files;
  const absl::StatusOr<std::vector<std::string>> names =
      env->List(JoinPath(directory, std::to_string(shard)));
  if (absl::IsNotFound(names.status())) return files;
  RMAIL_RETURN_IF_ERROR(names.status());
  files.reserve(names->size());
  for (const std::string& name : *names) {
    const std::optional<MessageInfo> info = ParseFileName(name);
    if (info && info->uid / kShardSize == shard) files.push_back(*info);
  }
  std::sort(files.begin(), files.end(),
            [](const MessageInfo& a, const MessageInfo& b) { return a.uid < b.uid; });
  return files;
}

absl::StatusOr<std::vector<uint32_t>> ListShards(Env* env, const std::string& directory) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names, env->List(directory));
  std::vector<uint32_t> shards;
  for (const std::string& name : names) {
    if (const std::optional<uint32_t> shard = ParseShardName(name)) shards.push_back(*shard);
  }
  std::sort(shards.begin(), shards.end());
  return shards;
}

absl::StatusOr<uint64_t> ReadMailboxSize(Env* env, const std::string& directory) {
  // Whoever waited for a mailbox's lock here could wait for one that waits for the account's usage.
  const absl::StatusOr<std::unique_ptr<File>> lock_file =
      env->Open(JoinPath(directory, kLockName), Env::OpenMode::kReadWrite);
  std::optional<FileLock> lock;
  if (lock_file.ok()) {
    RMAIL_ASSIGN_OR_RETURN(std::optional<FileLock> taken, FileLock::TryAcquire(lock_file->get()));
    if (taken) lock.emplace(*std::move(taken));
  }
  for (int i = 0; i < kOpenTries; ++i) {
    absl::StatusOr<OpenedIndex> opened = OpenIndex(env, directory);
    if (absl::IsNotFound(opened.status()) || absl::IsDataLoss(opened.status())) continue;
    RMAIL_RETURN_IF_ERROR(opened.status());
    if (opened->tail == LogFile::Tail::kDamaged) continue;
    const absl::StatusOr<uint64_t> size = SizeOf(env, directory, *opened, lock.has_value());
    if (!absl::IsDataLoss(size.status())) return size;
  }
  return AddUpNames(env, directory);
}

}  // namespace rmail::engine
