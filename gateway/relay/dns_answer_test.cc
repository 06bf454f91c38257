#include "gateway/relay/dns_answer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "absl/strings/ascii.h"

namespace rmail::gateway::relay {
namespace {

using namespace std::string_literals;

std::string Number(uint32_t value, int octets) {
  std::string out;
  for (int i = octets - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// Labels with their lengths: "\4mail\2..".
std::string Header(int answers) {
  return "\x12\x34\x81\x80\0\1"s + Number(answers, 2) + "\0\0\0\0"s;
}
// Starts at 12; "test" is at 20.
const std::string kQuestion = "\7example\4test\0\0\x0f\0\1"s;
std::string Record(const std::string& owner, int type, uint32_t ttl, const std::string& data) {
  return owner + Number(type, 2) + "\0\1"s + Number(ttl, 4) + Number(data.size(), 2) + data;
}
const std::string kSelf = "\xc0\x0c"s;

TEST(DnsAnswerTest, Mx) {
  const auto answer =
      ParseMxAnswer(Header(2) + kQuestion + Record(kSelf, 15, 300, "\0\x14\3MX2\xc0\x0c"s) +
                    Record("\7EXAMPLE\xc0\x14"s, 15, 200, "\0\x0a\3mx1\5other\0"s));
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->records.size(), 2U);
  EXPECT_EQ(answer->records[0].host, "mx1.other");
  EXPECT_EQ(answer->records[0].preference, 10);
  EXPECT_EQ(answer->records[1].host, "mx2.example.test");
  EXPECT_EQ(answer->ttl, absl::Seconds(200));
}

TEST(DnsAnswerTest, NullMx) {
  const auto answer = ParseMxAnswer(Header(1) + kQuestion + Record(kSelf, 15, 300, "\0\0\0"s));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->records.at(0).host, ".");
}

TEST(DnsAnswerTest, HostsThatAreNone) {
  const std::string bad = Record(kSelf, 15, 300, "\0\0\3a\rb\0"s);
  EXPECT_FALSE(ParseMxAnswer(Header(1) + kQuestion + bad).ok());
  const auto answer =
      ParseMxAnswer(Header(2) + kQuestion + bad + Record(kSelf, 15, 300, "\0\1\2mx\0"s));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->records.size(), 1U);
}

TEST(DnsAnswerTest, Addresses) {
  const auto v4 = ParseAddressAnswer(
      Header(1) + kQuestion + Record(kSelf, 1, 0x80000001, "\xc0\0\2\1"s), DnsType::kA);
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->addresses.at(0).to_string(), "192.0.2.1");
  EXPECT_EQ(v4->ttl, absl::ZeroDuration());
  const auto v6 = ParseAddressAnswer(
      Header(1) + kQuestion + Record(kSelf, 28, 60, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s),
      DnsType::kAaaa);
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->addresses.at(0).to_string(), "2001:db8::1");
  EXPECT_FALSE(
      ParseAddressAnswer(Header(1) + kQuestion + Record(kSelf, 1, 60, "\1\2\3"), DnsType::kA).ok());
}

// What belongs to other names was not asked for.
TEST(DnsAnswerTest, AliasesAreFollowed) {
  const auto answer = ParseAddressAnswer(
      Header(4) + kQuestion + Record("\1b\0"s, 1, 60, "\1\1\1\1") + Record(kSelf, 5, 30, "\1a\0"s) +
          Record("\1a\0"s, 1, 60, "\2\2\2\2") + Record(kSelf, 1, 60, "\3\3\3\3"),
      DnsType::kA);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->addresses.size(), 1U);
  EXPECT_EQ(answer->addresses[0].to_string(), "2.2.2.2");
  EXPECT_EQ(answer->ttl, absl::Seconds(30));
  // In a circle.
  const auto circle = ParseAddressAnswer(
      Header(2) + kQuestion + Record(kSelf, 5, 30, "\1a\0"s) + Record("\1a\0"s, 5, 30, kSelf),
      DnsType::kA);
  ASSERT_TRUE(circle.ok());
  EXPECT_TRUE(circle->addresses.empty());
}

TEST(DnsAnswerTest, Malformed) {
  const std::string good = Header(1) + kQuestion + Record(kSelf, 15, 300, "\0\x14\2mx\0"s);
  ASSERT_TRUE(ParseMxAnswer(good).ok());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ParseMxAnswer(std::string_view(good).substr(0, size)).ok()) << size;
  }
  // A name that points to itself, ahead, or in a circle.
  for (const char* pointer : {"\xc0\x1e", "\xc0\xff", "\xff\xff"}) {
    EXPECT_FALSE(ParseMxAnswer(Header(1) + kQuestion + Record(pointer, 15, 1, "\0\0\0"s)).ok());
  }
  EXPECT_FALSE(
      ParseMxAnswer(Header(1) + kQuestion + Record("\1a\xc0\x1e"s, 15, 1, "\0\0\0"s)).ok());
  // Something behind the host.
  EXPECT_FALSE(ParseMxAnswer(Header(1) + kQuestion + Record(kSelf, 15, 1, "\0\x14\2mx\0\0"s)).ok());
}

TEST(DnsAnswerTest, ManyRecordsAreBounded) {
  std::string message = Header(2000) + kQuestion;
  for (int i = 0; i < 2000; ++i) {
    message += Record(kSelf, 15, 300, Number(2000 - i, 2) + "\2mx\0"s);
  }
  const auto answer = ParseMxAnswer(message);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->records.size(), 32U);
  EXPECT_EQ(answer->records.front().preference, 2000 - 255);
}

// A long chain of pointers costs no more than a name may.
TEST(DnsAnswerTest, PointersAreBounded) {
  std::string chain = "\0"s;
  const size_t start = 12 + kQuestion.size() + 12;
  for (int i = 0; i < 1000; ++i) {
    const size_t target = i == 0 ? start : start + 1 + 2 * (i - 1);
    chain += Number(0xc000 | target, 2);
  }
  std::string message = Header(2) + kQuestion + Record(kSelf, 99, 1, chain);
  message += Record(Number(0xc000 | (message.size() - 2), 2), 15, 1, "\0\0\0"s);
  EXPECT_FALSE(ParseMxAnswer(message).ok());
}

// Random damage: whatever comes out is fit to be used.
TEST(DnsAnswerTest, Fuzz) {
  std::mt19937_64 random(20261125);
  const std::string good = Header(4) + kQuestion + Record(kSelf, 5, 30, "\1a\xc0\x0c"s) +
                           Record("\1a\xc0\x0c"s, 15, 300, "\0\x14\2mx\xc0\x0c"s) +
                           Record(kSelf, 1, 60, "\1\2\3\4") +
                           Record(kSelf, 28, 60, "0123456789abcdef");
  size_t taken = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string message = good;
    for (size_t n = random() % 4; n > 0; --n) {
      message[random() % message.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) message.resize(random() % message.size());
    const auto mx = ParseMxAnswer(message);
    if (mx.ok()) {
      ++taken;
      ASSERT_LE(mx->records.size(), 32U);
      for (const MxRecord& record : mx->records) {
        ASSERT_FALSE(record.host.empty());
        ASSERT_LE(record.host.size(), 255U);
        for (const char c : record.host) {
          ASSERT_TRUE(absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_');
        }
      }
    }
    for (const DnsType type : {DnsType::kA, DnsType::kAaaa}) {
      const auto addresses = ParseAddressAnswer(message, type);
      if (addresses.ok()) ASSERT_GE(addresses->ttl, absl::ZeroDuration());
    }
  }
  EXPECT_GT(taken, 3'000U);
}

}  // namespace
}  // namespace rmail::gateway::relay
