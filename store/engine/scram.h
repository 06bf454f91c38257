// The store's side of SCRAM-SHA-256 (RFC 5802, RFC 7677). A stored hash is SaltedPassword, so each
// account with one can log in this way.
#ifndef RMAIL_STORE_ENGINE_SCRAM_H_
#define RMAIL_STORE_ENGINE_SCRAM_H_

#include <optional>
#include <string>
#include <string_view>

#include "store/engine/password.h"

namespace rmail::engine {

// What the client needs to make its proof.
struct ScramParameters {
  std::string salt;  // 16 octets at least
  int iterations = 0;
};

// nullopt: the hash is of another kind, or has a shorter salt.
std::optional<StoredPassword> ScramPassword(std::string_view hash);

// For an address without such a hash: always the same for the same key and address, and not to be
// told from an account's.
ScramParameters FakeScramParameters(std::string_view key, std::string_view address);

// ServerSignature (32 octets) when the client's proof is right. Takes some microseconds.
std::optional<std::string> VerifyScramProof(const StoredPassword& password,
                                            std::string_view auth_message, std::string_view proof);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_SCRAM_H_
