#include "store/engine/digest_identity.h"

#include <openssl/evp.h>

#include <exception>
#include <vector>

#include "store/engine/message_keys.h"
#include "store/engine/octet_cursor.h"
#include "store/mime/envelope.h"

namespace rmail::engine {
namespace {

using store::v1::MessageDigest;

// How many octets of a SHA-256 an id has.
constexpr unsigned kIdOctets = 16;

// protobuf's wire types.
constexpr uint64_t kVarintType = 0;
constexpr uint64_t kTextType = 2;

uint64_t Tag(int field, uint64_t type) { return static_cast<uint64_t>(field) << 3 | type; }

void Check(int result) {
  // It has no memory, or no SHA-256.
  if (result != 1) std::terminate();
}

// Takes the value of a field whose tag has been taken. False for a type that digests don't have.
bool Skip(uint64_t tag, OctetCursor* cursor) {
  switch (tag & 7) {
    case kVarintType:
      cursor->Varint();
      return cursor->ok();
    case kTextType:
      cursor->Text();
      return cursor->ok();
    default:
      return false;
  }
}

}  // namespace

void IdHasher::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

IdHasher::IdHasher() : context_(EVP_MD_CTX_new()) {
  Check(context_ != nullptr ? EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) : 0);
}

void IdHasher::Update(std::string_view chunk) {
  Check(EVP_DigestUpdate(context_.get(), chunk.data(), chunk.size()));
}

std::string IdHasher::Finish() {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  Check(EVP_DigestFinal_ex(context_.get(), hash, &size));
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (unsigned i = 0; i < kIdOctets; ++i) {
    id.push_back(kDigits[hash[i] >> 4]);
    id.push_back(kDigits[hash[i] & 15]);
  }
  return id;
}

std::string ThreadIdOf(const MessageDigest& digest, std::string_view email_id) {
  IdHasher hasher;
  if (!digest.references().empty()) {
    hasher.Update(PlainMessageId(digest.references(0)));
    return hasher.Finish();
  }
  const std::vector<std::string> own = mime::ParseMessageIds(digest.envelope().message_id(), 1);
  hasher.Update(own.empty() ? std::string(email_id) : PlainMessageId(own.front()));
  return hasher.Finish();
}

std::optional<DigestIdentity> ParseDigestIdentity(std::string_view digest) {
  DigestIdentity identity;
  OctetCursor cursor(digest);
  while (!cursor.rest().empty()) {
    const uint64_t tag = cursor.Varint();
    if (tag == Tag(MessageDigest::kEmailIdFieldNumber, kTextType)) {
      identity.email_id = cursor.Text();
    } else if (tag == Tag(MessageDigest::kThreadIdFieldNumber, kTextType)) {
      identity.thread_id = cursor.Text();
    } else if (tag == Tag(MessageDigest::kSavedFieldNumber, kVarintType)) {
      identity.saved = static_cast<int64_t>(cursor.Varint());
    } else if (!Skip(tag, &cursor)) {
      return std::nullopt;
    }
  }
  if (!cursor.ok()) return std::nullopt;
  return identity;
}

std::string WithSaved(std::string_view digest, int64_t saved) {
  std::string changed;
  changed.reserve(digest.size() + 16);
  OctetCursor cursor(digest);
  while (!cursor.rest().empty()) {
    const std::string_view field = cursor.rest();
    const uint64_t tag = cursor.Varint();
    if (!Skip(tag, &cursor)) return std::string(digest);
    if (tag == Tag(MessageDigest::kSavedFieldNumber, kVarintType)) continue;
    changed.append(field.substr(0, field.size() - cursor.rest().size()));
  }
  if (saved != 0) {
    PutVarint(Tag(MessageDigest::kSavedFieldNumber, kVarintType), &changed);
    PutVarint(static_cast<uint64_t>(saved), &changed);
  }
  return changed;
}

}  // namespace rmail::engine
