// Arguments of the commands that bring messages.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_APPEND_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_APPEND_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/imap/syntax/flag_list.h"

namespace rmail::gateway::imap {

// APPEND up to the message, whose octets the parser never sees.
struct AppendArguments {
  std::string mailbox;
  FlagList flags;
  // Microseconds since 1970.
  std::optional<int64_t> internal_date;
  uint64_t size = 0;
  // The client waits for a continuation.
  bool synchronizing = true;
  bool operator==(const AppendArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_APPEND_ARGUMENTS_H_
