#include "gateway/common/sasl.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>

namespace rmail::gateway {
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

// The same random input in every run: what decodes comes out of the encoder as it was.
TEST(Base64, RoundTrips) {
  std::mt19937_64 random(20261124);
  constexpr std::string_view kPieces[] = {"AGEAYg==", "YQ", "=", "A", "+/", "\xff", "\r\n"};
  int decoded = 0;
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    for (size_t k = random() % 6; k > 0; --k) text += kPieces[random() % std::size(kPieces)];
    const std::optional<std::string> octets = DecodeBase64(text);
    if (!octets.has_value()) continue;
    ++decoded;
    ASSERT_EQ(DecodeBase64(EncodeBase64(*octets)), octets);
    static_cast<void>(ParsePlain(*octets));
  }
  EXPECT_GT(decoded, 1000);
}

TEST(ParsePlain, Parts) {
  const auto credentials = ParsePlain("z\0alice@example.com\0secret"sv);
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->authorize_as, "z");
  EXPECT_EQ(credentials->user, "alice@example.com");
  EXPECT_EQ(credentials->password, "secret");
  EXPECT_TRUE(ParsePlain("\0a\0b"sv).has_value());
  for (const std::string_view bad :
       {""sv, "a"sv, "\0a"sv, "\0\0b"sv, "\0a\0"sv, "\0a\0b\0c"sv, "\0a\0\xff"sv, "\0\xc3\0b"sv,
        "\xff\0a\0b"sv, "\0a\0\xed\xa0\x80"sv}) {
    EXPECT_FALSE(ParsePlain(bad).has_value());
  }
}

TEST(Credentials, WellFormed) {
  EXPECT_TRUE(IsWellFormed({"", "a", "p\xc3\xa4ss"}));
  EXPECT_FALSE(IsWellFormed({"", "", "b"}));
  EXPECT_FALSE(IsWellFormed({"", "a", ""}));
  EXPECT_FALSE(IsWellFormed({"", "a\xe4", "b"}));
  EXPECT_FALSE(IsWellFormed({"", "a", "\xe4"}));
  EXPECT_FALSE(IsWellFormed({"", "a", std::string("b\0", 2)}));
}

TEST(Credentials, ActsAsSelf) {
  EXPECT_TRUE(ActsAsSelf({"", "alice@example.com", "b"}));
  EXPECT_TRUE(ActsAsSelf({"Alice@Example.com", "alice@example.com", "b"}));
  EXPECT_FALSE(ActsAsSelf({"bob@example.com", "alice@example.com", "b"}));
  EXPECT_FALSE(ActsAsSelf({"alice", "alice@example.com", "b"}));
}

}  // namespace
}  // namespace rmail::gateway
