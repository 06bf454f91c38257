#include "gateway/smtp/rate_limits.h"

#include <gtest/gtest.h>

#include <string>

namespace rmail::gateway::smtp {
namespace {

// "key limit/window ..." of the events.
std::string Events(const RateLimits& limits, RateKind kind, std::string_view peer,
                   std::string_view account = "") {
  std::string text;
  for (const auto& event : RateEvents(limits, kind, peer, account)) {
    EXPECT_EQ(event.count(), 1u);
    EXPECT_EQ(event.lockout_seconds(), 0u);
    if (!text.empty()) text += ' ';
    text += event.key() + "=" + std::to_string(event.limit()) + "/" +
            std::to_string(event.window_seconds());
  }
  return text;
}

TEST(RateLimitsTest, AClientAndItsNetwork) {
  const RateLimits limits;
  EXPECT_EQ(Events(limits, RateKind::kConnection, "192.0.2.77"),
            "smtp-connection/address/192.0.2.77=300/60 "
            "smtp-connection/network/192.0.2.0/24=1200/60");
  EXPECT_EQ(Events(limits, RateKind::kMessage, "2001:db8:1:2:3::4"),
            "smtp-message/address/2001:db8:1:2::/64=3000/3600 "
            "smtp-message/network/2001:db8:1::/48=12000/3600");
  EXPECT_EQ(Events(limits, RateKind::kRecipient, "192.0.2.77"),
            "smtp-recipient/address/192.0.2.77=10000/3600 "
            "smtp-recipient/network/192.0.2.0/24=40000/3600");
}

TEST(RateLimitsTest, AnAccountWhereverItIs) {
  const RateLimits limits;
  EXPECT_EQ(Events(limits, RateKind::kMessage, "192.0.2.77", "accounts/alice@example.com"),
            "smtp-message/account/alice@example.com=500/3600");
  EXPECT_EQ(Events(limits, RateKind::kRecipient, "192.0.2.77", "accounts/alice@example.com"),
            "smtp-recipient/account/alice@example.com=2000/3600");
}

TEST(RateLimitsTest, NoLimit) {
  RateLimits limits;
  limits.exempt = {*AddressRange::Parse("192.0.2.0/25")};
  EXPECT_EQ(Events(limits, RateKind::kMessage, "192.0.2.77"), "");
  EXPECT_EQ(Events(limits, RateKind::kMessage, "192.0.2.77", "accounts/alice@example.com"), "");
  EXPECT_NE(Events(limits, RateKind::kMessage, "192.0.2.177"), "");
  limits.network_factor = 0;
  EXPECT_EQ(Events(limits, RateKind::kMessage, "192.0.2.177"),
            "smtp-message/address/192.0.2.177=3000/3600");
  limits.messages_per_hour = 0;
  limits.account_messages_per_hour = 0;
  EXPECT_EQ(Events(limits, RateKind::kMessage, "192.0.2.177"), "");
  EXPECT_EQ(Events(limits, RateKind::kMessage, "192.0.2.177", "accounts/alice@example.com"), "");
  limits.enabled = false;
  EXPECT_EQ(Events(limits, RateKind::kRecipient, "192.0.2.177"), "");
}

TEST(RateLimitsTest, ManyTimesMany) {
  RateLimits limits;
  limits.messages_per_hour = 1'000'000;
  limits.network_factor = 1'000'000;
  EXPECT_EQ(RateEvents(limits, RateKind::kMessage, "192.0.2.1", "")[1].limit(), 4'294'967'295u);
}

}  // namespace
}  // namespace rmail::gateway::smtp
