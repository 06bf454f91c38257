#include "gateway/common/bearer.h"

#include <gtest/gtest.h>

#include <string>

namespace rmail::gateway {
namespace {

using namespace std::string_view_literals;

// RFC 7628, 4.1.
TEST(OAuthBearerTest, TheExampleOfTheStandard) {
  const auto login = ParseOAuthBearer(
      "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
      "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01");
  ASSERT_TRUE(login.has_value());
  EXPECT_EQ(login->user, "user@example.com");
  EXPECT_EQ(login->token, "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
}

TEST(OAuthBearerTest, Forms) {
  EXPECT_EQ(ParseOAuthBearer("n,,\x01"
                             "auth=bearer abc\x01\x01")
                ->token,
            "abc");
  EXPECT_EQ(ParseOAuthBearer("y,a=a=2Cb,\x01"
                             "auth=Bearer abc\x01\x01")
                ->user,
            "a,b");
  // RFC 7628, 4.3: without a token.
  EXPECT_EQ(ParseOAuthBearer("n,,\x01"
                             "auth=\x01\x01")
                ->token,
            "");
  EXPECT_EQ(ParseOAuthBearer("n,,\x01host=x\x01\x01")->token, "");
}

TEST(OAuthBearerTest, Malformed) {
  for (const std::string_view bad : {""sv,
                                     "n"sv,
                                     "n,"sv,
                                     "n,,"sv,
                                     "n,,\x01"sv,
                                     "n,,\x01"
                                     "auth=Bearer abc\x01"sv,
                                     "n,,\x01"
                                     "auth=Bearer abc"sv,
                                     "n,,\x01"
                                     "auth=Bearer abc\x01\x01x"sv,
                                     "n,,\x01"
                                     "auth=Basic abc\x01\x01"sv,
                                     "n,,\x01"
                                     "auth=Bearer \x01\x01"sv,
                                     "n,,\x01"
                                     "auth=Bearer a b\x01\x01"sv,
                                     "n,,\x01"
                                     "auth=Bearer a\0\x01\x01"sv,
                                     "n,,\x01"
                                     "auth=Bearer a\x01"
                                     "auth=Bearer b\x01\x01"sv,
                                     "n,,\x01"
                                     "auth\x01\x01"sv,
                                     "p=tls-exporter,,\x01"
                                     "auth=Bearer abc\x01\x01"sv,
                                     "n,b=u,\x01"
                                     "auth=Bearer abc\x01\x01"sv,
                                     "n,a=,\x01"
                                     "auth=Bearer abc\x01\x01"sv,
                                     "n,a=\xff,\x01"
                                     "auth=Bearer abc\x01\x01"sv,
                                     "n,a=u\x01"
                                     "auth=Bearer abc\x01\x01"sv,
                                     "n,x\x01"
                                     "auth=Bearer abc\x01\x01"sv}) {
    EXPECT_FALSE(ParseOAuthBearer(bad).has_value()) << bad;
  }
  EXPECT_FALSE(ParseOAuthBearer("n,,\x01"
                                "auth=Bearer " +
                                std::string(9000, 'a') + "\x01\x01")
                   .has_value());
}

TEST(XOAuth2Test, Forms) {
  const auto login = ParseXOAuth2(
      "user=someuser@example.com\x01"
      "auth=Bearer ya29.vF9dft4qmTc2\x01\x01");
  ASSERT_TRUE(login.has_value());
  EXPECT_EQ(login->user, "someuser@example.com");
  EXPECT_EQ(login->token, "ya29.vF9dft4qmTc2");
  for (const std::string_view bad : {""sv, "user=a"sv, "user=a\x01"sv,
                                     "user=a\x01"
                                     "auth=Bearer x\x01"sv,
                                     "usr=a\x01"
                                     "auth=Bearer x\x01\x01"sv,
                                     "user=\xff\x01"
                                     "auth=Bearer x\x01\x01"sv,
                                     "user=a\0b\x01"
                                     "auth=Bearer x\x01\x01"sv}) {
    EXPECT_FALSE(ParseXOAuth2(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace rmail::gateway
