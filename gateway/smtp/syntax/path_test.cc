#include "gateway/smtp/syntax/path.h"

#include <gtest/gtest.h>

#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::smtp {
namespace {

using namespace std::string_view_literals;

// The address and what is left of the text, or "none".
std::string Take(std::string_view text) {
  const std::string_view before = text;
  const std::optional<Path> path = TakePath(text);
  if (!path.has_value()) {
    EXPECT_EQ(text, before);
    return "none";
  }
  return path->Address() + "|" + std::string(text);
}

TEST(TakePath, Addresses) {
  EXPECT_EQ(Take("<alice@example.com> SIZE=1"), "alice@example.com| SIZE=1");
  EXPECT_EQ(Take("<Alice.B+x@Example.COM>"), "Alice.B+x@Example.COM|");
  EXPECT_EQ(Take("<>"), "|");
  EXPECT_EQ(Take("<a@b>"), "a@b|");
  EXPECT_EQ(Take("<!#$%&'*+-/=?^_`{|}~@b>"), "!#$%&'*+-/=?^_`{|}~@b|");
  EXPECT_EQ(Take("<a@under_score.example>"), "a@under_score.example|");
  EXPECT_EQ(Take("<Postmaster>"), "Postmaster|");
  EXPECT_EQ(Take("<j\xc3\xbcrgen@m\xc3\xbc.example>"), "j\xc3\xbcrgen@m\xc3\xbc.example|");
}

TEST(TakePath, QuotedLocalParts) {
  EXPECT_EQ(Take("<\"alice\"@example.com>"), "alice@example.com|");
  EXPECT_EQ(Take("<\"a b\"@c>"), "\"a b\"@c|");
  EXPECT_EQ(Take("<\"a>b\"@c> X"), "\"a>b\"@c| X");
  EXPECT_EQ(Take("<\"a\\\"b\"@c>"), "\"a\\\"b\"@c|");
  EXPECT_EQ(Take("<\"a\\\\\"@c>"), "\"a\\\\\"@c|");
  EXPECT_EQ(Take("<\"a..b\"@c>"), "\"a..b\"@c|");
  EXPECT_EQ(Take("<\"\\a\\l\"@c>"), "al@c|");
  EXPECT_EQ(Take("<\"a@b\"@c>"), "\"a@b\"@c|");
}

TEST(TakePath, AddressLiterals) {
  EXPECT_EQ(Take("<a@[192.0.2.1]>"), "a@[192.0.2.1]|");
  EXPECT_EQ(Take("<a@[IPv6:2001:db8::1]>"), "a@[IPv6:2001:db8::1]|");
  EXPECT_EQ(Take("<a@[ipv6:::1]>"), "a@[ipv6:::1]|");
  EXPECT_EQ(Take("<a@[2001:db8::1]>"), "none");
  EXPECT_EQ(Take("<a@[192.0.2.256]>"), "none");
  EXPECT_EQ(Take("<a@[IPv6:192.0.2.1]>"), "none");
  EXPECT_EQ(Take("<a@[tag:x]>"), "none");
  EXPECT_EQ(Take("<a@[]>"), "none");
}

TEST(TakePath, SourceRoutesArePassedOver) {
  EXPECT_EQ(Take("<@one.example:a@b>"), "a@b|");
  EXPECT_EQ(Take("<@one.example,@two:a@b>"), "a@b|");
  EXPECT_EQ(Take("<@one.example>"), "none");
  EXPECT_EQ(Take("<@one.example,two:a@b>"), "none");
  EXPECT_EQ(Take("<@:a@b>"), "none");
  EXPECT_EQ(Take("<@a,:a@b>"), "none");
}

TEST(TakePath, Refuses) {
  for (const std::string_view text : std::initializer_list<std::string_view>{"",
                                                                             "a@b",
                                                                             "<a@b",
                                                                             "<a>",
                                                                             "<@b>",
                                                                             "<a@>",
                                                                             "<a@b.>",
                                                                             "<a@.b>",
                                                                             "<a@b..c>",
                                                                             "<.a@b>",
                                                                             "<a.@b>",
                                                                             "<a..b@c>",
                                                                             "<a b@c>",
                                                                             "<a@b c>",
                                                                             "<\"a@b>",
                                                                             "<\"\"@b>",
                                                                             "<\"a\"b@c>",
                                                                             "<a@b@c>",
                                                                             "<a@-b>",
                                                                             "<a@b->",
                                                                             "< a@b>",
                                                                             "<a@b >",
                                                                             "<a,b@c>",
                                                                             "<(a)b@c>",
                                                                             "<\"a\\\">",
                                                                             "<postmaster@>",
                                                                             "<\xff@b>",
                                                                             "<a@\xc0\x80>",
                                                                             "<\xed\xa0\x80@b>",
                                                                             "<\"a\\\xc3\xbc\"@b>",
                                                                             "<a\0@b>"sv,
                                                                             "<\"a\0\"@b>"sv,
                                                                             "<\"a\tb\"@c>"}) {
    EXPECT_EQ(Take(text), "none") << text;
  }
}

TEST(TakePath, Limits) {
  const std::string label(63, 'd');
  const std::string domain = label + "." + label + "." + label + ".example";
  const size_t room = kMaxPath - 3 - domain.size();
  EXPECT_NE(Take("<" + std::string(room, 'a') + "@" + domain + ">"), "none");
  EXPECT_EQ(Take("<" + std::string(room + 1, 'a') + "@" + domain + ">"), "none");
  EXPECT_EQ(Take("<a@" + std::string(64, 'd') + ">"), "none");
}

TEST(Path, Internationalised) {
  EXPECT_FALSE((Path{"a", "b"}.internationalised()));
  EXPECT_TRUE((Path{"\xc3\xbc", "b"}.internationalised()));
  EXPECT_TRUE((Path{"a", "\xc3\xbc"}.internationalised()));
}

TEST(IsUtf8, WellFormedOnly) {
  EXPECT_TRUE(IsUtf8("\xc2\xa0\xc2\xbf"));
  EXPECT_TRUE(IsUtf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const std::string_view bad :
       {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xbf\xbf",
        "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc2\x85",
        "\xc2\xa0\xc2\x9f", "\xe2\x82"}) {
    EXPECT_FALSE(IsUtf8(bad)) << testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace rmail::gateway::smtp
