#include "store/base/token.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "jwt/jwt.hpp"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail {
namespace {

constexpr char kIssuer[] = "rmail";
constexpr char kAudience[] = "store";
constexpr char kAlgorithm[] = "HS256";

std::string_view ScopeName(TokenScope scope) {
  switch (scope) {
    case TokenScope::kAccount:
      return "account";
    case TokenScope::kAdmin:
      return "admin";
    case TokenScope::kDeliver:
      return "deliver";
    case TokenScope::kGateway:
      return "gateway";
    case TokenScope::kQueue:
      return "queue";
  }
  return "";
}

std::optional<TokenScope> ScopeFromName(std::string_view name) {
  for (const TokenScope scope : {TokenScope::kAccount, TokenScope::kAdmin, TokenScope::kDeliver,
                                 TokenScope::kGateway, TokenScope::kQueue}) {
    if (ScopeName(scope) == name) return scope;
  }
  return std::nullopt;
}

absl::Status BadToken(std::string_view why) {
  return Error(store::v1::ERROR_REASON_BAD_TOKEN, fmt::format("token refused: {}", why));
}

// cpp_jwt compares signatures octet by octet: whoever may measure that time must not get as far.
bool SignatureMatches(std::string_view secret, std::string_view encoded) {
  const size_t dot = encoded.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string signature;
  if (!absl::WebSafeBase64Unescape(ToAbsl(encoded.substr(dot + 1)), &signature)) return false;
  std::array<unsigned char, 32> expected;
  unsigned int size = expected.size();
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(encoded.data()), dot, expected.data(), &size);
  return signature.size() == size && CRYPTO_memcmp(signature.data(), expected.data(), size) == 0;
}

absl::StatusOr<Token> Decode(std::string_view secret, std::string_view encoded, absl::Time now) {
  namespace params = jwt::params;
  std::error_code failure;
  // The library compares expiry with its own clock, so times are checked here.
  const jwt::jwt_object object =
      jwt::decode({encoded.data(), encoded.size()}, params::algorithms({kAlgorithm}), failure,
                  params::secret(std::string(secret)), params::verify(true),
                  params::issuer(kIssuer), params::aud(kAudience));
  if (failure) return BadToken(failure.message());
  const auto& payload = object.payload().create_json_obj();
  Token token;
  token.subject = payload.at("sub").get<std::string>();
  const std::optional<TokenScope> scope = ScopeFromName(payload.at("scope").get<std::string>());
  if (!scope) return BadToken("unknown scope");
  token.scope = *scope;
  token.expires = absl::FromUnixSeconds(payload.at("exp").get<int64_t>());
  if (token.expires <= now) return BadToken("expired");
  return token;
}

}  // namespace

std::string SignToken(std::string_view secret, const Token& token) {
  namespace params = jwt::params;
  jwt::jwt_object object{params::algorithm(kAlgorithm), params::secret(std::string(secret))};
  object.add_claim("iss", std::string(kIssuer))
      .add_claim("aud", std::string(kAudience))
      .add_claim("sub", token.subject)
      .add_claim("scope", std::string(ScopeName(token.scope)))
      .add_claim("exp", absl::ToUnixSeconds(token.expires));
  return object.signature();
}

absl::StatusOr<Token> VerifyToken(std::string_view secret, std::string_view encoded,
                                  absl::Time now) {
  if (encoded.size() > 4096) return BadToken("too long");
  if (!SignatureMatches(secret, encoded)) return BadToken("wrong signature");
  try {
    return Decode(secret, encoded, now);
  } catch (const std::exception& e) {
    return BadToken(e.what());
  }
}

std::string NewTokenSecret() {
  std::array<unsigned char, 32> random;
  // Without randomness there is no safe way on.
  if (RAND_bytes(random.data(), random.size()) != 1) std::terminate();
  std::string secret;
  for (const unsigned char byte : random) secret += fmt::format("{:02x}", byte);
  return secret;
}

}  // namespace rmail
