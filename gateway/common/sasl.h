// What SASL's exchanges carry (RFC 4422, RFC 4616), for all gateways. Pure.
#ifndef RMAIL_GATEWAY_COMMON_SASL_H_
#define RMAIL_GATEWAY_COMMON_SASL_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway {

// RFC 4648, 4: padded, no white space, nothing else; nullopt when it is not.
std::optional<std::string> DecodeBase64(std::string_view text);
std::string EncodeBase64(std::string_view octets);

struct Credentials {
  // Whom to act as; empty: the same as `user`.
  std::string authorize_as;
  std::string user;
  std::string password;
};

// RFC 4616, 2: all of it UTF-8 without NUL, user and password not empty. What is not must be
// refused before it is put into a request to the store.
bool IsWellFormed(const Credentials& credentials);

// RFC 4616, 2: authzid NUL authcid NUL passwd, well-formed.
std::optional<Credentials> ParsePlain(std::string_view message);

// Nobody may act as somebody else: no other authorization identity than the user's own address.
bool ActsAsSelf(const Credentials& credentials);

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_SASL_H_
