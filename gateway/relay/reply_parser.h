// Replies of other servers (RFC 5321, 4.2), read strictly. Pure.
#ifndef RMAIL_GATEWAY_RELAY_REPLY_PARSER_H_
#define RMAIL_GATEWAY_RELAY_REPLY_PARSER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::relay {

// The longest line that is read; and what is kept of one.
inline constexpr size_t kMaxReplyLine = 8192;
inline constexpr size_t kMaxReplyText = 2048;
inline constexpr size_t kMaxReplyLines = 100;

// Takes one reply, line by line.
class ReplyParser {
 public:
  // A line, with its ending. True: it was the reply's last. kInvalidArgument: it is no reply.
  absl::StatusOr<bool> Feed(std::string_view line);

  // The reply. Its text has no control characters, is valid UTF-8, and its lines are separated by
  // '\n'. Enhanced status codes are taken out of the lines where they fit the code, and cost
  // nothing where they are missing.
  const smtp::Reply& reply() const { return reply_; }

 private:
  smtp::Reply reply_;
  size_t lines_ = 0;
};

// What is passed on about a refusal: one line of valid UTF-8 without control characters, 1,024
// octets at most, and an enhanced status code in any case.
smtp::Reply Condensed(const smtp::Reply& reply);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_REPLY_PARSER_H_
