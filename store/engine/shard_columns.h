// The messages of one shard in memory, in columns.
#ifndef RMAIL_STORE_ENGINE_SHARD_COLUMNS_H_
#define RMAIL_STORE_ENGINE_SHARD_COLUMNS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "store/engine/file_name.h"

namespace rmail::engine {

// A message as the index knows it.
struct MessageRow {
  MessageInfo info;
  uint64_t modseq = 0;
};

// UIDs from `first` to `last`, both included.
struct UidSpan {
  uint32_t first = 0;
  uint32_t last = 0;
  friend bool operator==(const UidSpan&, const UidSpan&) = default;
};

// Ascending by UID; all columns have the same length, up to kShardSize. 36 octets a message.
struct ShardColumns {
  std::vector<uint64_t> flags;
  std::vector<uint64_t> modseqs;
  std::vector<int64_t> internal_dates;
  std::vector<uint64_t> sizes;
  std::vector<uint32_t> uids;

  size_t size() const { return uids.size(); }
  MessageRow Row(size_t i) const {
    return {{uids[i], flags[i], internal_dates[i], sizes[i]}, modseqs[i]};
  }
  void Add(const MessageInfo& info, uint64_t modseq) {
    flags.push_back(info.flags);
    modseqs.push_back(modseq);
    internal_dates.push_back(info.internal_date);
    sizes.push_back(info.size);
    uids.push_back(info.uid);
  }
  // The first message whose UID is at least this.
  size_t LowerBound(uint32_t uid) const {
    return std::lower_bound(uids.begin(), uids.end(), uid) - uids.begin();
  }
};

// What is known of a shard without its columns.
struct ShardSummary {
  uint32_t shard = 0;
  uint32_t messages = 0;
  uint32_t unseen = 0;
  uint32_t deleted = 0;
  uint64_t size = 0;          // octets
  uint64_t deleted_size = 0;  // of those with \Deleted
  uint64_t max_modseq = 0;    // none is higher; after an expunge it may be too high
};

// Messages expunged at one modseq.
struct ExpungedSpan {
  uint64_t modseq = 0;
  UidSpan uids;
  friend bool operator==(const ExpungedSpan&, const ExpungedSpan&) = default;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_SHARD_COLUMNS_H_
