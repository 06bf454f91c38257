// Sets of message numbers or UIDs as clients write them (RFC 9051, sequence-set): "1:4,7,9:*".
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SEQUENCE_SET_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SEQUENCE_SET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::gateway::imap {

// '*': the highest number in use, whatever it is.
inline constexpr uint32_t kStar = 0;

// Both ends as written, in any order; a single number has both ends alike.
struct SequenceRange {
  uint32_t first = 0;
  uint32_t last = 0;
  bool operator==(const SequenceRange&) const = default;
};

struct SequenceSet {
  std::vector<SequenceRange> ranges;
  // "$": what the last SEARCH saved (RFC 5182); there are no ranges then.
  bool saved = false;
  bool operator==(const SequenceSet&) const = default;
};

// Some of a list of results by their places, the first being 1 (RFC 9394, partial-range). Both ends
// as written, in any order.
struct PartialRange {
  uint32_t first = 0;
  uint32_t last = 0;
  // "-1:-100": places are counted from the end.
  bool from_end = false;
  bool operator==(const PartialRange&) const = default;
};

// Places from `first` up to and without `end`, counted from 0.
struct PlaceRange {
  size_t first = 0;
  size_t end = 0;
  bool operator==(const PlaceRange&) const = default;
};

// The places of the range in a list of `count` results; empty (both ends alike) when there are
// none.
PlaceRange PlacesOf(const PartialRange& range, size_t count);

// Ascending, merged, with '*' replaced by `highest`. When `highest` is 0 (nothing is there), ranges
// that need it vanish.
std::vector<SequenceRange> Normalize(const SequenceSet& set, uint32_t highest);

// What is in both; each ascending and merged.
std::vector<SequenceRange> Intersect(const std::vector<SequenceRange>& a,
                                     const std::vector<SequenceRange>& b);

void AppendSequenceSet(std::string& out, const SequenceSet& set);

// Writes ascending numbers as lines with sets: "* VANISHED 3:5,9". A long set becomes several
// lines, since some clients read them into small buffers. Not thread-safe.
class SetLines {
 public:
  // Octets, but for one more range.
  static constexpr size_t kMaxLine = 8000;

  // Both outlive it. Each line starts with `start`; without numbers there is none.
  SetLines(std::string& out, std::string_view start) : out_(out), start_(start) {}

  // Numbers above all those before.
  void Add(uint32_t first, uint32_t last);
  // Ends the line: at the end, and before `out` is used otherwise.
  void End();

 private:
  void WriteRange();

  std::string& out_;
  const std::string_view start_;
  // The range that is not written yet, since it may grow; 0 for none.
  SequenceRange range_;
  // Octets of the line under way; 0 for none.
  size_t line_ = 0;
};

// Writes numbers one by one as a set, each that follows the one before it as part of a range:
// "1:3,7,5". The order stays.
class SequenceSetWriter {
 public:
  // `out` outlives the writer.
  explicit SequenceSetWriter(std::string& out) : out_(out) {}

  void Add(uint32_t number) {
    if (last_ != 0 && number == last_ + 1) {
      last_ = number;
      return;
    }
    AppendRange();
    first_ = number;
    last_ = number;
  }
  // After the last number.
  void Finish() { AppendRange(); }

 private:
  // What was not written yet.
  void AppendRange();

  std::string& out_;
  // 0: nothing has been added.
  uint32_t first_ = 0;
  uint32_t last_ = 0;
  bool started_ = false;
};

// "1:100", "-1:-100".
void AppendPartialRange(std::string& out, const PartialRange& range);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SEQUENCE_SET_H_
