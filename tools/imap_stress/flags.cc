#include "tools/imap_stress/flags.h"

#include <array>

#include "tools/imap_stress/response.h"

namespace rmail::imap_stress {

namespace {

constexpr int kCount = 5 + kSharedKeywords + kOwnKeywords;

const std::array<std::string, kCount>& Names() {
  static const auto& names = *new std::array<std::string, kCount>([] {
    std::array<std::string, kCount> made = {"\\Answered", "\\Flagged", "\\Deleted", "\\Seen",
                                            "\\Draft"};
    for (int i = 0; i < kSharedKeywords; ++i) made[5 + i] = "stress-shared-" + std::to_string(i);
    for (int i = 0; i < kOwnKeywords; ++i) {
      made[5 + kSharedKeywords + i] = "stress-own-" + std::to_string(i);
    }
    return made;
  }());
  return names;
}

}  // namespace

std::optional<Flags> FlagOf(std::string_view name) {
  const std::string upper = ToUpper(name);
  if (upper == "\\RECENT") return 0;
  for (int i = 0; i < kCount; ++i) {
    if (ToUpper(Names()[i]) == upper) return Flags{1} << i;
  }
  return std::nullopt;
}

std::string FlagNames(Flags flags) {
  std::string text;
  for (int i = 0; i < kCount; ++i) {
    if ((flags >> i & 1) == 0) continue;
    if (!text.empty()) text += ' ';
    text += Names()[i];
  }
  return text;
}

}  // namespace rmail::imap_stress
