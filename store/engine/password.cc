#include "store/engine/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "store/base/status.h"

namespace rmail::engine {
namespace {

constexpr std::string_view kScheme = "pbkdf2-sha256";
constexpr int kMaxRounds = 10'000'000;
constexpr size_t kHashSize = 32;
constexpr size_t kMaxEntries = 100'000;

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  // Without randomness there is no safe way on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) != 1) {
    std::terminate();
  }
  return bytes;
}

std::string Pbkdf2(std::string_view password, std::string_view salt, int rounds) {
  std::string hash(kHashSize, '\0');
  const int ok = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                                   reinterpret_cast<const unsigned char*>(salt.data()),
                                   static_cast<int>(salt.size()), rounds, EVP_sha256(), kHashSize,
                                   reinterpret_cast<unsigned char*>(hash.data()));
  return ok == 1 ? hash : std::string();
}

}  // namespace

std::string HashPassword(std::string_view password, int rounds) {
  const std::string salt = RandomBytes(kPasswordSaltSize);
  const std::string hash = Pbkdf2(password, salt, rounds);
  return std::string(kScheme) + "$" + std::to_string(rounds) + "$" + absl::BytesToHexString(salt) +
         "$" + absl::BytesToHexString(hash);
}

std::optional<StoredPassword> ParseStoredPassword(std::string_view hash) {
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(hash), '$');
  if (parts.size() != 4 || parts[0] != kScheme) return std::nullopt;
  StoredPassword stored;
  const char* const end = parts[1].data() + parts[1].size();
  const auto [stop, error] = std::from_chars(parts[1].data(), end, stored.rounds);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (stored.rounds < 1 || stored.rounds > kMaxRounds) return std::nullopt;
  const auto is_hex = [](const std::string& text) {
    return text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
             return absl::ascii_isxdigit(c);
           });
  };
  if (!is_hex(parts[2]) || !is_hex(parts[3])) return std::nullopt;
  stored.salt = absl::HexStringToBytes(parts[2]);
  stored.hash = absl::HexStringToBytes(parts[3]);
  if (stored.hash.size() != kHashSize) return std::nullopt;
  return stored;
}

bool VerifyPassword(std::string_view password, std::string_view hash) {
  const std::optional<StoredPassword> stored = ParseStoredPassword(hash);
  if (!stored) return false;
  const std::string actual = Pbkdf2(password, stored->salt, stored->rounds);
  return actual.size() == kHashSize &&
         CRYPTO_memcmp(stored->hash.data(), actual.data(), kHashSize) == 0;
}

PasswordCache::PasswordCache()
    : key_(RandomBytes(32)),
      dummy_hash_(HashPassword(RandomBytes(16))),
      free_slots_(std::max(1, static_cast<int>(std::thread::hardware_concurrency()))) {}

PasswordCache::Digest PasswordCache::DigestOf(std::string_view account,
                                              std::string_view password) const {
  std::string text(account);
  text.push_back('\0');
  text.append(password);
  Digest digest{};
  unsigned int size = digest.size();
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

bool PasswordCache::Remembers(std::string_view account, std::string_view password,
                              std::string_view hash) {
  const Digest digest = DigestOf(account, password);
  MutexLock lock(&mutex_);
  const auto found = entries_.find(ToAbsl(account));
  return found != entries_.end() && found->second.hash == hash &&
         CRYPTO_memcmp(found->second.digest.data(), digest.data(), digest.size()) == 0;
}

bool PasswordCache::Verify(std::string_view account, std::string_view password,
                           std::string_view hash) {
  if (Remembers(account, password, hash)) return true;
  if (!VerifySlowly(password, hash)) return false;
  const Digest digest = DigestOf(account, password);
  MutexLock lock(&mutex_);
  if (entries_.size() >= kMaxEntries) entries_.clear();
  entries_[ToAbsl(account)] = Entry{std::string(hash), digest};
  return true;
}

void PasswordCache::VerifyNothing(std::string_view password) {
  (void)VerifySlowly(password, dummy_hash_);
}

bool PasswordCache::VerifySlowly(std::string_view password, std::string_view hash) {
  {
    MutexLock lock(&mutex_);
    while (free_slots_ == 0) slot_free_.Wait(&mutex_);
    --free_slots_;
  }
  const bool right = VerifyPassword(password, hash);
  MutexLock lock(&mutex_);
  ++free_slots_;
  slot_free_.Signal();
  return right;
}

}  // namespace rmail::engine
