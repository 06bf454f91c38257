#include "gateway/imap/syntax/list_pattern.h"

#include <vector>

#include "gateway/imap/syntax/characters.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kInbox = "INBOX";

bool IsWildcard(char c) { return c == '*' || c == '%'; }

// The number of octets at the path's front that match in any case.
size_t CaseInsensitiveFront(std::string_view path) {
  const bool inbox = path.starts_with(kInbox) &&
                     (path.size() == kInbox.size() || path[kInbox.size()] == kHierarchyDelimiter);
  return inbox ? kInbox.size() : 0;
}

}  // namespace

ListPattern::ListPattern(std::string_view reference, std::string_view pattern) {
  for (const std::string_view part : {reference, pattern}) {
    for (const char c : part) {
      // "**" and "*%" mean "*".
      if (IsWildcard(c) && pattern_.ends_with('*')) continue;
      pattern_ += c;
    }
  }
}

bool ListPattern::Matches(std::string_view path) const {
  const size_t any_case = CaseInsensitiveFront(path);
  // reachable[i]: the first i characters of the pattern match what was read of the path.
  std::vector<char> reachable(pattern_.size() + 1, 0);
  reachable[0] = 1;
  const auto skip_wildcards = [&] {
    for (size_t i = 0; i < pattern_.size(); ++i) {
      if (reachable[i] && IsWildcard(pattern_[i])) reachable[i + 1] = 1;
    }
  };
  skip_wildcards();
  for (size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    for (size_t i = pattern_.size(); i-- > 0;) {
      const char p = pattern_[i];
      // Entry i + 1 becomes final here, entry i is still of the octet before.
      const bool stays = p == '*' || (p == '%' && c != kHierarchyDelimiter);
      const bool literal = !IsWildcard(p) && (p == c || (at < any_case && ToUpper(p) == c));
      reachable[i + 1] = (literal && reachable[i]) || (stays && reachable[i + 1]);
    }
    reachable[0] = 0;
    skip_wildcards();
  }
  return reachable[pattern_.size()] != 0;
}

}  // namespace rmail::gateway::imap
