// LMTP (RFC 2033): a reply for each recipient.
#include <gtest/gtest.h>

#include <string>

#include "gateway/smtp/smtp_fixture.h"

namespace rmail::gateway::smtp {
namespace {

class LmtpTest : public SmtpFixture {
 protected:
  std::unique_ptr<SmtpClient> Envelope(std::initializer_list<const char*> recipients) {
    auto client = Lmtp();
    EXPECT_TRUE(client->Say("LHLO mta.example.net").starts_with("250-mail.example.com\n"));
    EXPECT_EQ(client->Say("MAIL FROM:<sender@example.net>"), "250 2.1.0 Sender OK");
    for (const char* recipient : recipients) {
      EXPECT_EQ(client->Say(std::string("RCPT TO:<") + recipient + ">"), "250 2.1.5 Recipient OK");
    }
    return client;
  }
};

TEST_F(LmtpTest, IsThereOnlyWhenAskedFor) {
  options.lmtp_port = std::nullopt;
  Start();
  EXPECT_EQ(server->lmtp_port(), 0);
}

TEST_F(LmtpTest, SpeaksItsOwnHello) {
  Start();
  auto client = Lmtp();
  EXPECT_EQ(client->Say("EHLO x"), "500 5.5.1 Command not recognised");
  EXPECT_EQ(client->Say("HELO x"), "500 5.5.1 Command not recognised");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "503 5.5.1 Send LHLO first");
  const std::string features = client->Say("LHLO x");
  EXPECT_NE(features.find("250-PIPELINING\n"), std::string::npos);
  EXPECT_EQ(features.find("AUTH"), std::string::npos);
  EXPECT_EQ(client->Say("AUTH PLAIN"), "502 5.5.1 No authentication on this port");
  auto smtp = Receiving();
  EXPECT_EQ(smtp->Say("LHLO x"), "500 5.5.1 Command not recognised");
}

TEST_F(LmtpTest, AReplyForEachRecipient) {
  store.AddAlias("all@example.com", {"alice@example.com", "bob@example.com"});
  store.FailDelivery("bob@example.com", "STORE_UNAVAILABLE");
  Start();
  auto client =
      Envelope({"alice@example.com", "bob@example.com", "all@example.com", "carol@example.com"});
  EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Say("RCPT TO:<x@elsewhere.example>"), "550 5.7.1 Relaying not available");
  client->Say("DATA");
  client->Send("hi\r\n.\r\nNOOP\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 2.0.0 Stored as "));
  EXPECT_EQ(client->Reply(), "451 4.3.0 The mail store is not available, try again later");
  // Sent again, alice would have it twice.
  EXPECT_EQ(client->Reply(), "554 5.3.0 Stored for some recipients; not for: <all@example.com>");
  EXPECT_TRUE(client->Reply().starts_with("250 2.0.0 Stored as "));
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  // The client tells the sender, nobody else does.
  EXPECT_TRUE(store.queue().empty());
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 1u);
  EXPECT_NE(TraceOf(store.Inbox("alice@example.com")[0]).find(" with LMTP\r\n"), std::string::npos);
}

TEST_F(LmtpTest, ARefusalForEachRecipient) {
  options.max_message_size = 100;
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"});
  client->Send("BDAT 3\r\nabcBDAT 200 LAST\r\n" + std::string(200, 'x') + "NOOP\r\n");
  EXPECT_EQ(client->Reply(), "250 2.0.0 3 octets received");
  EXPECT_EQ(client->Reply(), "552 5.3.4 The message is too big");
  EXPECT_EQ(client->Reply(), "552 5.3.4 The message is too big");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
}

TEST_F(LmtpTest, ARefusedChunkLeavesTheLastOneItsReplies) {
  options.max_message_size = 100;
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"});
  client->Send("BDAT 200\r\n" + std::string(200, 'x') + "BDAT 3\r\nabcBDAT 0 LAST\r\nNOOP\r\n");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client->Reply(), "552 5.3.4 The message is too big") << i;
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  EXPECT_TRUE(store.Inbox("alice@example.com").empty());
  EXPECT_EQ(client->Say("MAIL FROM:<sender@example.net>"), "250 2.1.0 Sender OK");
}

TEST_F(LmtpTest, SaysWhatItLikesInHello) {
  Start();
  auto client = Lmtp();
  EXPECT_EQ(client->Say("LHLO"), "501 5.5.4 Say a domain name or an address literal");
  EXPECT_EQ(client->Say("LHLO " + std::string(256, '(')),
            "501 5.5.4 Say a domain name or an address literal");
  EXPECT_TRUE(client->Say("LHLO Bob's (big) PC;").starts_with("250-"));
  client->Say("MAIL FROM:<sender@example.net>");
  client->Say("RCPT TO:<alice@example.com>");
  client->Say("DATA");
  client->Send("x\r\n.\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 "));
  EXPECT_NE(TraceOf(store.Inbox("alice@example.com").at(0)).find("from unknown ("),
            std::string::npos);
}

TEST_F(LmtpTest, AllMailboxesMayFail) {
  store.FailDelivery("alice@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"alice@example.com"});
  client->Say("DATA");
  client->Send("x\r\n.\r\nNOOP\r\n");
  EXPECT_EQ(client->Reply(), "552 5.2.2 The mailbox is full");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
}

TEST_F(LmtpTest, NoRecipients) {
  Start();
  auto client = Envelope({});
  EXPECT_EQ(client->Say("DATA"), "503 5.5.1 No valid recipients");
  client->Send("BDAT 3 LAST\r\nabc");
  EXPECT_EQ(client->Reply(), "503 5.5.1 No valid recipients");
}

// The server before this one has checked who may send so.
TEST_F(LmtpTest, SendersOfOurDomain) {
  Start();
  auto client = Lmtp();
  client->Say("LHLO x");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "250 2.1.0 Sender OK");
}

}  // namespace
}  // namespace rmail::gateway::smtp
