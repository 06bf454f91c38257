// Messages of a mailbox at one moment, one after the other.
#ifndef RMAIL_STORE_ENGINE_ROW_CURSOR_H_
#define RMAIL_STORE_ENGINE_ROW_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "store/engine/shard_columns.h"

namespace rmail::engine {

// Messages that stand together: those of `columns` from `begin` to before `end`.
struct RowRun {
  const ShardColumns* columns = nullptr;
  size_t begin = 0;
  size_t end = 0;
};

// Holds on to what it shows: later changes do not show in it. Not thread-safe, but independent of
// the mailbox's locks.
class RowCursor {
 public:
  RowCursor() = default;
  // `blocks` ascend and never change.
  RowCursor(std::vector<std::shared_ptr<const ShardColumns>> blocks, std::vector<UidSpan> spans,
            uint64_t changed_since)
      : blocks_(std::move(blocks)), spans_(std::move(spans)), changed_since_(changed_since) {}

  // The next message, ascending by UID; false at the end.
  bool Next(MessageRow* row);
  // The next messages, at least one and at most `max`; false at the end. `run` is valid up to the
  // next call.
  bool NextRun(size_t max, RowRun* run);

 private:
  // Moves on to the next message, if there is one.
  bool Seek();

  std::vector<std::shared_ptr<const ShardColumns>> blocks_;
  std::vector<UidSpan> spans_;
  uint64_t changed_since_ = 0;
  size_t block_ = 0;
  size_t row_ = 0;
  size_t span_ = 0;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ROW_CURSOR_H_
