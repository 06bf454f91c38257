#include "store/engine/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

namespace rmail::engine {
namespace {

constexpr size_t kDigestSize = 32;

std::string HmacSha256(std::string_view key, std::string_view text) {
  std::string digest(kDigestSize, '\0');
  unsigned int size = kDigestSize;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

std::string Sha256(std::string_view text) {
  std::string digest(kDigestSize, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace

std::optional<StoredPassword> ScramPassword(std::string_view hash) {
  std::optional<StoredPassword> stored = ParseStoredPassword(hash);
  if (stored && stored->salt.size() < kPasswordSaltSize) return std::nullopt;
  return stored;
}

ScramParameters FakeScramParameters(std::string_view key, std::string_view address) {
  return {HmacSha256(key, address).substr(0, kPasswordSaltSize), kPasswordRounds};
}

// RFC 5802, 3.
std::optional<std::string> VerifyScramProof(const StoredPassword& password,
                                            std::string_view auth_message, std::string_view proof) {
  if (proof.size() != kDigestSize) return std::nullopt;
  const std::string stored_key = Sha256(HmacSha256(password.hash, "Client Key"));
  const std::string signature = HmacSha256(stored_key, auth_message);
  std::string client_key(kDigestSize, '\0');
  for (size_t i = 0; i < kDigestSize; ++i) {
    client_key[i] = static_cast<char>(proof[i] ^ signature[i]);
  }
  const std::string proved = Sha256(client_key);
  OPENSSL_cleanse(client_key.data(), client_key.size());
  if (CRYPTO_memcmp(proved.data(), stored_key.data(), kDigestSize) != 0) return std::nullopt;
  return HmacSha256(HmacSha256(password.hash, "Server Key"), auth_message);
}

}  // namespace rmail::engine
