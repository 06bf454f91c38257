#include "gateway/smtp/syntax/sasl.h"

#include <gtest/gtest.h>

namespace rmail::smtp {
namespace {

using namespace std::string_view_literals;

TEST(Base64, Strict) {
  EXPECT_EQ(DecodeBase64(""), "");
  EXPECT_EQ(DecodeBase64("YQ=="), "a");
  EXPECT_EQ(DecodeBase64("YWI="), "ab");
  EXPECT_EQ(DecodeBase64("AGEAYg=="), "\0a\0b"sv);
  EXPECT_EQ(DecodeBase64(EncodeBase64("\xff\x00\x10"sv)), "\xff\x00\x10"sv);
  for (const std::string_view bad :
       {"Y", "YQ", "YQ=", "=", "====", "YQ==YQ==", "Y Q=", "Y-==", "Y===", "YQ\r\n", "*"}) {
    EXPECT_EQ(DecodeBase64(bad), std::nullopt) << bad;
  }
}

TEST(ParsePlain, Parts) {
  const auto credentials = ParsePlain("z\0alice@example.com\0secret"sv);
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->authorize_as, "z");
  EXPECT_EQ(credentials->user, "alice@example.com");
  EXPECT_EQ(credentials->password, "secret");
  EXPECT_TRUE(ParsePlain("\0a\0b"sv).has_value());
  for (const std::string_view bad :
       {""sv, "a"sv, "\0a"sv, "\0\0b"sv, "\0a\0"sv, "\0a\0b\0c"sv, "\0a\0\xff"sv}) {
    EXPECT_FALSE(ParsePlain(bad).has_value());
  }
}

}  // namespace
}  // namespace rmail::smtp
