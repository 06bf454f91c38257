// Flags by name.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_FLAG_LIST_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_FLAG_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

namespace rmail::gateway::imap {

// Flags as clients send them. Bits of `system` are those of store.v1.MessageFlags.
struct FlagList {
  uint64_t system = 0;
  std::vector<std::string> keywords;
  bool operator==(const FlagList&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_FLAG_LIST_H_
