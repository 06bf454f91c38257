#include "gateway/common/login_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/common/client_address.h"

namespace rmail::gateway {
namespace {

class LoginGuardTest : public ::testing::Test {
 protected:
  static LoginGuardOptions Options() {
    LoginGuardOptions options;
    options.max_failures = 3;
    return options;
  }
  // Fails with new credentials each time; how long the last failure locks out for.
  absl::Duration Fail(std::string_view address, int times = 1) {
    absl::Duration locked;
    for (int i = 0; i < times; ++i) {
      locked = guard_.Failed(address, std::to_string(++tries_), now_);
    }
    return locked;
  }
  bool Locked(std::string_view address) {
    return guard_.LockedFor(address, now_) > absl::ZeroDuration();
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  int tries_ = 0;
  LoginGuard guard_{Options()};
};

TEST_F(LoginGuardTest, TooManyFailuresLockOut) {
  EXPECT_EQ(Fail("192.0.2.1", 2), absl::ZeroDuration());
  EXPECT_FALSE(Locked("192.0.2.1"));
  EXPECT_EQ(Fail("192.0.2.1"), absl::Minutes(1));
  EXPECT_TRUE(Locked("192.0.2.1"));
  EXPECT_FALSE(Locked("192.0.2.2"));
  now_ += absl::Seconds(59);
  EXPECT_TRUE(Locked("192.0.2.1"));
  now_ += absl::Seconds(1);
  EXPECT_FALSE(Locked("192.0.2.1"));
}

TEST_F(LoginGuardTest, EachTimeForLonger) {
  for (const int minutes : {1, 2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(Fail("192.0.2.1", 3), absl::Minutes(minutes));
    now_ += absl::Minutes(minutes);
  }
  // Who has been quiet for long is a new client.
  now_ += absl::Hours(5);
  EXPECT_EQ(Fail("192.0.2.1", 3), absl::Minutes(1));
}

TEST_F(LoginGuardTest, OldFailuresDoNotCount) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Fail("192.0.2.1"), absl::ZeroDuration());
    now_ += absl::Minutes(5);
  }
  EXPECT_EQ(Fail("192.0.2.1", 2), absl::Minutes(1));
}

TEST_F(LoginGuardTest, TheSameWrongPasswordCountsOnce) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(guard_.Failed("192.0.2.1", "alice old", now_), absl::ZeroDuration());
  }
  EXPECT_EQ(guard_.Failed("192.0.2.1", "bob old", now_), absl::ZeroDuration());
  EXPECT_EQ(guard_.Failed("192.0.2.1", "alice old", now_), absl::ZeroDuration());
  EXPECT_EQ(guard_.Failed("192.0.2.1", "alice older", now_), absl::Minutes(1));
}

TEST_F(LoginGuardTest, AnIpv6ClientHasASlash64) {
  Fail("2001:db8::1", 2);
  EXPECT_EQ(Fail("2001:db8::ffff:2"), absl::Minutes(1));
  EXPECT_TRUE(Locked("2001:db8:0:0:9::1"));
  EXPECT_FALSE(Locked("2001:db8:0:1::1"));
}

TEST_F(LoginGuardTest, TrustedClientsAndNoLimit) {
  LoginGuardOptions options = Options();
  options.trusted = {*AddressRange::Parse("192.0.2.0/25"), *AddressRange::Parse("::1")};
  LoginGuard trusting(options);
  options.trusted.clear();
  options.max_failures = 0;
  LoginGuard off(options);
  for (int i = 0; i < 100; ++i) {
    const std::string credentials = std::to_string(i);
    EXPECT_EQ(trusting.Failed("192.0.2.127", credentials, now_), absl::ZeroDuration());
    EXPECT_EQ(trusting.Failed("::1", credentials, now_), absl::ZeroDuration());
    EXPECT_EQ(off.Failed("192.0.2.1", credentials, now_), absl::ZeroDuration());
    trusting.Failed("192.0.2.128", credentials, now_);
  }
  EXPECT_EQ(trusting.LockedFor("192.0.2.127", now_), absl::ZeroDuration());
  EXPECT_GT(trusting.LockedFor("192.0.2.128", now_), absl::ZeroDuration());
  EXPECT_EQ(off.LockedFor("192.0.2.1", now_), absl::ZeroDuration());
  EXPECT_TRUE(trusting.Exempt("192.0.2.127"));
  EXPECT_FALSE(off.Exempt("192.0.2.1"));
}

TEST_F(LoginGuardTest, TheRecentAreKeptAndTheOthersForgotten) {
  Fail("192.0.2.1", 3);
  now_ += absl::Seconds(1);
  const auto address = [](int i) {
    return "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
           std::to_string(i % 256);
  };
  for (int i = 0; i < 20'000; ++i) Fail(address(i));
  EXPECT_TRUE(Locked("192.0.2.1"));
  for (int i = 20'000; i < 80'000; ++i) Fail(address(i));
  EXPECT_FALSE(Locked("192.0.2.1"));
  EXPECT_EQ(Fail(address(79'999), 2), absl::Minutes(1));
}

TEST_F(LoginGuardTest, WhatAnotherGatewayKnows) {
  guard_.LockOut("192.0.2.1", now_ + absl::Seconds(10));
  guard_.LockOut("192.0.2.1", now_ + absl::Seconds(5));
  EXPECT_EQ(guard_.LockedFor("192.0.2.1", now_), absl::Seconds(10));
  EXPECT_FALSE(Locked("192.0.2.2"));
}

TEST_F(LoginGuardTest, LoginsThatSucceededAreKnown) {
  guard_.Succeeded("192.0.2.1", "alice@example.com");
  EXPECT_TRUE(guard_.Knows("192.0.2.1", "alice@example.com"));
  EXPECT_FALSE(guard_.Knows("192.0.2.2", "alice@example.com"));
  EXPECT_FALSE(guard_.Knows("192.0.2.1", "bob@example.com"));
  for (int i = 0; i < 25'000; ++i) guard_.Succeeded("192.0.2.1", std::to_string(i));
  EXPECT_TRUE(guard_.Knows("192.0.2.1", "alice@example.com"));
  for (int i = 25'000; i < 55'000; ++i) guard_.Succeeded("192.0.2.1", std::to_string(i));
  EXPECT_FALSE(guard_.Knows("192.0.2.1", "alice@example.com"));
  EXPECT_TRUE(guard_.Knows("192.0.2.1", "54999"));
}

TEST(AddressRangeTest, Ranges) {
  struct Case {
    const char* range;
    const char* address;
    bool contained;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"192.0.2.0/24", "192.0.2.255", true},
           {"192.0.2.0/24", "192.0.3.0", false},
           {"192.0.2.128/25", "192.0.2.127", false},
           {"0.0.0.0/0", "203.0.113.9", true},
           {"0.0.0.0/0", "2001:db8::1", false},
           {"::/0", "2001:db8::1", true},
           {"2001:db8::/33", "2001:db8:7fff::1", true},
           {"2001:db8::/33", "2001:db8:8000::1", false},
           {"::1", "::1", true},
           {"::ffff:192.0.2.0/120", "192.0.2.7", true},
           {"192.0.2.1", "nonsense", false},
           {"192.0.2.1", "", false},
       }) {
    const auto range = AddressRange::Parse(c.range);
    ASSERT_TRUE(range.has_value()) << c.range;
    EXPECT_EQ(range->Contains(c.address), c.contained) << c.range << " " << c.address;
  }
  for (const char* bad : {"", "/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "192.0.2.0/x",
                          "192.0.2/24", "2001:db8::/129", "localhost", "192.0.2.0/24 "}) {
    EXPECT_FALSE(AddressRange::Parse(bad).has_value()) << bad;
  }
}

TEST(ClientNameTest, Names) {
  EXPECT_EQ(ClientName("192.0.2.77"), "192.0.2.77");
  EXPECT_EQ(NetworkName("192.0.2.77"), "192.0.2.0/24");
  EXPECT_EQ(ClientName("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
  EXPECT_EQ(NetworkName("2001:db8:1:2:3::4"), "2001:db8:1::/48");
  EXPECT_EQ(ClientName("::1"), "::/64");
  EXPECT_EQ(ClientName(std::string(100, 'x')), std::string(64, 'x'));
  EXPECT_EQ(NetworkName(""), "");
}

TEST(ClientKeyTest, Keys) {
  EXPECT_EQ(ClientKey("192.0.2.1"), std::string("\xc0\x00\x02\x01", 4));
  EXPECT_EQ(ClientKey("2001:db8::1"), ClientKey("2001:db8::2"));
  EXPECT_NE(ClientKey("2001:db8::1"), ClientKey("2001:db8:0:1::1"));
  EXPECT_EQ(ClientKey("x"), "x");
}

}  // namespace
}  // namespace rmail::gateway
