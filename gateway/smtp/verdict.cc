#include "gateway/smtp/verdict.h"

namespace rmail::gateway::smtp {

std::optional<Reply> Judge(const MessageFacts& facts, const MessagePolicy& policy) {
  // What makes a message ambiguous to the next server is refused whatever else it is: its end may
  // not be where this server saw it.
  if (policy.binary ? facts.bare_newline_in_header : facts.bare_newline) {
    return Reply{550, "5.6.11", "Bare CR or LF in the message"};
  }
  // RFC 5322, 2.1 and 4: there are none in text, and readers end strings at them.
  if (policy.binary ? facts.nul_in_header : facts.nul) {
    return Reply{550, "5.6.0", "NUL in the message"};
  }
  // RFC 1870, 6.3.
  if (facts.size > policy.max_size) return Reply{552, "5.3.4", "The message is too big"};
  if (!policy.binary && facts.longest_line > policy.max_text_line)
    return Reply{550, "5.6.0", "A line is too long"};
  // RFC 5321, 6.3.
  if (facts.received_fields > policy.max_hops) {
    return Reply{554, "5.4.6", "Too many hops: a mail loop"};
  }
  return std::nullopt;
}

}  // namespace rmail::gateway::smtp
