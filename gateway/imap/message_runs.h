// Messages of the selected mailbox in some order: what searches find.
#ifndef RMAIL_GATEWAY_IMAP_MESSAGE_RUNS_H_
#define RMAIL_GATEWAY_IMAP_MESSAGE_RUNS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// Messages whose indices follow each other, both ends included; see IndexRange. 8 octets, since
// there may be as many as messages.
struct MessageRun {
  uint32_t first = 0;
  uint32_t last = 0;
  bool operator==(const MessageRun&) const = default;
};

// Each message at most once. Not thread-safe.
class MessageRuns {
 public:
  // Behind those that are there; `first` <= `last`.
  void Add(size_t first, size_t last);

  bool empty() const { return runs_.empty(); }
  // How many messages.
  size_t count() const { return count_; }
  const std::vector<MessageRun>& runs() const { return runs_; }
  // Indices of the first and the last in order; only when there are any.
  uint32_t front() const { return runs_.front().first; }
  uint32_t back() const { return runs_.back().last; }

  // Those at some places of the order.
  MessageRuns At(const PlaceRange& places) const;
  // The same messages in ascending order.
  MessageRuns Ascending() const;

  // Of ascending ones; so is what they return. All take time proportional to the runs.
  static MessageRuns Union(const MessageRuns& a, const MessageRuns& b);
  static MessageRuns Intersection(const MessageRuns& a, const MessageRuns& b);
  // Indices below `size` that are not in it.
  static MessageRuns Complement(const MessageRuns& runs, size_t size);

  bool operator==(const MessageRuns&) const = default;

 private:
  // Adds to ascending runs one that may touch or overlap the last.
  void Merge(const MessageRun& run);

  std::vector<MessageRun> runs_;
  size_t count_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_MESSAGE_RUNS_H_
