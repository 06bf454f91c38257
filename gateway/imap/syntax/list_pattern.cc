#include "gateway/imap/syntax/list_pattern.h"

#include "gateway/imap/syntax/characters.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kInbox = "INBOX";

constexpr size_t kBits = 64;

bool IsWildcard(char c) { return c == '*' || c == '%'; }

// The number of octets at the path's front that match in any case.
size_t CaseInsensitiveFront(std::string_view path) {
  const bool inbox = path.starts_with(kInbox) &&
                     (path.size() == kInbox.size() || path[kInbox.size()] == kHierarchyDelimiter);
  return inbox ? kInbox.size() : 0;
}

}  // namespace

ListPattern::ListPattern(std::string_view reference, std::string_view pattern) {
  std::string merged;
  for (const std::string_view part : {reference, pattern}) {
    for (const char c : part) {
      // "**", "*%" and "%*" mean "*", "%%" means "%".
      if (IsWildcard(c) && !merged.empty() && IsWildcard(merged.back())) {
        if (c == '*') merged.back() = c;
      } else {
        merged += c;
      }
    }
  }
  length_ = merged.size();
  // One bit more than octets: that the whole pattern matches.
  const size_t words = length_ / kBits + 1;
  masks_.emplace_back(words);
  stars_.resize(words);
  wildcards_.resize(words);
  for (size_t i = 0; i < length_; ++i) {
    const uint64_t bit = uint64_t{1} << i % kBits;
    if (merged[i] == '*') stars_[i / kBits] |= bit;
    (IsWildcard(merged[i]) ? wildcards_ : MaskOf(merged[i]))[i / kBits] |= bit;
  }
}

ListPattern::Words& ListPattern::MaskOf(char c) {
  uint16_t& row = rows_[static_cast<unsigned char>(c)];
  if (row == 0) {
    row = static_cast<uint16_t>(masks_.size());
    masks_.emplace_back(stars_.size());
  }
  return masks_[row];
}

// Goes behind wildcards that match nothing; no two of them stand side by side.
void ListPattern::PassWildcards(Words& reached) const {
  uint64_t carry = 0;
  for (size_t i = 0; i < reached.size(); ++i) {
    const uint64_t passed = reached[i] & wildcards_[i];
    reached[i] |= passed << 1 | carry;
    carry = passed >> (kBits - 1);
  }
}

// Takes an octet of the path. Bit i of `reached`: the pattern's first i octets match what was taken
// so far. Returns whether anything can match still.
bool ListPattern::Step(Words& reached, char c, bool any_case) const {
  const auto mask = [&](char octet) -> const Words& {
    return masks_[rows_[static_cast<unsigned char>(octet)]];
  };
  const Words& own = mask(c);
  const Words& other = any_case ? mask(ToLower(c)) : masks_[0];
  const Words& repeated = c == kHierarchyDelimiter ? stars_ : wildcards_;
  uint64_t carry = 0;
  uint64_t any = 0;
  for (size_t i = 0; i < reached.size(); ++i) {
    const uint64_t taken = reached[i] & (own[i] | other[i]);
    reached[i] = (reached[i] & repeated[i]) | taken << 1 | carry;
    carry = taken >> (kBits - 1);
    any |= reached[i];
  }
  PassWildcards(reached);
  return any != 0;
}

bool ListPattern::Matches(std::string_view path) const {
  const size_t any_case = CaseInsensitiveFront(path);
  Words reached(stars_.size());
  reached[0] = 1;
  PassWildcards(reached);
  for (size_t at = 0; at < path.size(); ++at) {
    if (!Step(reached, path[at], at < any_case)) return false;
  }
  return (reached[length_ / kBits] >> length_ % kBits & 1) != 0;
}

}  // namespace rmail::gateway::imap
