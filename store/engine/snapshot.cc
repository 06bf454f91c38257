#include "store/engine/snapshot.h"

#include <fmt/format.h>
// The state of a hash in steps is only declared for who links it statically.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include <string_view>
#include <utility>

#include "store/base/status.h"
#include "store/engine/little_endian.h"

namespace rmail::engine {
namespace {

// "rmsnap" and the format's version.
constexpr std::string_view kMagic{"rmsnap\0\2", 8};
// The version before, whose directory does not tell what messages with \Deleted take.
constexpr std::string_view kFirstMagic{"rmsnap\0\1", 8};
constexpr size_t kHeader = 64;
constexpr size_t kDirectoryEntry = 56;
constexpr size_t kFirstDirectoryEntry = 48;
constexpr size_t kExpungedEntry = 16;
constexpr size_t kRow = 36;
// More shards than 2^32 UIDs have.
constexpr uint32_t kMaxShards = UINT32_MAX / kShardSize + 1;
constexpr uint32_t kMaxExpungedSpans = 1 << 20;

uint64_t Hash(std::string_view data) { return XXH3_64bits(data.data(), data.size()); }

absl::Status Damaged(std::string_view what) {
  return MakeStatus(absl::StatusCode::kDataLoss, fmt::format("the snapshot's {} is damaged", what));
}

template <typename T>
void PutColumn(const std::vector<T>& column, std::string* out) {
  out->append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T));
}

// Reads a block's columns one after the other, each straight to its place.
class BlockReader {
 public:
  BlockReader(const File& file, uint64_t offset, size_t count)
      : file_(file), offset_(offset), count_(count) {
    XXH3_64bits_reset(&state_);
  }

  template <typename T>
  absl::Status Read(std::vector<T>* column) {
    column->resize(count_);
    const size_t size = count_ * sizeof(T);
    RMAIL_ASSIGN_OR_RETURN(const size_t got,
                           file_.ReadAt(offset_, reinterpret_cast<char*>(column->data()), size));
    if (got != size) return Damaged("end");
    XXH3_64bits_update(&state_, column->data(), size);
    offset_ += size;
    return absl::OkStatus();
  }

  // Of what was read.
  uint64_t hash() const { return XXH3_64bits_digest(&state_); }

 private:
  const File& file_;
  uint64_t offset_;
  const size_t count_;
  XXH3_state_t state_;
};

std::string FormatBlock(const ShardColumns& columns) {
  std::string block;
  block.reserve(columns.size() * kRow);
  PutColumn(columns.flags, &block);
  PutColumn(columns.modseqs, &block);
  PutColumn(columns.internal_dates, &block);
  PutColumn(columns.sizes, &block);
  PutColumn(columns.uids, &block);
  return block;
}

std::string FormatHeader(std::string_view magic, const SnapshotHeader& header, size_t shards,
                         size_t expunged, uint64_t directory_hash) {
  std::string text(magic);
  PutFixed<uint64_t>(header.epoch, &text);
  PutFixed<uint64_t>(header.modseq, &text);
  PutFixed<uint64_t>(header.expunged_floor, &text);
  PutFixed<uint32_t>(header.uid_next, &text);
  PutFixed<uint32_t>(static_cast<uint32_t>(shards), &text);
  PutFixed<uint64_t>(expunged, &text);
  PutFixed<uint64_t>(directory_hash, &text);
  PutFixed<uint64_t>(Hash(text), &text);
  return text;
}

// Removes a file that was not finished.
class Draft {
 public:
  Draft(Env* env, const std::string& path) : env_(env), path_(path) {}
  ~Draft() {
    if (!finished_) (void)env_->Remove(path_);
  }
  void Finish() { finished_ = true; }

 private:
  Env* const env_;
  const std::string& path_;
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const SnapshotFile>> SnapshotFile::Open(Env* env,
                                                                       const std::string& path) {
  std::shared_ptr<SnapshotFile> snapshot(new SnapshotFile());
  RMAIL_ASSIGN_OR_RETURN(snapshot->file_, env->Open(path, Env::OpenMode::kRead));
  RMAIL_RETURN_IF_ERROR(snapshot->ReadDirectory());
  return snapshot;
}

absl::Status SnapshotFile::ReadDirectory() {
  RMAIL_ASSIGN_OR_RETURN(const FileInfo info, file_->Info());
  size_ = info.size;
  char text[kHeader];
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file_->ReadAt(0, text, sizeof(text)));
  if (size != kHeader) return Damaged("header");
  const bool first_version = std::string_view(text, kFirstMagic.size()) == kFirstMagic;
  const size_t entry = first_version ? kFirstDirectoryEntry : kDirectoryEntry;
  header_.epoch = GetFixed<uint64_t>(text + 8);
  header_.modseq = GetFixed<uint64_t>(text + 16);
  header_.expunged_floor = GetFixed<uint64_t>(text + 24);
  header_.uid_next = GetFixed<uint32_t>(text + 32);
  const auto shards = GetFixed<uint32_t>(text + 36);
  const auto expunged = GetFixed<uint64_t>(text + 40);
  const auto hash = GetFixed<uint64_t>(text + 48);
  if (std::string_view(text, size) !=
          FormatHeader(first_version ? kFirstMagic : kMagic, header_, shards, expunged, hash) ||
      shards > kMaxShards || expunged > kMaxExpungedSpans) {
    return Damaged("header");
  }

  std::string directory(shards * entry + expunged * kExpungedEntry, '\0');
  if (kHeader + directory.size() > size_) return Damaged("directory");
  RMAIL_ASSIGN_OR_RETURN(const size_t got,
                         file_->ReadAt(kHeader, directory.data(), directory.size()));
  if (got != directory.size() || Hash(directory) != hash) return Damaged("directory");
  const char* at = directory.data();
  for (uint32_t i = 0; i < shards; ++i, at += entry) {
    ShardSummary summary;
    summary.shard = GetFixed<uint32_t>(at);
    summary.messages = GetFixed<uint32_t>(at + 4);
    summary.unseen = GetFixed<uint32_t>(at + 8);
    summary.deleted = GetFixed<uint32_t>(at + 12);
    summary.size = GetFixed<uint64_t>(at + 16);
    summary.max_modseq = GetFixed<uint64_t>(at + 24);
    const Block block{GetFixed<uint64_t>(at + 32), GetFixed<uint64_t>(at + 40)};
    if (!first_version) summary.deleted_size = GetFixed<uint64_t>(at + 48);
    const bool ascending = shards_.empty() || shards_.back().shard < summary.shard;
    const bool below_next = uint64_t{summary.shard} * kShardSize < header_.uid_next;
    if (!ascending || !below_next || summary.messages == 0 || summary.messages > kShardSize ||
        block.offset > size_ || summary.messages * kRow > size_ - block.offset) {
      return Damaged("directory");
    }
    shards_.push_back(summary);
    blocks_.push_back(block);
  }
  for (uint64_t i = 0; i < expunged; ++i, at += kExpungedEntry) {
    expunged_.push_back(
        {GetFixed<uint64_t>(at), {GetFixed<uint32_t>(at + 8), GetFixed<uint32_t>(at + 12)}});
  }
  return first_version ? CountDeletedSizes() : absl::OkStatus();
}

absl::Status SnapshotFile::CountDeletedSizes() {
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i].deleted == 0) continue;
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<ShardColumns> columns, ReadShard(i));
    for (size_t row = 0; row < columns->size(); ++row) {
      if (columns->flags[row] & kDeleted) shards_[i].deleted_size += columns->sizes[row];
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<ShardColumns>> SnapshotFile::ReadShard(size_t i) const {
  const ShardSummary& summary = shards_[i];
  auto columns = std::make_shared<ShardColumns>();
  BlockReader reader(*file_, blocks_[i].offset, summary.messages);
  RMAIL_RETURN_IF_ERROR(reader.Read(&columns->flags));
  RMAIL_RETURN_IF_ERROR(reader.Read(&columns->modseqs));
  RMAIL_RETURN_IF_ERROR(reader.Read(&columns->internal_dates));
  RMAIL_RETURN_IF_ERROR(reader.Read(&columns->sizes));
  RMAIL_RETURN_IF_ERROR(reader.Read(&columns->uids));
  if (reader.hash() != blocks_[i].hash) return Damaged(fmt::format("shard {}", summary.shard));
  uint32_t last = 0;
  for (const uint32_t uid : columns->uids) {
    // No UID is 0.
    if (uid <= last || uid / kShardSize != summary.shard || uid >= header_.uid_next) {
      return Damaged(fmt::format("shard {}", summary.shard));
    }
    last = uid;
  }
  return columns;
}

absl::StatusOr<std::shared_ptr<const ShardColumns>> ShardSource::Read() const {
  if (columns != nullptr) return columns;
  return file->ReadShard(file_index);
}

absl::Status WriteSnapshot(Env* env, const std::string& path, const SnapshotImage& image) {
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                         env->Open(path, Env::OpenMode::kCreateNew));
  Draft draft(env, path);
  std::string directory;
  uint64_t offset =
      kHeader + image.shards.size() * kDirectoryEntry + image.expunged.size() * kExpungedEntry;
  for (const ShardSource& source : image.shards) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const ShardColumns> columns, source.Read());
    const std::string block = FormatBlock(*columns);
    RMAIL_RETURN_IF_ERROR(file->WriteAt(offset, block));
    const ShardSummary& summary = source.summary;
    PutFixed<uint32_t>(summary.shard, &directory);
    PutFixed<uint32_t>(summary.messages, &directory);
    PutFixed<uint32_t>(summary.unseen, &directory);
    PutFixed<uint32_t>(summary.deleted, &directory);
    PutFixed<uint64_t>(summary.size, &directory);
    PutFixed<uint64_t>(summary.max_modseq, &directory);
    PutFixed<uint64_t>(offset, &directory);
    PutFixed<uint64_t>(Hash(block), &directory);
    PutFixed<uint64_t>(summary.deleted_size, &directory);
    offset += block.size();
  }
  for (const ExpungedSpan& span : image.expunged) {
    PutFixed<uint64_t>(span.modseq, &directory);
    PutFixed<uint32_t>(span.uids.first, &directory);
    PutFixed<uint32_t>(span.uids.last, &directory);
  }
  const std::string header = FormatHeader(kMagic, image.header, image.shards.size(),
                                          image.expunged.size(), Hash(directory));
  RMAIL_RETURN_IF_ERROR(file->WriteAt(0, header + directory));
  RMAIL_RETURN_IF_ERROR(file->Sync());
  draft.Finish();
  return absl::OkStatus();
}

}  // namespace rmail::engine
