// SCRAM through the store's client: what AuthService promises. (Authenticate: store_server_test.)
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <future>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/test_folder.h"
#include "store/service/store_server.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";

std::string Sign(TokenScope scope) {
  Token token;
  token.scope = scope;
  token.expires = absl::Now() + absl::Hours(1);
  return SignToken(kSecret, token);
}

std::string Hmac(const std::string& key, const std::string& text) {
  std::string digest(32, '\0');
  unsigned int size = 32;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

std::string SaltedPassword(const std::string& password,
                           const pb::GetScramParametersResponse& parameters) {
  std::string salted(32, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(parameters.salt().data()),
                    static_cast<int>(parameters.salt().size()),
                    static_cast<int>(parameters.iterations()), EVP_sha256(), 32,
                    reinterpret_cast<unsigned char*>(salted.data()));
  return salted;
}

std::string Proof(const std::string& salted, const std::string& auth_message) {
  std::string key = Hmac(salted, "Client Key");
  std::string stored(32, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(),
         reinterpret_cast<unsigned char*>(stored.data()));
  const std::string signature = Hmac(stored, auth_message);
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ signature[i]);
  return key;
}

class AuthServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.mail_root = folder_.path();
    options.domains = {"example.com"};
    options.token_secret = kSecret;
    options.workers = 4;
    auto server = StoreServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = client::StoreClient::Create({server_->InProcessChannel()});
    pb::CreateAccountRequest request;
    request.mutable_account()->set_name("accounts/alice@example.com");
    request.set_password("secret");
    ASSERT_TRUE(Call(request, TokenScope::kAdmin).ok());
  }
  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
  }

  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request,
                                                   TokenScope scope = TokenScope::kGateway) {
    client::CallOptions options;
    options.token = Sign(scope);
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    client_->Call(options, request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }
  absl::StatusOr<pb::GetScramParametersResponse> Parameters(
      const std::string& address, TokenScope scope = TokenScope::kGateway) {
    pb::GetScramParametersRequest request;
    request.set_address(address);
    return Call(request, scope);
  }
  static pb::AuthenticateScramRequest Request(const std::string& address,
                                              const std::string& proof) {
    pb::AuthenticateScramRequest request;
    request.set_address(address);
    request.set_auth_message("message");
    request.set_client_proof(proof);
    return request;
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
};

TEST_F(AuthServiceTest, ScramGivesATokenOfTheAccount) {
  const auto parameters = Parameters("Alice@example.com");
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  const std::string salted = SaltedPassword("secret", *parameters);
  const auto login = Call(Request("alice@Example.com", Proof(salted, "message")));
  ASSERT_TRUE(login.ok()) << login.status();
  EXPECT_EQ(login->login().account(), "accounts/alice@example.com");
  EXPECT_GT(login->login().expires_in(), 0u);
  EXPECT_FALSE(login->login().admin());
  const auto token = VerifyToken(kSecret, login->login().token(), absl::Now());
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->subject, "alice@example.com");
  EXPECT_EQ(token->scope, TokenScope::kAccount);
  EXPECT_EQ(login->server_signature(), Hmac(Hmac(salted, "Server Key"), "message"));
}

TEST_F(AuthServiceTest, WrongProofsAndUnknownAddressesAreRefusedAlike) {
  const auto wrong = Call(Request("alice@example.com", std::string(32, 'x')));
  const auto unknown = Call(Request("nobody@example.com", std::string(32, 'x')));
  for (const auto& answer : {wrong, unknown, Call(Request("alice@example.com", "")),
                             Call(Request("", std::string(32, 'x')))}) {
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(ReasonOf(answer.status()), pb::ERROR_REASON_BAD_CREDENTIALS);
    EXPECT_EQ(answer.status().message(), wrong.status().message());
  }
}

TEST_F(AuthServiceTest, AnUnknownAddressHasParametersThatStay) {
  const auto first = Parameters("nobody@example.com");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->salt().size(), 16u);
  EXPECT_EQ(first->iterations(), Parameters("alice@example.com")->iterations());
  // Another store with the same secret says the same.
  StoreOptions options;
  engine::TestFolder folder;
  options.mail_root = folder.path();
  options.token_secret = kSecret;
  auto other = StoreServer::Start(options);
  ASSERT_TRUE(other.ok()) << other.status();
  client_ = client::StoreClient::Create({(*other)->InProcessChannel()});
  EXPECT_EQ(Parameters("NOBODY@example.com")->salt(), first->salt());
  client_ = nullptr;
}

TEST_F(AuthServiceTest, OnlyGatewaysMayAsk) {
  for (const TokenScope scope : {TokenScope::kAdmin, TokenScope::kDeliver}) {
    EXPECT_EQ(ReasonOf(Parameters("alice@example.com", scope).status()),
              pb::ERROR_REASON_NOT_PERMITTED);
    EXPECT_EQ(ReasonOf(Call(Request("alice@example.com", std::string(32, 'x')), scope).status()),
              pb::ERROR_REASON_NOT_PERMITTED);
  }
}

TEST_F(AuthServiceTest, HugeRequestsAreRefused) {
  EXPECT_EQ(ReasonOf(Parameters(std::string(2000, 'a')).status()),
            pb::ERROR_REASON_INVALID_REQUEST);
  pb::AuthenticateScramRequest request = Request("alice@example.com", std::string(32, 'x'));
  request.set_auth_message(std::string(20'000, 'm'));
  EXPECT_EQ(ReasonOf(Call(request).status()), pb::ERROR_REASON_INVALID_REQUEST);
}

}  // namespace
}  // namespace rmail::service
