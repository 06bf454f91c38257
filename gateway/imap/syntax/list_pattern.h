// Matching of mailbox paths with LIST patterns (RFC 9051, 6.3.9).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_LIST_PATTERN_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_LIST_PATTERN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::gateway::imap {

inline constexpr char kHierarchyDelimiter = '/';

// A pattern with its reference in front. '*' matches anything, '%' anything but the delimiter.
// INBOX at the front matches in any case. Thread-safe.
class ListPattern {
 public:
  ListPattern(std::string_view reference, std::string_view pattern);

  // Takes time proportional to a 64th of the pattern's length times the path's.
  bool Matches(std::string_view path) const;

 private:
  using Words = std::vector<uint64_t>;

  Words& MaskOf(char c);
  bool Step(Words& reached, char c, bool any_case) const;
  void PassWildcards(Words& reached) const;

  // Octets of the pattern, its runs of wildcards made one each.
  size_t length_ = 0;
  // Bit i of each is the pattern's octet i. Octets that stand for themselves: masks_[rows_[octet]],
  // the first of which is empty.
  std::array<uint16_t, 256> rows_{};
  std::vector<Words> masks_;
  // '*', and both wildcards.
  Words stars_;
  Words wildcards_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_LIST_PATTERN_H_
