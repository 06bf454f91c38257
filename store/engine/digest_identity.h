// What of a message's digest says which message it is (RFC 8474) and since when it is in its
// mailbox (RFC 8514).
#ifndef RMAIL_STORE_ENGINE_DIGEST_IDENTITY_H_
#define RMAIL_STORE_ENGINE_DIGEST_IDENTITY_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rmail/store/v1/digest.pb.h"

namespace rmail::engine {

// Makes an id of octets, given in chunks of any size: 32 hexadecimal digits, the first half of
// their SHA-256. Not thread-safe.
class IdHasher {
 public:
  IdHasher();
  void Update(std::string_view chunk);
  // The hasher must not be used again.
  std::string Finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// The id of the conversation that a message belongs to, as far as the message tells: that of the
// message that began it. One that has no message-id and refers to none is alone: `email_id` says
// which it is.
std::string ThreadIdOf(const store::v1::MessageDigest& digest, std::string_view email_id);

// Fields of a serialized MessageDigest, as views of it.
struct DigestIdentity {
  std::string_view email_id;
  std::string_view thread_id;
  // Microseconds since 1970; 0 when it is not known.
  int64_t saved = 0;
};

// Finds them without parsing the rest. nullopt for octets that are no digest.
std::optional<DigestIdentity> ParseDigestIdentity(std::string_view digest);

// A serialized digest with another `saved`; 0: with none. Octets that are no digest are returned as
// they are.
std::string WithSaved(std::string_view digest, int64_t saved);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_DIGEST_IDENTITY_H_
