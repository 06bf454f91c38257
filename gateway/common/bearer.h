// Messages of OAUTHBEARER (RFC 7628) and XOAUTH2 (what it came from). Pure.
#ifndef RMAIL_GATEWAY_COMMON_BEARER_H_
#define RMAIL_GATEWAY_COMMON_BEARER_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway {

struct BearerLogin {
  // Whom the client wants to log in as; may be empty: whoever the token is for.
  std::string user;
  // Empty: the client wants to know what to do about a token (RFC 7628, 4.3).
  std::string token;
};

// nullopt: malformed.
std::optional<BearerLogin> ParseOAuthBearer(std::string_view message);
std::optional<BearerLogin> ParseXOAuth2(std::string_view message);

// What the client is told of a token that is refused, as JSON.
inline constexpr std::string_view kOAuthBearerError = R"({"status":"invalid_token"})";
inline constexpr std::string_view kXOAuth2Error = R"({"status":"401","schemes":"bearer"})";

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_BEARER_H_
