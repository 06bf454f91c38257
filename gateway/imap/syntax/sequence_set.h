// Sets of message numbers or UIDs as clients write them (RFC 9051, sequence-set): "1:4,7,9:*".
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SEQUENCE_SET_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SEQUENCE_SET_H_

#include <cstdint>
#include <string>
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
  bool operator==(const SequenceSet&) const = default;
};

// Ascending, merged, with '*' replaced by `highest`. When `highest` is 0 (nothing is there), ranges
// that need it vanish.
std::vector<SequenceRange> Normalize(const SequenceSet& set, uint32_t highest);

void AppendSequenceSet(std::string& out, const SequenceSet& set);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SEQUENCE_SET_H_
