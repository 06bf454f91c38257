// The flags that the stress test uses, as bits.
#ifndef RMAIL_TOOLS_IMAP_STRESS_FLAGS_H_
#define RMAIL_TOOLS_IMAP_STRESS_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::imap_stress {

using Flags = uint32_t;

inline constexpr Flags kAnswered = 1 << 0;
inline constexpr Flags kFlagged = 1 << 1;
inline constexpr Flags kDeleted = 1 << 2;
inline constexpr Flags kSeen = 1 << 3;
inline constexpr Flags kDraft = 1 << 4;
inline constexpr int kSharedKeywords = 4;
// Each belongs to one client: nobody else changes it.
inline constexpr int kOwnKeywords = 12;
inline constexpr Flags kAllFlags = (1u << (5 + kSharedKeywords + kOwnKeywords)) - 1;

constexpr Flags SharedKeyword(int n) { return 1u << (5 + n); }
constexpr Flags OwnKeyword(int n) { return 1u << (5 + kSharedKeywords + n); }

// The bit of a name; nullopt when no client ever sends it. \Recent is 0.
std::optional<Flags> FlagOf(std::string_view name);

// "\Seen stress-own-3"
std::string FlagNames(Flags flags);

enum class Operation { kAdd, kRemove, kReplace };

constexpr Flags Apply(Flags before, Operation operation, Flags mask) {
  switch (operation) {
    case Operation::kAdd:
      return before | mask;
    case Operation::kRemove:
      return before & ~mask;
    case Operation::kReplace:
      return mask;
  }
  return mask;
}

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_FLAGS_H_
