// A mailbox's index in memory: the snapshot that it started from and what the log says since, in
// columns, a block for each shard. A block is read from the snapshot when it is first needed.
#ifndef RMAIL_STORE_ENGINE_INDEX_H_
#define RMAIL_STORE_ENGINE_INDEX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/engine/log.pb.h"
#include "store/engine/row_cursor.h"
#include "store/engine/shard_columns.h"
#include "store/engine/snapshot.h"

namespace rmail::engine {

struct IndexCounts {
  uint32_t uid_next = 1;
  uint64_t highest_modseq = 1;
  uint32_t messages = 0;
  uint32_t unseen = 0;
  uint32_t deleted = 0;
  uint64_t size = 0;
  uint64_t deleted_size = 0;  // of those with \Deleted
};

// Not thread-safe. Errors: DATA_LOSS for a damaged block of the snapshot or a record that
// contradicts what is there (the index is then of no use); those of the file system.
class Index {
 public:
  // Spans of expunged UIDs that are remembered, at least.
  static constexpr size_t kMaxExpunged = 100'000;

  Index() = default;
  explicit Index(std::shared_ptr<const SnapshotFile> snapshot);

  // Reads the blocks that a record touches, so that Apply needs no file.
  absl::Status Prepare(const LogRecord& record);
  // Takes a change over. `removed`, if not null, gets the messages that it removed.
  absl::Status Apply(const LogRecord& record, std::vector<MessageInfo>* removed = nullptr);

  const IndexCounts& counts() const { return counts_; }

  // The messages within the spans (ascending, not overlapping), ascending.
  absl::StatusOr<std::vector<MessageRow>> Rows(const std::vector<UidSpan>& spans);
  // The same as a view of this moment that needs no lock and copies nothing; only messages whose
  // modseq is above `changed_since`.
  absl::StatusOr<RowCursor> View(const std::vector<UidSpan>& spans, uint64_t changed_since = 0);

  // UIDs expunged after a modseq, ascending; nullopt when that is longer ago than is remembered.
  std::optional<std::vector<UidSpan>> ExpungedSince(uint64_t modseq) const;

  // Each shard that has messages, ascending.
  std::vector<ShardSummary> Shards() const;

  // All of it, to be written; `header.epoch` is left to the caller. Shares the columns.
  SnapshotImage Image();

 private:
  // A shard that has messages.
  struct Block {
    ShardSummary summary;
    std::shared_ptr<ShardColumns> columns;  // null: still in the snapshot
    size_t file_index = 0;                  // there
    bool shared = false;                    // a view has the columns too: copy before a change
  };

  // Index into blocks_ of the first block whose shard is at least this.
  size_t LowerBlock(uint32_t shard) const;
  absl::Status Load(Block& block);
  absl::Status LoadShardOf(uint32_t uid);
  // Loaded, and nobody else's.
  absl::StatusOr<ShardColumns*> Mutable(Block& block);
  // The block of a UID's shard; null when it has no messages.
  Block* BlockOf(uint32_t uid);

  absl::Status ApplyAppended(const Appended& appended, uint64_t modseq);
  absl::Status ApplyFlags(const FlagsChanged& changed, uint64_t modseq);
  absl::Status ApplyExpunged(const Expunged& expunged, uint64_t modseq,
                             std::vector<MessageInfo>* removed);
  void Count(Block& block, uint64_t flags, uint64_t size, int sign);
  void RememberExpunged(uint64_t modseq, uint32_t uid);

  std::shared_ptr<const SnapshotFile> snapshot_;
  std::vector<Block> blocks_;  // ascending by shard, none empty
  std::vector<ExpungedSpan> expunged_;
  // What was expunged up to this modseq may be forgotten.
  uint64_t expunged_floor_ = 0;
  IndexCounts counts_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_INDEX_H_
