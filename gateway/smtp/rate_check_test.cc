// What a client over its limits sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "gateway/common/client_address.h"
#include "gateway/smtp/smtp_fixture.h"

namespace rmail::gateway::smtp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using RateCheckTest = SmtpFixture;

TEST_F(RateCheckTest, WhatIsCounted) {
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say("MAIL FROM:<a@example.net>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>").substr(0, 3), "550");
  EXPECT_THAT(
      store.counted(),
      ElementsAre("smtp-connection/address/127.0.0.1", "smtp-connection/network/127.0.0.0/24",
                  "smtp-message/address/127.0.0.1", "smtp-message/network/127.0.0.0/24",
                  "smtp-recipient/address/127.0.0.1", "smtp-recipient/network/127.0.0.0/24",
                  // Guesses, too.
                  "smtp-recipient/address/127.0.0.1", "smtp-recipient/network/127.0.0.0/24"));
  store.RefuseEvents("smtp-recipient/address");
  EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"),
            "450 4.7.1 Too many recipients, try again later");
}

TEST_F(RateCheckTest, OfAUserTheAccountIsCounted) {
  Start();
  auto client = LoggedIn("alice@example.com");
  store.RefuseEvents("smtp-message/address");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<bob@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(store.counted().back(), "smtp-recipient/account/alice@example.com");
  store.RefuseEvents("smtp-recipient/account/alice@example.com");
  EXPECT_EQ(client->Say("RCPT TO:<bob@example.com>"),
            "450 4.7.1 Too many recipients, try again later");
  EXPECT_EQ(client->Say("RSET").substr(0, 3), "250");
  store.RefuseEvents("smtp-message/account/alice@example.com");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"),
            "450 4.7.1 Too many messages, try again later");
}

TEST_F(RateCheckTest, TooManyConnections) {
  Start();
  store.RefuseEvents("smtp-connection/network");
  for (const uint16_t port : {server->port(), server->submission_port()}) {
    SmtpClient client(port);
    EXPECT_EQ(client.Reply(), "421 4.7.0 mail.example.com Too many connections, try again later");
    EXPECT_TRUE(client.AtEof());
  }
}

TEST_F(RateCheckTest, TooManyMessagesAndRecipients) {
  Start();
  auto client = ReceivingHello();
  store.RefuseEvents("smtp-message/address");
  EXPECT_EQ(client->Say("MAIL FROM:<a@example.net>"),
            "450 4.7.1 Too many messages, try again later");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>").substr(0, 3), "503");
  store.RefuseEvents("smtp-recipient/network");
  EXPECT_EQ(client->Say("MAIL FROM:<a@example.net>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"),
            "450 4.7.1 Too many recipients, try again later");
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "554");
  // The client comes back later.
  store.RefuseEvents("");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
}

// The session goes on, but not the mail.
TEST_F(RateCheckTest, AnAccountThatIsDisabledSendsNoMore) {
  Start();
  auto client = LoggedIn("alice@example.com");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "250 2.1.0 Sender OK");
  client->Say("RSET");
  store.Disable("alice@example.com");
  const std::string refused = "550 5.7.1 This account may not send";
  EXPECT_EQ(client->Say("MAIL FROM:<Alice@Example.com>"), refused);
  EXPECT_EQ(client->Say("MAIL FROM:<>"), refused);
  // It is gone, and others have its address.
  store.AddAlias("alice@example.com", {"bob@example.com"});
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), refused);
}

TEST_F(RateCheckTest, WithoutAStoreNothingIsRefused) {
  Start();
  store.FailCalls(absl::UnavailableError("gone"));
  EXPECT_EQ(ReceivingHello()->Say("MAIL FROM:<>"), "250 2.1.0 Sender OK");
}

TEST_F(RateCheckTest, AnExemptClientIsNotCounted) {
  options.rate_limits.exempt = {*AddressRange::Parse("127.0.0.0/8")};
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say("MAIL FROM:<a@example.net>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_THAT(store.counted(), IsEmpty());
}

}  // namespace
}  // namespace rmail::gateway::smtp
