#include "store/engine/row_cursor.h"

#include <algorithm>

namespace rmail::engine {

bool RowCursor::Next(MessageRow* row) {
  if (!Seek()) return false;
  *row = blocks_[block_]->Row(row_++);
  return true;
}

bool RowCursor::NextRun(size_t max, RowRun* run) {
  if (max == 0 || !Seek()) return false;
  const ShardColumns& columns = *blocks_[block_];
  const uint32_t last = spans_[span_].last;
  size_t end = columns.uids.back() <= last ? columns.size() : columns.LowerBound(last + 1);
  end = std::min(end, row_ + max);
  if (changed_since_ > 0) {
    size_t next = row_ + 1;
    while (next < end && columns.modseqs[next] > changed_since_) ++next;
    end = next;
  }
  *run = {&columns, row_, end};
  row_ = end;
  return true;
}

bool RowCursor::Seek() {
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
      return true;
    }
  }
  return false;
}

}  // namespace rmail::engine
