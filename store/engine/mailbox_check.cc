// The part of Mailbox that an administrator looks through.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

// Compares one shard. `report` takes a sentence.
void CompareShard(const std::vector<MessageRow>& rows, const std::vector<MessageInfo>& files,
                  const std::function<void(std::string)>& report) {
  absl::flat_hash_map<uint32_t, MessageInfo> by_uid;
  for (const MessageInfo& file : files) {
    if (!by_uid.emplace(file.uid, file).second) {
      report(fmt::format("UID {} has more than one file: {}", file.uid, ShardPath(file)));
    }
  }
  for (const MessageRow& row : rows) {
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
}

}  // namespace

absl::StatusOr<std::vector<Mailbox::ShardInfo>> Mailbox::Shards() {
  std::vector<ShardSummary> summaries;
  {
    MutexLock lock(&mutex_);
    RMAIL_RETURN_IF_ERROR(Refresh());
    summaries = index_.Shards();
  }
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> folders, ListShards(env_, directory_));
  std::vector<ShardInfo> shards;
  for (const ShardSummary& summary : summaries) shards.push_back({summary, 0});
  for (const uint32_t folder : folders) {
    ShardInfo info;
    info.summary.shard = folder;
    const auto at = std::lower_bound(
        shards.begin(), shards.end(), folder,
        [](const ShardInfo& shard, uint32_t number) { return shard.summary.shard < number; });
    if (at == shards.end() || at->summary.shard != folder) shards.insert(at, info);
  }
  for (ShardInfo& shard : shards) {
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files,
                           ListShard(env_, directory_, shard.summary.shard));
    shard.files = static_cast<uint32_t>(files.size());
  }
  return shards;
}

absl::StatusOr<Mailbox::CheckResult> Mailbox::Check(size_t max_problems, const Progress& progress) {
  CheckResult result;
  const auto report = [&](std::string problem) {
    if (result.problems.size() < max_problems) result.problems.push_back(std::move(problem));
  };
  RMAIL_ASSIGN_OR_RETURN(const std::vector<ShardInfo> shards, Shards());
  const auto total = static_cast<uint32_t>(shards.size());
  for (uint32_t i = 0; i < total; ++i) {
    if (progress != nullptr && !progress(i, total)) {
      return MakeStatus(absl::StatusCode::kCancelled, "nobody waits for the check any more");
    }
    const uint32_t shard = shards[i].summary.shard;
    const uint32_t first = shard * kShardSize;
    // Sizes are compared under the lock too: a message may be expunged meanwhile. A shard at a
    // time, so that the mailbox can be used in between.
    MutexLock lock(&mutex_);
    RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, LockAndRefresh());
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows,
                           RowsLocked({{std::max(first, 1u), first + (kShardSize - 1)}}));
    RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files,
                           ListShard(env_, directory_, shard));
    result.indexed += rows.size();
    result.files += files.size();
    CompareShard(rows, files, report);
    for (const MessageInfo& file : files) {
      const absl::StatusOr<FileInfo> stat = env_->Stat(PathOf(file));
      if (!stat.ok()) {
        report(fmt::format("{}: {}", ShardPath(file), FromAbsl(stat.status().message())));
      } else if (stat->size != file.size) {
        report(fmt::format("{} has {} octets", ShardPath(file), stat->size));
      }
    }
  }
  return result;
}

}  // namespace rmail::engine
