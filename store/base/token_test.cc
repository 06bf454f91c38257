#include "store/base/token.h"

#include <gtest/gtest.h>

#include "store/base/error.h"

namespace rmail {
namespace {

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";
const absl::Time kNow = absl::Now();

Token AccountToken() {
  Token token;
  token.subject = "alice@example.com";
  token.scope = TokenScope::kAccount;
  token.expires = kNow + absl::Hours(1);
  return token;
}

TEST(TokenTest, RoundTrips) {
  const absl::StatusOr<Token> token =
      VerifyToken(kSecret, SignToken(kSecret, AccountToken()), kNow);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->subject, "alice@example.com");
  EXPECT_EQ(token->scope, TokenScope::kAccount);
  EXPECT_EQ(token->expires, absl::FromUnixSeconds(absl::ToUnixSeconds(kNow + absl::Hours(1))));
}

TEST(TokenTest, RefusesAnotherSecret) {
  const std::string encoded = SignToken("another secret, as long as it is", AccountToken());
  const absl::StatusOr<Token> token = VerifyToken(kSecret, encoded, kNow);
  EXPECT_EQ(ReasonOf(token.status()), store::v1::ERROR_REASON_BAD_TOKEN);
}

TEST(TokenTest, RefusesAfterExpiry) {
  const std::string encoded = SignToken(kSecret, AccountToken());
  EXPECT_TRUE(VerifyToken(kSecret, encoded, kNow + absl::Minutes(59)).ok());
  EXPECT_EQ(ReasonOf(VerifyToken(kSecret, encoded, kNow + absl::Minutes(61)).status()),
            store::v1::ERROR_REASON_BAD_TOKEN);
}

TEST(TokenTest, RefusesEveryChangedOctet) {
  const std::string encoded = SignToken(kSecret, AccountToken());
  for (size_t i = 0; i < encoded.size(); ++i) {
    std::string forged = encoded;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    const absl::StatusOr<Token> token = VerifyToken(kSecret, forged, kNow);
    // The last characters of a base64 group may hold bits that mean nothing.
    if (token.ok()) {
      EXPECT_EQ(token->subject, "alice@example.com");
      EXPECT_EQ(token->scope, TokenScope::kAccount);
    }
  }
}

TEST(TokenTest, RefusesAlgorithmNoneAndJunk) {
  // {"alg":"none","typ":"JWT"} .
  // {"aud":"store","exp":9999999999,"iss":"rmail","scope":"admin","sub":"a@b"} .
  const std::string none =
      "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
      "eyJhdWQiOiJzdG9yZSIsImV4cCI6OTk5OTk5OTk5OSwiaXNzIjoicm1haWwiLCJzY29wZSI6ImFkbWluIiwic3ViIjoi"
      "YUBiIn0.";
  for (const std::string& junk :
       {none, none + "AAAA", std::string("a.b.c"), std::string("..."), std::string(),
        std::string("\0\0", 2), std::string(5000, 'x'), std::string("eyJhbGciOiJIUzI1NiJ9")}) {
    EXPECT_EQ(ReasonOf(VerifyToken(kSecret, junk, kNow).status()),
              store::v1::ERROR_REASON_BAD_TOKEN);
  }
}

TEST(TokenTest, SecretsDiffer) {
  EXPECT_EQ(NewTokenSecret().size(), 64u);
  EXPECT_NE(NewTokenSecret(), NewTokenSecret());
}

}  // namespace
}  // namespace rmail
