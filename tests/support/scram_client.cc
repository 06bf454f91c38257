#include "tests/support/scram_client.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"

namespace rmail::testing {
namespace {

constexpr char kNonce[] = "rOprNGfwEbeRWgbNEkqO";

unsigned char* Octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Hmac(const std::string& key, const std::string& text) {
  std::string digest(32, '\0');
  unsigned int size = 32;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Octets(text), text.size(),
       Octets(digest), &size);
  return digest;
}

}  // namespace

ScramClient::ScramClient(std::string user, std::string password, std::string header,
                         std::string binding)
    : password_(std::move(password)),
      header_(std::move(header)),
      binding_(std::move(binding)),
      bare_("n=" + std::move(user) + ",r=" + kNonce) {}

std::string ScramClient::First() const { return header_ + bare_; }

std::string ScramClient::Final(const std::string& server_first) {
  const std::vector<std::string> fields = absl::StrSplit(server_first, ',');
  std::string salt;
  if (fields.size() != 3 || fields[0].rfind(std::string("r=") + kNonce, 0) != 0 ||
      fields[1].rfind("s=", 0) != 0 || fields[2].rfind("i=", 0) != 0 ||
      !absl::Base64Unescape(fields[1].substr(2), &salt)) {
    ADD_FAILURE() << "not a server-first-message: " << server_first;
    return "";
  }
  std::string salted(32, '\0');
  PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), Octets(salt),
                    static_cast<int>(salt.size()), std::atoi(fields[2].c_str() + 2), EVP_sha256(),
                    32, Octets(salted));
  const std::string without_proof = "c=" + absl::Base64Escape(header_ + binding_) + "," + fields[0];
  const std::string auth_message = bare_ + "," + server_first + "," + without_proof;
  std::string key = Hmac(salted, "Client Key");
  std::string stored(32, '\0');
  SHA256(Octets(key), key.size(), Octets(stored));
  const std::string signature = Hmac(stored, auth_message);
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ signature[i]);
  server_signature_ = Hmac(Hmac(salted, "Server Key"), auth_message);
  return without_proof + ",p=" + absl::Base64Escape(key);
}

bool ScramClient::Trusts(const std::string& server_final) const {
  return !server_signature_.empty() && server_final == "v=" + absl::Base64Escape(server_signature_);
}

}  // namespace rmail::testing
