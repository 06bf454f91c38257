// The commands that make an envelope: MAIL and RCPT with their parameters (RFC
// 5321, 4.1.1.2, 4.1.1.3 and 4.1.2).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_ENVELOPE_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_ENVELOPE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/syntax/path.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

// `keyword=value` or `keyword`.
struct Parameter {
  // In upper case.
  std::string keyword;
  std::string value;
  bool has_value = false;
};

// The parameters behind a path. 501 5.5.4 for a syntax error or a keyword that comes twice.
Parsed<std::vector<Parameter>> ParseParameters(std::string_view text);

// RFC 6152.
enum class Body { k7Bit, k8BitMime };

struct MailCommand {
  Path reverse_path;
  // As declared (RFC 1870), octets; 0 when it is not.
  uint64_t size = 0;
  Body body = Body::k7Bit;
  // RFC 6531.
  bool utf8 = false;
};

// `argument` follows the verb. AUTH=, which says nothing that is acted on (RFC 4954, 5), is taken
// only when `auth_parameter`.
Parsed<MailCommand> ParseMail(std::string_view argument, bool auth_parameter);

struct RcptCommand {
  Path forward_path;
};

// `utf8`: the transaction's MAIL had SMTPUTF8.
Parsed<RcptCommand> ParseRcpt(std::string_view argument, bool utf8);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_ENVELOPE_H_
