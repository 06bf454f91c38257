// What stands behind the path of MAIL and RCPT (RFC 5321, 4.1.2).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_PARAMETERS_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_PARAMETERS_H_

#include <string>
#include <string_view>
#include <vector>

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

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_PARAMETERS_H_
