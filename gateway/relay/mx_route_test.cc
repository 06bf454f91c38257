#include "gateway/relay/mx_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "gateway/relay/idn.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace ip = boost::asio::ip;
using ::testing::ElementsAre;

constexpr char kOwn[] = "mail.example.com";

size_t First(size_t) { return 0; }
size_t Last(size_t below) { return below - 1; }

smtp::Parsed<std::vector<std::string>> Order(const std::vector<MxRecord>& records,
                                             const RandomBelow& random = &Last,
                                             const std::string& domain = "example.test") {
  return OrderHosts(domain, MxAnswer{records, absl::Minutes(5)}, kOwn, random);
}

std::vector<std::string> Hosts(const std::vector<MxRecord>& records,
                               const RandomBelow& random = &Last) {
  auto ordered = Order(records, random);
  const auto* hosts = std::get_if<std::vector<std::string>>(&ordered);
  return hosts != nullptr ? *hosts : std::vector<std::string>{"(refused)"};
}

std::string Refusal(const smtp::Parsed<std::vector<std::string>>& ordered) {
  const auto* reply = std::get_if<smtp::Reply>(&ordered);
  return reply != nullptr ? std::to_string(reply->code) + " " + reply->enhanced : "(none)";
}

TEST(OrderHostsTest, ByPreference) {
  EXPECT_THAT(Hosts({{20, "b"}, {10, "a"}, {30, "c"}}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Hosts({{0, "a"}}), ElementsAre("a"));
}

TEST(OrderHostsTest, EqualPreferenceIsRandom) {
  const std::vector<MxRecord> records = {{10, "a"}, {5, "first"}, {10, "b"}, {10, "c"}};
  // Swapped with itself each time: the order stays.
  EXPECT_THAT(Hosts(records, &Last), ElementsAre("first", "a", "b", "c"));
  const std::vector<std::string> other = Hosts(records, &First);
  EXPECT_EQ(other.front(), "first");
  EXPECT_THAT(other, ::testing::UnorderedElementsAre("first", "a", "b", "c"));
  EXPECT_NE(other, Hosts(records, &Last));
}

TEST(OrderHostsTest, AHostComesOnce) {
  EXPECT_THAT(Hosts({{10, "a"}, {20, "a"}, {20, "b"}}), ElementsAre("a", "b"));
}

TEST(OrderHostsTest, WithoutMxTheDomainItself) {
  EXPECT_THAT(Hosts({}), ElementsAre("example.test"));
}

TEST(OrderHostsTest, NullMx) {
  EXPECT_EQ(Refusal(Order({{0, "."}})), "556 5.1.10");
  // It must be alone; then it is no host anyway.
  EXPECT_THAT(Hosts({{0, "."}, {10, "a"}}), ElementsAre("a"));
}

TEST(OrderHostsTest, Failures) {
  EXPECT_EQ(Refusal(OrderHosts("x.test", absl::NotFoundError(""), kOwn, &Last)), "550 5.1.2");
  EXPECT_EQ(Refusal(OrderHosts("x.test", absl::UnavailableError("t"), kOwn, &Last)), "451 4.4.3");
}

// RFC 5321, 5.1: those that are not better than this server would send it back here.
TEST(OrderHostsTest, LoopsAreCut) {
  EXPECT_THAT(Hosts({{5, "a"}, {10, "Mail.Example.COM"}, {10, "b"}, {20, "c"}}), ElementsAre("a"));
  EXPECT_EQ(Refusal(Order({{5, kOwn}, {10, "b"}})), "554 5.4.6");
  EXPECT_EQ(Refusal(Order({}, &Last, kOwn)), "554 5.4.6");
}

TEST(OrderAddressesTest, FamiliesTakeTurns) {
  std::vector<ip::address> addresses;
  for (const char* text : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "0.0.0.0",
                           "::", "224.0.0.1", "ff02::1", "255.255.255.255"}) {
    addresses.push_back(ip::make_address(text));
  }
  std::string ordered;
  for (const ip::address& address : OrderAddresses(addresses)) ordered += address.to_string() + " ";
  EXPECT_EQ(ordered, "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3 ");
}

TEST(AddressLiteralTest, BothFamilies) {
  EXPECT_EQ(ParseAddressLiteral("[192.0.2.1]")->to_string(), "192.0.2.1");
  EXPECT_EQ(ParseAddressLiteral("[IPv6:2001:db8::1]")->to_string(), "2001:db8::1");
  EXPECT_EQ(ParseAddressLiteral("[ipv6:2001:db8::1]")->to_string(), "2001:db8::1");
  for (const char* bad : {"192.0.2.1", "[192.0.2.1", "[]", "[", "]", "", "[2001:db8::1]",
                          "[IPv6:192.0.2.1]", "[192.0.2]", "[example.com]"}) {
    EXPECT_FALSE(ParseAddressLiteral(bad).has_value()) << bad;
  }
}

TEST(IsWithinTest, WholeLabelsCount) {
  EXPECT_TRUE(IsWithin("example.test", "example.test"));
  EXPECT_TRUE(IsWithin("mx.Example.test", "example.TEST"));
  EXPECT_FALSE(IsWithin("badexample.test", "example.test"));
  EXPECT_FALSE(IsWithin("test", "example.test"));
  EXPECT_FALSE(IsWithin("example.test.evil.test", "example.test"));
}

TEST(IdnTest, ToAscii) {
  EXPECT_EQ(ToAsciiDomain("b\u00fccher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ToAsciiDomain("B\u00dcCHER.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ToAsciiDomain("stra\u00dfe.example"), "xn--strae-oqa.example");
  EXPECT_EQ(ToAsciiDomain("example.com"), "example.com");
  EXPECT_EQ(ToAsciiDomain("[192.0.2.1]"), "[192.0.2.1]");
  EXPECT_FALSE(ToAsciiDomain("\xff.example").has_value());
  EXPECT_FALSE(ToAsciiDomain("a\u00fc..b").has_value());
  EXPECT_FALSE(ToAsciiDomain(std::string(2000, '\xc3')).has_value());
  std::string long_label;
  for (int i = 0; i < 70; ++i) long_label += "\u00fc";
  EXPECT_FALSE(ToAsciiDomain(long_label + ".example").has_value());
}

}  // namespace
}  // namespace rmail::gateway::relay
