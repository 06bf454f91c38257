// Tokens that every store call carries: JSON Web Tokens (RFC 7519), HS256, signed with the shared
// secret of the config.
#ifndef RMAIL_STORE_BASE_TOKEN_H_
#define RMAIL_STORE_BASE_TOKEN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rmail {

// What a token allows.
enum class TokenScope {
  // The mailboxes of the account `subject` (what Authenticate returns).
  kAccount,
  // As kAccount, and everything that an administrator may do.
  kAdmin,
  // Deliver mail, resolve recipients. No account.
  kDeliver,
  // Ask for a token with a password, watch. No account.
  kGateway,
  // Send what is in the queue to other servers. No account.
  kQueue,
};

struct Token {
  // The account's address (`user@domain`); empty for kDeliver, kGateway, kQueue and a command
  // line's kAdmin.
  std::string subject;
  TokenScope scope = TokenScope::kAccount;
  absl::Time expires;
};

// A signed token. The secret is at least 16 octets.
std::string SignToken(std::string_view secret, const Token& token);

// The token when its signature, algorithm, issuer, audience and times are right; else
// UNAUTHENTICATED (BAD_TOKEN). Takes about 20 µs.
absl::StatusOr<Token> VerifyToken(std::string_view secret, std::string_view encoded,
                                  absl::Time now);

// A new secret: 256 random bits in hexadecimal.
std::string NewTokenSecret();

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_TOKEN_H_
