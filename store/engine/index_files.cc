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
  for (int i = 0; i < kOpenTries; ++i) {
    const absl::StatusOr<OpenedIndex> opened = OpenIndex(env, directory);
    if (absl::IsNotFound(opened.status()) || absl::IsDataLoss(opened.status())) continue;
    RMAIL_RETURN_IF_ERROR(opened.status());
    if (opened->tail != LogFile::Tail::kDamaged) return opened->index.counts().size;
  }
  return AddUpNames(env, directory);
}

}  // namespace rmail::engine
