#include "store/engine/row_cursor.h"

namespace rmail::engine {

bool RowCursor::Next(MessageRow* row) {
  while (block_ < blocks_.size() && span_ < spans_.size()) {
    const ShardColumns& columns = *blocks_[block_];
    if (row_ == columns.size()) {
      // What it has shown, it lets go of.
      blocks_[block_++].reset();
      row_ = 0;
      continue;
    }
    const uint32_t uid = columns.uids[row_];
    if (uid > spans_[span_].last) {
      ++span_;
    } else if (uid < spans_[span_].first) {
      row_ = columns.LowerBound(spans_[span_].first);
    } else if (columns.modseqs[row_] <= changed_since_) {
      ++row_;
    } else {
      *row = columns.Row(row_++);
      return true;
    }
  }
  return false;
}

}  // namespace rmail::engine
