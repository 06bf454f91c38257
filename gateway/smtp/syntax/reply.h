// Replies of an SMTP server (RFC 5321, 4.2) with enhanced status codes (RFC 2034, RFC 3463).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_REPLY_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_REPLY_H_

#include <string>
#include <variant>

namespace rmail::gateway::smtp {

struct Reply {
  // 200 to 599.
  int code = 250;
  // "2.1.0"; empty where RFC 2034 has none: the greeting, EHLO, HELO, 334, 354.
  std::string enhanced;
  // The lines, separated by '\n'.
  std::string text;
};

// What a parser makes of its input: the value, or the reply that refuses it.
template <typename T>
using Parsed = std::variant<T, Reply>;

// The reply as it is sent, with CRLF. Other control characters in the text become '?': no input can
// forge a reply.
std::string FormatReply(const Reply& reply);

// 4yz and 5yz.
inline bool IsFailure(const Reply& reply) { return reply.code >= 400; }
// 4yz: the same again may work later.
inline bool IsTransient(const Reply& reply) { return reply.code >= 400 && reply.code < 500; }

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_REPLY_H_
