#include "gateway/imap/syntax/sequence_set.h"

#include <algorithm>

#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

std::vector<SequenceRange> Normalize(const SequenceSet& set, uint32_t highest) {
  std::vector<SequenceRange> ranges;
  ranges.reserve(set.ranges.size());
  for (SequenceRange range : set.ranges) {
    if (range.first == kStar) range.first = highest;
    if (range.last == kStar) range.last = highest;
    if (range.first == 0 || range.last == 0) continue;
    // "4:2" is "2:4" (RFC 9051, seq-range).
    if (range.first > range.last) std::swap(range.first, range.last);
    ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const SequenceRange& a, const SequenceRange& b) { return a.first < b.first; });
  size_t kept = 0;
  for (const SequenceRange& range : ranges) {
    if (kept > 0 && range.first <= uint64_t{ranges[kept - 1].last} + 1) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
  return ranges;
}

namespace {

void AppendSequenceNumber(std::string& out, uint32_t number) {
  if (number == kStar) {
    out += '*';
  } else {
    AppendNumber(out, number);
  }
}

}  // namespace

void AppendSequenceSet(std::string& out, const SequenceSet& set) {
  bool first = true;
  for (const SequenceRange& range : set.ranges) {
    if (!first) out += ',';
    first = false;
    AppendSequenceNumber(out, range.first);
    if (range.last == range.first) continue;
    out += ':';
    AppendSequenceNumber(out, range.last);
  }
}

}  // namespace rmail::gateway::imap
