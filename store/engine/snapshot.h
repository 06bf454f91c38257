// A mailbox's snapshot: its index up to a modseq, in columns, a block for each shard (FORMAT.md).
//
// Opening reads the header and a summary of each shard. Blocks are read when they are needed, each
// with its own hash: a mailbox of ten million messages opens as fast as one of ten thousand, and
// damage in a block is found before it is believed. They are read, not mapped: a mapped file that
// is cut short ends the process (docs/adr/0005).
#ifndef RMAIL_STORE_ENGINE_SNAPSHOT_H_
#define RMAIL_STORE_ENGINE_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/engine/shard_columns.h"

namespace rmail::engine {

struct SnapshotHeader {
  // The log's epoch that it goes with.
  uint64_t epoch = 0;
  // All changes up to here are in it.
  uint64_t modseq = 0;
  // What was expunged up to this modseq may be forgotten.
  uint64_t expunged_floor = 0;
  uint32_t uid_next = 0;
};

// Thread-safe once opened. Errors: DATA_LOSS for what does not read as it was written.
class SnapshotFile {
 public:
  static absl::StatusOr<std::shared_ptr<const SnapshotFile>> Open(Env* env,
                                                                  const std::string& path);

  const SnapshotHeader& header() const { return header_; }
  // Ascending by shard; none is empty.
  const std::vector<ShardSummary>& shards() const { return shards_; }
  // In the order they went.
  const std::vector<ExpungedSpan>& expunged() const { return expunged_; }
  // The columns of shards()[i].
  absl::StatusOr<std::shared_ptr<ShardColumns>> ReadShard(size_t i) const;

 private:
  struct Block {
    uint64_t offset = 0;
    uint64_t hash = 0;
  };

  SnapshotFile() = default;
  absl::Status ReadDirectory();
  // Counts what the first version of the format did not tell.
  absl::Status CountDeletedSizes();

  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
  SnapshotHeader header_;
  std::vector<ShardSummary> shards_;
  std::vector<Block> blocks_;
  std::vector<ExpungedSpan> expunged_;
};

// Where a block's columns come from when a snapshot is written: memory, or the snapshot before.
struct ShardSource {
  ShardSummary summary;
  std::shared_ptr<const ShardColumns> columns;
  std::shared_ptr<const SnapshotFile> file;
  size_t file_index = 0;

  absl::StatusOr<std::shared_ptr<const ShardColumns>> Read() const;
};

// All that a snapshot says, at one moment.
struct SnapshotImage {
  SnapshotHeader header;
  std::vector<ShardSource> shards;
  std::vector<ExpungedSpan> expunged;
};

// Writes a new file and syncs it; on failure none stays.
absl::Status WriteSnapshot(Env* env, const std::string& path, const SnapshotImage& image);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_SNAPSHOT_H_
