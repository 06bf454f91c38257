// Mail for other servers: who may send it, and what the queue is told.
#include <gtest/gtest.h>

#include <string>

#include "gateway/smtp/smtp_fixture.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::smtp {
namespace {

class RelayTest : public SmtpFixture {
 protected:
  std::string Data(SmtpClient& client, const std::string& wire) {
    EXPECT_EQ(client.Say("DATA").substr(0, 3), "354");
    client.Send(wire);
    return client.Reply();
  }
};

TEST_F(RelayTest, UsersSendToTheWorld) {
  Start();
  auto client = LoggedIn("alice@example.com");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com> RET=HDRS ENVID=QQ+2B1 REQUIRETLS"),
            "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<x@elsewhere.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@old"),
            "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<bob@example.com>"), "250 2.1.5 Recipient OK");
  // No account could have these names; elsewhere they may be somebody's.
  EXPECT_EQ(client->Say("RCPT TO:<a/b@gateway.example>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@[192.0.2.1]>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<a/b@example.com>"), "550 5.1.1 No such user here");
  EXPECT_TRUE(Data(*client, "From: alice@example.com\r\n\r\nhi\r\n.\r\n")
                  .starts_with("250 2.0.0 Stored as "));

  // One call for all.
  EXPECT_EQ(store.delivers(), 1);
  ASSERT_EQ(store.queue().size(), 1u);
  const FakeStore::Queued queued = store.queue()[0];
  EXPECT_EQ(queued.envelope.sender(), "alice@example.com");
  EXPECT_EQ(queued.envelope.account(), "alice@example.com");
  EXPECT_EQ(queued.envelope.envelope_id(), "QQ+1");
  EXPECT_EQ(queued.envelope.returned(), store::v1::QueueEnvelope::RETURN_HEADERS);
  EXPECT_TRUE(queued.envelope.require_tls());
  EXPECT_FALSE(queued.envelope.utf8() || queued.envelope.eight_bit() || queued.envelope.binary());
  EXPECT_EQ(queued.envelope.trace_id().size(), 16u);
  ASSERT_EQ(queued.envelope.recipients_size(), 3);
  EXPECT_EQ(queued.envelope.recipients(0).address(), "x@elsewhere.example");
  EXPECT_EQ(queued.envelope.recipients(0).notify(),
            store::v1::QueueRecipient::NOTIFY_SUCCESS | store::v1::QueueRecipient::NOTIFY_DELAY);
  EXPECT_EQ(queued.envelope.recipients(0).original_recipient(), "rfc822;x@old");
  EXPECT_EQ(queued.envelope.recipients(1).address(), "a/b@gateway.example");
  EXPECT_EQ(queued.envelope.recipients(2).address(), "alice@[192.0.2.1]");
  // The reverse-path field is for mailboxes only (RFC 5321, 4.4).
  EXPECT_TRUE(queued.message.starts_with("Received: from client.example.net "));
  EXPECT_TRUE(store.Inbox("bob@example.com")
                  .at(0)
                  .starts_with("Return-Path: <alice@example.com>\r\nReceived: from "));
}

TEST_F(RelayTest, OthersDoNot) {
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  EXPECT_EQ(client->Say("RCPT TO:<x@elsewhere.example>"), "550 5.7.1 Relaying not available");
  EXPECT_EQ(client->Say("RCPT TO:<a/b@elsewhere.example>"), "550 5.7.1 Relaying not available");
}

TEST_F(RelayTest, AliasesLeadToTheWorldForEverybody) {
  store.AddAlias("both@example.com", {"alice@example.com", "x@elsewhere.example"});
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<sender@example.net> BODY=8BITMIME SMTPUTF8");
  EXPECT_EQ(client->Say("RCPT TO:<Both+1@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_TRUE(Data(*client, "Subject: \xc3\xbc\r\n\r\n.\r\n").starts_with("250 "));
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 1u);
  ASSERT_EQ(store.queue().size(), 1u);
  const store::v1::QueueEnvelope envelope = store.queue()[0].envelope;
  // The original reverse-path: who sent it is told when it fails.
  EXPECT_EQ(envelope.sender(), "sender@example.net");
  EXPECT_EQ(envelope.account(), "");
  EXPECT_TRUE(envelope.utf8() && envelope.eight_bit());
  ASSERT_EQ(envelope.recipients_size(), 1);
  EXPECT_EQ(envelope.recipients(0).original_recipient(), "rfc822;Both+1@example.com");
}

TEST_F(RelayTest, FullQueueTakesNothing) {
  options.max_queued_messages = 7;
  store.FailQueue("QUEUE_FULL");
  Start();
  auto client = LoggedIn("alice@example.com");
  const auto send = [&] {
    client->Say("MAIL FROM:<alice@example.com>");
    client->Say("RCPT TO:<bob@example.com>");
    client->Say("RCPT TO:<x@elsewhere.example>");
    return Data(*client, "hi\r\n.\r\n");
  };
  EXPECT_EQ(send(), "452 4.3.1 The queue is full, try again later");
  EXPECT_TRUE(store.Inbox("bob@example.com").empty());
  store.FailQueue("");
  EXPECT_TRUE(send().starts_with("250 "));
  EXPECT_EQ(store.queue().at(0).max_queued_messages, 7u);
}

// What is queued cannot be refused any more.
TEST_F(RelayTest, AMailboxThatFailsBesideTheQueueIsANotice) {
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com> ENVID=e1");
  client->Say("RCPT TO:<bob@example.com> ORCPT=rfc822;bobby@example.com");
  client->Say("RCPT TO:<x@elsewhere.example>");
  EXPECT_TRUE(Data(*client, "Subject: s\r\n\r\nhi\r\n.\r\n").starts_with("250 "));
  ASSERT_EQ(store.Inbox("alice@example.com").size(), 1u);
  const std::string notice = store.Inbox("alice@example.com")[0];
  for (const char* part :
       {"Return-Path: <>\r\n", "\r\nOriginal-Envelope-Id: e1\r\n",
        "\r\nOriginal-Recipient: rfc822; bobby@example.com\r\n",
        "\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.2.2\r\n"}) {
    EXPECT_NE(notice.find(part), std::string::npos) << part << notice;
  }
}

TEST_F(RelayTest, NeverMeansNever) {
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com>");
  client->Say("RCPT TO:<bob@example.com> NOTIFY=NEVER");
  client->Say("RCPT TO:<carol@example.com>");
  EXPECT_TRUE(Data(*client, "hi\r\n.\r\n").starts_with("250 "));
  EXPECT_TRUE(store.Inbox("alice@example.com").empty());
  EXPECT_EQ(store.Inbox("carol@example.com").size(), 1u);
}

TEST_F(RelayTest, SuccessIsToldWhereItWasAskedFor) {
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com>");
  client->Say("RCPT TO:<bob@example.com> NOTIFY=SUCCESS");
  client->Say("RCPT TO:<carol@example.com>");
  EXPECT_TRUE(Data(*client, "hi\r\n.\r\n").starts_with("250 "));
  // The notice is stored before the next command is read.
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  ASSERT_EQ(store.Inbox("alice@example.com").size(), 1u);
  const std::string notice = store.Inbox("alice@example.com")[0];
  EXPECT_NE(notice.find("\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: delivered\r\n"),
            std::string::npos)
      << notice;
  EXPECT_EQ(notice.find("carol@"), std::string::npos);
  EXPECT_TRUE(store.queue().empty());
}

TEST_F(RelayTest, LocalSendersAuthenticate) {
  Start();
  auto client = ReceivingHello();
  const std::string refusal =
      "550 5.7.1 Senders of this domain authenticate on the submission port";
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), refusal);
  // Whoever it pretends to be.
  EXPECT_EQ(client->Say("MAIL FROM:<nobody@EXAMPLE.com>"), refusal);
  EXPECT_EQ(client->Say("MAIL FROM:<\"a/b\"@example.com>"), refusal);
  EXPECT_EQ(client->Say("MAIL FROM:<\"a/b\"@example.net>"), "250 2.1.0 Sender OK");
  client->Say("RSET");
  EXPECT_EQ(client->Say("MAIL FROM:<x@[192.0.2.1]>"), "250 2.1.0 Sender OK");
  client->Say("RSET");
  EXPECT_EQ(client->Say("MAIL FROM:<>"), "250 2.1.0 Sender OK");
}

TEST_F(RelayTest, WhetherASenderIsLocalMustBeKnown) {
  Start();
  auto client = ReceivingHello();
  store.FailCalls(absl::UnavailableError("down"));
  EXPECT_EQ(client->Say("MAIL FROM:<a@new.example>"),
            "451 4.3.0 The mail store is not available, try again later");
  store.FailCalls(absl::OkStatus());
  EXPECT_EQ(client->Say("MAIL FROM:<a@new.example>"), "250 2.1.0 Sender OK");
}

TEST_F(RelayTest, LocalSendersMayBeAllowed) {
  options.reject_local_senders = false;
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "250 2.1.0 Sender OK");
}

TEST_F(RelayTest, BinaryMessages) {
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com> BODY=BINARYMIME");
  client->Say("RCPT TO:<x@elsewhere.example>");
  EXPECT_EQ(client->Say("DATA"), "503 5.5.1 BINARYMIME needs BDAT");
  const std::string message = "From: alice@example.com\r\n\r\n\n.\n\r" + std::string(1, '\0');
  client->Send("BDAT " + std::to_string(message.size()) + " LAST\r\n" + message);
  EXPECT_TRUE(client->Reply().starts_with("250 "));
  ASSERT_EQ(store.queue().size(), 1u);
  EXPECT_TRUE(store.queue()[0].envelope.binary());
  EXPECT_TRUE(store.queue()[0].message.ends_with(message));
  // Lines are still lines in the header.
  client->Say("MAIL FROM:<alice@example.com> BODY=BINARYMIME");
  client->Say("RCPT TO:<x@elsewhere.example>");
  client->Send("BDAT 13 LAST\r\nSubject: x\n\r\n");
  EXPECT_EQ(client->Reply(), "550 5.6.11 Bare CR or LF in the message");
}

TEST_F(RelayTest, BareNewlinesMayBeMadeLines) {
  options.normalise_newlines = true;
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  client->Say("RCPT TO:<alice@example.com>");
  // It is still CRLF.CRLF alone that ends the data.
  EXPECT_TRUE(
      Data(*client, "Subject: x\n\nb\n.\nc\r\r\n.\rd\r.\r\ne\r\n.\r\n").starts_with("250 "));
  EXPECT_EQ(Body(store.Inbox("alice@example.com").at(0)),
            "Subject: x\r\n\r\nb\r\n.\r\nc\r\n\r\n\r\nd\r\n.\r\ne\r\n");
}

}  // namespace
}  // namespace rmail::gateway::smtp
