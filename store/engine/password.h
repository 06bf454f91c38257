// Passwords: how they are stored and how they are checked.
#ifndef RMAIL_STORE_ENGINE_PASSWORD_H_
#define RMAIL_STORE_ENGINE_PASSWORD_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "store/base/mutex.h"

namespace rmail::engine {

// Of PBKDF2, in new hashes.
inline constexpr int kPasswordRounds = 300'000;
inline constexpr size_t kPasswordSaltSize = 16;

// "pbkdf2-sha256$300000$<salt>$<hash>", salt (16 octets) and hash (32) in hexadecimal.
std::string HashPassword(std::string_view password, int rounds = kPasswordRounds);

// A stored hash, taken apart.
struct StoredPassword {
  int rounds = 0;
  std::string salt;
  // PBKDF2-HMAC-SHA-256 of the password, 32 octets.
  std::string hash;
};
// nullopt for a hash that is malformed or asks for more than 10 million rounds.
std::optional<StoredPassword> ParseStoredPassword(std::string_view hash);

// Whether the password belongs to a stored hash. Takes about 0.1 s. False for a hash that is
// malformed or asks for more than 10 million rounds.
bool VerifyPassword(std::string_view password, std::string_view hash);

// Remembers, salted and hashed with a key of this process, which passwords were right, so that the
// next login costs microseconds. An entry holds as long as the stored hash stays the same.
// Thread-safe.
class PasswordCache {
 public:
  PasswordCache();

  // Whether it is known without a slow check that the password is right.
  bool Remembers(std::string_view account, std::string_view password, std::string_view hash);

  // As VerifyPassword. At most as many slow checks run at once as there are processors: the others
  // wait.
  bool Verify(std::string_view account, std::string_view password, std::string_view hash);

  // Takes as long as a check that fails: for accounts that do not exist.
  void VerifyNothing(std::string_view password);

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Entry {
    std::string hash;
    Digest digest;
  };

  Digest DigestOf(std::string_view account, std::string_view password) const;
  bool VerifySlowly(std::string_view password, std::string_view hash);

  const std::string key_;
  const std::string dummy_hash_;
  Mutex mutex_;
  CondVar slot_free_;
  int free_slots_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_PASSWORD_H_
