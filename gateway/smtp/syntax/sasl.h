// What AUTH's exchanges carry (RFC 4954, RFC 4616).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_SASL_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_SASL_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::smtp {

// RFC 4648, 4: padded, no white space, nothing else; nullopt when it is not.
std::optional<std::string> DecodeBase64(std::string_view text);
std::string EncodeBase64(std::string_view octets);

struct Credentials {
  // Whom to act as; empty: the same as `user`.
  std::string authorize_as;
  std::string user;
  std::string password;
};

// RFC 4616, 2: authzid NUL authcid NUL passwd, UTF-8, user and password not empty.
std::optional<Credentials> ParsePlain(std::string_view message);

}  // namespace rmail::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_SASL_H_
