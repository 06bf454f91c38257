#include "store/engine/record_files.h"

#include <utility>
#include <vector>

#include "store/base/status.h"
#include "store/engine/digest_identity.h"
#include "store/engine/file_name.h"

namespace rmail::engine {
namespace {

// After so many records of a shard have been read one by one, the rest is read at once.
constexpr int kFewRecords = 8;

// What the records are, and in which version. (Keys have a version of their own, too.)
uint32_t SlotKind(RecordKind kind) { return kind == RecordKind::kDigest ? 0x0102 : 0x0201; }

std::string RecordPath(const std::string& directory, uint32_t uid, RecordKind kind) {
  return JoinPath(JoinPath(directory, ShardName(uid)),
                  kind == RecordKind::kDigest ? "digest.1" : "keys.1");
}

const std::string& RecordOf(const MessageRecords& records, RecordKind kind) {
  return kind == RecordKind::kDigest ? records.digest : records.keys;
}

// Writes records of one kind, opening each shard's file once.
absl::Status Write(Env* env, const std::string& directory, RecordKind kind,
                   std::span<const SlotFile::Record> records) {
  while (!records.empty()) {
    const uint32_t shard = records.front().uid / kShardSize;
    size_t count = 1;
    while (count < records.size() && records[count].uid / kShardSize == shard) ++count;
    RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<SlotFile> file,
                           SlotFile::Open(env, RecordPath(directory, records.front().uid, kind),
                                          SlotKind(kind), SlotFile::Mode::kWrite));
    RMAIL_RETURN_IF_ERROR(file->PutMany(records.first(count)));
    records = records.subspan(count);
  }
  return absl::OkStatus();
}

}  // namespace

RecordReader::RecordReader(Env* env, std::string directory, RecordKind kind)
    : env_(env), directory_(std::move(directory)), kind_(kind) {}

std::optional<std::string_view> RecordReader::Find(uint32_t uid) {
  if (shard_ != uid / kShardSize) OpenShard(uid);
  if (file_ == nullptr) return std::nullopt;
  if (!loaded_ && ++found_ > kFewRecords) {
    if (!file_->Load(&image_).ok()) {
      file_ = nullptr;
      return std::nullopt;
    }
    loaded_ = true;
  }
  if (loaded_) return image_.Find(uid);
  absl::StatusOr<std::optional<std::string>> record = file_->Get(uid);
  if (!record.ok() || !*record) return std::nullopt;
  record_ = **std::move(record);
  return record_;
}

void RecordReader::OpenShard(uint32_t uid) {
  shard_ = uid / kShardSize;
  found_ = 0;
  loaded_ = false;
  absl::StatusOr<std::unique_ptr<SlotFile>> file = SlotFile::Open(
      env_, RecordPath(directory_, uid, kind_), SlotKind(kind_), SlotFile::Mode::kRead);
  file_ = file.ok() ? *std::move(file) : nullptr;
}

absl::Status WriteRecords(Env* env, const std::string& directory,
                          std::span<const UidRecords> records) {
  for (const RecordKind kind : {RecordKind::kDigest, RecordKind::kKeys}) {
    std::vector<SlotFile::Record> slots;
    slots.reserve(records.size());
    // Digests that were given their `saved`; it must not move.
    std::vector<std::string> dated;
    dated.reserve(records.size());
    for (const auto& [uid, message, saved] : records) {
      const std::string& record = RecordOf(*message, kind);
      if (record.empty()) continue;
      if (kind == RecordKind::kDigest && saved != 0) {
        slots.push_back({uid, dated.emplace_back(WithSaved(record, saved))});
      } else {
        slots.push_back({uid, record});
      }
    }
    RMAIL_RETURN_IF_ERROR(Write(env, directory, kind, slots));
  }
  return absl::OkStatus();
}

absl::Status CopyRecords(Env* env, const std::string& source_directory,
                         std::span<const uint32_t> source_uids, const std::string& target_directory,
                         std::span<const uint32_t> target_uids, int64_t saved) {
  // So many at a time are held in memory.
  constexpr size_t kBatch = 1024;
  for (const RecordKind kind : {RecordKind::kDigest, RecordKind::kKeys}) {
    RecordReader reader(env, source_directory, kind);
    size_t next = 0;
    while (next < source_uids.size()) {
      std::vector<std::pair<uint32_t, std::string>> found;
      size_t octets = 0;
      for (; next < source_uids.size() && found.size() < kBatch && octets < SlotFile::kMaxRecord;
           ++next) {
        const std::optional<std::string_view> record = reader.Find(source_uids[next]);
        if (!record) continue;
        found.emplace_back(target_uids[next], kind == RecordKind::kDigest
                                                  ? WithSaved(*record, saved)
                                                  : std::string(*record));
        octets += record->size();
      }
      std::vector<SlotFile::Record> slots;
      slots.reserve(found.size());
      for (const auto& [uid, payload] : found) slots.push_back({uid, payload});
      RMAIL_RETURN_IF_ERROR(Write(env, target_directory, kind, slots));
    }
  }
  return absl::OkStatus();
}

absl::Status TidyRecords(Env* env, const std::string& directory, uint32_t shard,
                         std::span<const uint32_t> live_uids) {
  for (const RecordKind kind : {RecordKind::kDigest, RecordKind::kKeys}) {
    const std::string path = RecordPath(directory, shard * kShardSize, kind);
    if (live_uids.empty()) {
      const absl::Status removed = env->Remove(path);
      if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
      continue;
    }
    absl::StatusOr<std::unique_ptr<SlotFile>> file =
        SlotFile::Open(env, path, SlotKind(kind), SlotFile::Mode::kRead);
    if (absl::IsNotFound(file.status())) continue;
    RMAIL_RETURN_IF_ERROR(file.status());
    RMAIL_RETURN_IF_ERROR((*file)->Compact(live_uids));
  }
  return absl::OkStatus();
}

}  // namespace rmail::engine
