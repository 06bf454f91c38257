// Matching of mailbox paths with LIST patterns (RFC 9051, 6.3.9).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_LIST_PATTERN_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_LIST_PATTERN_H_

#include <string>
#include <string_view>

namespace rmail::gateway::imap {

inline constexpr char kHierarchyDelimiter = '/';

// A pattern with its reference in front. '*' matches anything, '%' anything but the delimiter.
// INBOX at the front matches in any case. Thread-safe.
class ListPattern {
 public:
  ListPattern(std::string_view reference, std::string_view pattern);

  // Takes time proportional to the pattern's length times the path's.
  bool Matches(std::string_view path) const;

 private:
  std::string pattern_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_LIST_PATTERN_H_
