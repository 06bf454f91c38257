// Whether a message is fit to be taken, whoever sends it.
#ifndef RMAIL_GATEWAY_SMTP_VERDICT_H_
#define RMAIL_GATEWAY_SMTP_VERDICT_H_

#include <cstdint>
#include <optional>

#include "gateway/smtp/syntax/message_checker.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

struct MessagePolicy {
  // See SmtpOptions.
  uint64_t max_size = 0;
  uint64_t max_text_line = 0;
  uint32_t max_hops = 0;
  // BODY=BINARYMIME: below the header there are no lines (RFC 3030, 3).
  bool binary = false;
};

// The reply that refuses the message, or nullopt: it is accepted. It is asked while the message
// comes in, too, so that what is refused for certain takes no room.
std::optional<Reply> Judge(const MessageFacts& facts, const MessagePolicy& policy);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_VERDICT_H_
