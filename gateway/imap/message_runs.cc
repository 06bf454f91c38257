#include "gateway/imap/message_runs.h"

#include <algorithm>

namespace rmail::gateway::imap {

void MessageRuns::Add(size_t first, size_t last) {
  count_ += last - first + 1;
  if (!runs_.empty() && size_t{runs_.back().last} + 1 == first) {
    runs_.back().last = static_cast<uint32_t>(last);
  } else {
    runs_.push_back({static_cast<uint32_t>(first), static_cast<uint32_t>(last)});
  }
}

void MessageRuns::Merge(const MessageRun& run) {
  if (runs_.empty() || run.first > uint64_t{runs_.back().last} + 1) {
    Add(run.first, run.last);
  } else if (run.last > runs_.back().last) {
    count_ += run.last - runs_.back().last;
    runs_.back().last = run.last;
  }
}

MessageRuns MessageRuns::At(const PlaceRange& places) const {
  MessageRuns found;
  size_t place = 0;
  for (const MessageRun& run : runs_) {
    if (place >= places.end) break;
    const size_t size = run.last - run.first + 1;
    const size_t from = std::max(places.first, place);
    const size_t end = std::min(places.end, place + size);
    if (from < end) found.Add(run.first + (from - place), run.first + (end - place) - 1);
    place += size;
  }
  return found;
}

MessageRuns MessageRuns::Ascending() const {
  std::vector<MessageRun> sorted = runs_;
  std::sort(sorted.begin(), sorted.end(),
            [](const MessageRun& a, const MessageRun& b) { return a.first < b.first; });
  MessageRuns ascending;
  for (const MessageRun& run : sorted) ascending.Merge(run);
  return ascending;
}

MessageRuns MessageRuns::Union(const MessageRuns& a, const MessageRuns& b) {
  MessageRuns both;
  auto next_a = a.runs_.begin();
  auto next_b = b.runs_.begin();
  while (next_a != a.runs_.end() || next_b != b.runs_.end()) {
    const bool take_a =
        next_b == b.runs_.end() || (next_a != a.runs_.end() && next_a->first < next_b->first);
    both.Merge(take_a ? *next_a++ : *next_b++);
  }
  return both;
}

MessageRuns MessageRuns::Intersection(const MessageRuns& a, const MessageRuns& b) {
  MessageRuns common;
  auto next_a = a.runs_.begin();
  auto next_b = b.runs_.begin();
  while (next_a != a.runs_.end() && next_b != b.runs_.end()) {
    const uint32_t first = std::max(next_a->first, next_b->first);
    const uint32_t last = std::min(next_a->last, next_b->last);
    if (first <= last) common.Merge({first, last});
    if (next_a->last < next_b->last) {
      ++next_a;
    } else {
      ++next_b;
    }
  }
  return common;
}

MessageRuns MessageRuns::Complement(const MessageRuns& runs, size_t size) {
  MessageRuns others;
  size_t from = 0;
  for (const MessageRun& run : runs.runs_) {
    if (run.first > from) others.Add(from, run.first - 1);
    from = size_t{run.last} + 1;
  }
  if (from < size) others.Add(from, size - 1);
  return others;
}

}  // namespace rmail::gateway::imap
