// A mailbox's index in memory: what its log says, in columns. Pure: no I/O.
#ifndef RMAIL_STORE_ENGINE_INDEX_H_
#define RMAIL_STORE_ENGINE_INDEX_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "store/engine/file_name.h"
#include "store/engine/log.pb.h"

namespace rmail::engine {

// UIDs from `first` to `last`, both included.
struct UidSpan {
  uint32_t first = 0;
  uint32_t last = 0;
  friend bool operator==(const UidSpan&, const UidSpan&) = default;
};

// A message as the index knows it.
struct MessageRow {
  MessageInfo info;
  uint64_t modseq = 0;
};

struct IndexCounts {
  uint32_t uid_next = 1;
  uint64_t highest_modseq = 1;
  uint32_t messages = 0;
  uint32_t unseen = 0;
  uint32_t deleted = 0;
  uint64_t size = 0;
};

// Not thread-safe. 36 octets a message.
class Index {
 public:
  // Takes a change over. False when it contradicts what is there (a damaged log); the index is then
  // of no use.
  bool Apply(const LogRecord& record);

  const IndexCounts& counts() const { return counts_; }

  std::optional<MessageRow> Find(uint32_t uid) const;

  // The messages within the spans (ascending, not overlapping), ascending.
  std::vector<MessageRow> Rows(const std::vector<UidSpan>& spans) const;
  std::vector<MessageRow> AllRows() const;

  // Messages that changed after a modseq, ascending by UID.
  std::vector<MessageRow> ChangedSince(uint64_t modseq) const;

  // UIDs expunged after a modseq, ascending; nullopt when that is longer ago than is remembered
  // (the last 100,000).
  std::optional<std::vector<uint32_t>> ExpungedSince(uint64_t modseq) const;

 private:
  bool ApplyAppended(const Appended& appended, uint64_t modseq);
  bool ApplyFlags(const FlagsChanged& changed, uint64_t modseq);
  bool ApplyExpunged(const Expunged& expunged, uint64_t modseq);
  void Count(uint64_t flags, uint64_t size, int sign);
  MessageRow RowAt(size_t i) const;
  size_t LowerBound(uint32_t uid) const;

  // Columns, ascending by UID.
  std::vector<uint32_t> uids_;
  std::vector<uint64_t> flags_;
  std::vector<uint64_t> modseqs_;
  std::vector<int64_t> internal_dates_;
  std::vector<uint64_t> sizes_;

  // (modseq, UID), in the order they went.
  std::vector<std::pair<uint64_t, uint32_t>> expunged_;
  // What was expunged up to this modseq may be forgotten.
  uint64_t expunged_floor_ = 0;

  IndexCounts counts_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_INDEX_H_
