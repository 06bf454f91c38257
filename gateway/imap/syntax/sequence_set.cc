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

PlaceRange PlacesOf(const PartialRange& range, size_t count) {
  const size_t low = std::min(range.first, range.last) - 1;
  const size_t high = std::min<size_t>(std::max(range.first, range.last), count);
  if (low >= high) return {};
  return range.from_end ? PlaceRange{count - high, count - low} : PlaceRange{low, high};
}

void SequenceSetWriter::AppendRange() {
  if (last_ == 0) return;
  if (started_) out_ += ',';
  started_ = true;
  AppendNumber(out_, first_);
  if (first_ == last_) return;
  out_ += ':';
  AppendNumber(out_, last_);
}

void AppendPartialRange(std::string& out, const PartialRange& range) {
  if (range.from_end) out += '-';
  AppendNumber(out, range.first);
  out += range.from_end ? ":-" : ":";
  AppendNumber(out, range.last);
}

void AppendSequenceSet(std::string& out, const SequenceSet& set) {
  if (set.saved) out += '$';
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

std::vector<SequenceRange> Intersect(const std::vector<SequenceRange>& a,
                                     const std::vector<SequenceRange>& b) {
  std::vector<SequenceRange> both;
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() && right != b.end()) {
    const uint32_t first = std::max(left->first, right->first);
    const uint32_t last = std::min(left->last, right->last);
    if (first <= last) both.push_back({first, last});
    if (left->last < right->last) {
      ++left;
    } else {
      ++right;
    }
  }
  return both;
}

void SetLines::Add(uint32_t first, uint32_t last) {
  if (range_.last != 0 && first == range_.last + 1) {
    range_.last = last;
    return;
  }
  WriteRange();
  range_ = {first, last};
}

void SetLines::End() {
  WriteRange();
  if (line_ > 0) out_ += "\r\n";
  line_ = 0;
}

void SetLines::WriteRange() {
  if (range_.last == 0) return;
  if (line_ >= kMaxLine) {
    out_ += "\r\n";
    line_ = 0;
  }
  const size_t before = out_.size();
  out_ += line_ == 0 ? start_ : ",";
  AppendNumber(out_, range_.first);
  if (range_.last != range_.first) {
    out_ += ':';
    AppendNumber(out_, range_.last);
  }
  line_ += out_.size() - before;
  range_ = {};
}

}  // namespace rmail::gateway::imap
