#include "store/engine/scram.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "store/base/error.h"
#include "store/engine/engine.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

std::string Decode(const std::string& base64) {
  std::string octets;
  EXPECT_TRUE(absl::Base64Unescape(base64, &octets));
  return octets;
}

std::string Hmac(const std::string& key, const std::string& text) {
  std::string digest(32, '\0');
  unsigned int size = 32;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

// What a client that knows the password sends (RFC 5802, 3).
std::string ProofFor(const std::string& password, const ScramParameters& parameters,
                     const std::string& auth_message) {
  std::string salted(32, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(parameters.salt.data()),
                    static_cast<int>(parameters.salt.size()), parameters.iterations, EVP_sha256(),
                    32, reinterpret_cast<unsigned char*>(salted.data()));
  std::string key = Hmac(salted, "Client Key");
  std::string stored(32, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(),
         reinterpret_cast<unsigned char*>(stored.data()));
  const std::string signature = Hmac(stored, auth_message);
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ signature[i]);
  return key;
}

// RFC 7677, 3: user "user", password "pencil".
TEST(ScramTest, TheExampleOfTheStandard) {
  const std::string auth_message =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,"
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const std::string salt = Decode("W22ZaJ0SNY7soEsUEjb6gQ==");
  std::string proof = Decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  ASSERT_EQ(ProofFor("pencil", {salt, 4096}, auth_message), proof);

  StoredPassword password{4096, salt, std::string(32, '\0')};
  PKCS5_PBKDF2_HMAC("pencil", 6, reinterpret_cast<const unsigned char*>(salt.data()),
                    static_cast<int>(salt.size()), 4096, EVP_sha256(), 32,
                    reinterpret_cast<unsigned char*>(password.hash.data()));
  const auto signature = VerifyScramProof(password, auth_message, proof);
  ASSERT_TRUE(signature.has_value());
  EXPECT_EQ(*signature, Decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));

  EXPECT_FALSE(VerifyScramProof(password, auth_message + "x", proof));
  EXPECT_FALSE(VerifyScramProof(password, auth_message, ""));
  EXPECT_FALSE(VerifyScramProof(password, auth_message, proof.substr(0, 31)));
  EXPECT_FALSE(VerifyScramProof(password, auth_message, proof + "x"));
  for (size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<char>(proof[i] ^ 1);
    EXPECT_FALSE(VerifyScramProof(password, auth_message, proof)) << i;
    proof[i] = static_cast<char>(proof[i] ^ 1);
  }
}

TEST(ScramTest, StoredHashes) {
  const auto stored = ScramPassword(HashPassword("secret", 1000));
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->rounds, 1000);
  EXPECT_EQ(stored->salt.size(), 16u);
  EXPECT_EQ(stored->hash.size(), 32u);
  const std::string hash(64, 'a');
  EXPECT_TRUE(ScramPassword("pbkdf2-sha256$1$" + std::string(32, '0') + "$" + hash));
  for (const std::string& other : {std::string(), std::string("$2b$12$abcdefghijklmnopqrstuv"),
                                   "pbkdf2-sha256$1$" + std::string(30, '0') + "$" + hash,
                                   "pbkdf2-sha256$0$" + std::string(32, '0') + "$" + hash,
                                   "pbkdf2-sha256$10000001$" + std::string(32, '0') + "$" + hash,
                                   "pbkdf2-sha256$1$" + std::string(32, 'x') + "$" + hash,
                                   "pbkdf2-sha256$1$" + std::string(32, '0') + "$" + hash + "aa",
                                   "pbkdf2-sha256$1$" + std::string(32, '0') + "$" + hash + "$",
                                   "pbkdf2-sha512$1$" + std::string(32, '0') + "$" + hash}) {
    EXPECT_FALSE(ScramPassword(other)) << other;
  }
}

class ScramLoginTest : public ::testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.mail_root = folder_.path();
    options.domains = {"example.com"};
    auto engine = Engine::Open(options);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    ASSERT_TRUE(engine_->CreateAccount("alice@example.com", "secret", {}).ok());
  }
  ScramParameters Parameters(const std::string& address, const std::string& key = "key") {
    const auto parameters = engine_->ScramParametersOf(address, key);
    EXPECT_TRUE(parameters.ok()) << parameters.status();
    return parameters.value_or(ScramParameters());
  }
  ErrorReason ReasonOfLogin(const std::string& address, const std::string& password) {
    const std::string proof = ProofFor(password, Parameters(address), "message");
    return ReasonOf(engine_->AuthenticateScram(address, "message", proof).status());
  }
  // Quick to prove.
  void SetQuickHash() {
    const auto account = engine_->FindAccount("alice@example.com");
    ASSERT_TRUE(account.ok());
    const auto change = [](UserSettings& settings) {
      settings.hash = HashPassword("secret", 1000);
    };
    ASSERT_TRUE((*account)->UpdateSettings(change).ok());
  }
  void WriteUserFile(const std::string& text) {
    std::ofstream(folder_.path() + "/domains/example.com/users/alice/user.json") << text;
  }

  TestFolder folder_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ScramLoginTest, APasswordThatWasSetWorks) {
  SetQuickHash();
  const ScramParameters parameters = Parameters("Alice@Example.COM");
  const std::string proof = ProofFor("secret", parameters, "message");
  const auto login = engine_->AuthenticateScram("ALICE@example.com", "message", proof);
  ASSERT_TRUE(login.ok()) << login.status();
  EXPECT_EQ(login->account->address().ToString(), "alice@example.com");
  EXPECT_EQ(login->server_signature.size(), 32u);
  EXPECT_EQ(ReasonOfLogin("alice@example.com", "Secret"), store::v1::ERROR_REASON_BAD_CREDENTIALS);
}

TEST_F(ScramLoginTest, NobodyCanBeToldFromAnAccount) {
  const ScramParameters alice = Parameters("alice@example.com");
  const ScramParameters nobody = Parameters("nobody@example.com");
  EXPECT_EQ(nobody.iterations, alice.iterations);
  EXPECT_EQ(nobody.salt.size(), alice.salt.size());
  EXPECT_EQ(Parameters("NoBody@Example.com").salt, nobody.salt);
  EXPECT_NE(Parameters("nobody2@example.com").salt, nobody.salt);
  EXPECT_NE(Parameters("nobody@example.com", "another key").salt, nobody.salt);
  // What can't be an address, too.
  EXPECT_EQ(Parameters("../etc").salt, Parameters("../ETC").salt);
  EXPECT_EQ(Parameters("").salt.size(), 16u);
  for (const char* address : {"nobody@example.com", "", "../etc", "alice@elsewhere.example"}) {
    const auto login = engine_->AuthenticateScram(address, "message", std::string(32, 'x'));
    EXPECT_EQ(ReasonOf(login.status()), store::v1::ERROR_REASON_BAD_CREDENTIALS);
  }
}

TEST_F(ScramLoginTest, ADisabledAccountIsToldOnlyToItsOwner) {
  SetQuickHash();
  const auto account = engine_->FindAccount("alice@example.com");
  ASSERT_TRUE(account.ok());
  const ScramParameters before = Parameters("alice@example.com");
  ASSERT_TRUE((*account)->UpdateSettings([](UserSettings& s) { s.disabled = true; }).ok());
  EXPECT_EQ(Parameters("alice@example.com").salt, before.salt);
  EXPECT_EQ(ReasonOfLogin("alice@example.com", "secret"), store::v1::ERROR_REASON_ACCOUNT_DISABLED);
  EXPECT_EQ(ReasonOfLogin("alice@example.com", "wrong"), store::v1::ERROR_REASON_BAD_CREDENTIALS);
}

TEST_F(ScramLoginTest, AHashOfAnotherKindIsNobodys) {
  WriteUserFile(R"({"hash": "$2b$12$abcdefghijklmnopqrstuv"})");
  EXPECT_EQ(Parameters("alice@example.com").salt,
            FakeScramParameters("key", "alice@example.com").salt);
  EXPECT_EQ(ReasonOfLogin("alice@example.com", "secret"), store::v1::ERROR_REASON_BAD_CREDENTIALS);
  // Not even to who knows what is checked instead.
  WriteUserFile(R"({"hash": ""})");
  EXPECT_EQ(ReasonOfLogin("alice@example.com", ""), store::v1::ERROR_REASON_BAD_CREDENTIALS);
}

}  // namespace
}  // namespace rmail::engine
