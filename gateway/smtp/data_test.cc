// Messages: DATA, BDAT, and what becomes of them.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gateway/smtp/smtp_fixture.h"
#include "store/base/error.h"

namespace rmail::gateway::smtp {
namespace {

class DataTest : public SmtpFixture {
 protected:
  // A client of port 25 that has named these recipients.
  std::unique_ptr<SmtpClient> Envelope(std::initializer_list<const char*> recipients,
                                       const std::string& from = "sender@example.net") {
    auto client = ReceivingHello();
    EXPECT_EQ(client->Say("MAIL FROM:<" + from + ">"), "250 2.1.0 Sender OK");
    for (const char* recipient : recipients) {
      EXPECT_EQ(client->Say(std::string("RCPT TO:<") + recipient + ">"), "250 2.1.5 Recipient OK");
    }
    return client;
  }
  // Sends `wire` as the data, its end included.
  std::string Data(SmtpClient& client, const std::string& wire) {
    EXPECT_EQ(client.Say("DATA"), "354 End data with <CR><LF>.<CR><LF>");
    client.Send(wire);
    return client.Reply();
  }
};

TEST_F(DataTest, StoredWithTraceFields) {
  Start();
  auto client = Envelope({"alice@example.com"});
  const std::string reply = Data(*client, "Subject: x\r\n\r\n..dot\r\n8-bit \xe4\r\n.\r\n");
  ASSERT_TRUE(reply.starts_with("250 2.0.0 Stored as ")) << reply;
  const std::string id = reply.substr(sizeof("250 2.0.0 Stored as ") - 1);
  const auto inbox = store.Inbox("alice@example.com");
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(Body(inbox[0]), "Subject: x\r\n\r\n.dot\r\n8-bit \xe4\r\n");
  const std::string trace = TraceOf(inbox[0]);
  EXPECT_TRUE(
      trace.starts_with("Return-Path: <sender@example.net>\r\n"
                        "Received: from client.example.net ([127.0.0.1])\r\n"
                        "\tby mail.example.com with ESMTP\r\n"
                        "\tid " +
                        id + " for <alice@example.com>;\r\n\t"))
      << trace;
  // The transaction is over.
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "503 5.5.1 Send MAIL first");
}

TEST_F(DataTest, OneCallForManyRecipientsWhoDoNotReadOfEachOther) {
  store.AddAlias("all@example.com", {"alice@example.com", "bob@example.com"});
  Start();
  auto client = Envelope({"alice@example.com", "all@example.com", "carol@example.com"}, "");
  EXPECT_TRUE(Data(*client, "hi\r\n.\r\n").starts_with("250 "));
  EXPECT_EQ(store.delivers(), 1);
  for (const char* address : {"alice@example.com", "bob@example.com", "carol@example.com"}) {
    const auto inbox = store.Inbox(address);
    ASSERT_EQ(inbox.size(), 1u) << address;
    EXPECT_TRUE(inbox[0].starts_with("Return-Path: <>\r\n"));
    EXPECT_EQ(inbox[0].find(" for <"), std::string::npos);
  }
}

TEST_F(DataTest, EmptyMessage) {
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_TRUE(Data(*client, ".\r\n").starts_with("250 "));
  EXPECT_EQ(Body(store.Inbox("alice@example.com").at(0)), "");
}

TEST_F(DataTest, BareNewlinesAreRefusedWhereTheDataEnds) {
  Start();
  for (const std::string end :
       {"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n.\r\r\n"}) {
    auto client = Envelope({"alice@example.com"});
    // Nothing behind the false end is taken for a command.
    EXPECT_EQ(Data(*client, "a" + end + "MAIL FROM:<evil@example.com>\r\nRSET\r\n.\r\n"),
              "550 5.6.11 Bare CR or LF in the message")
        << ::testing::PrintToString(end);
    EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  }
  EXPECT_TRUE(store.Inbox("alice@example.com").empty());
  EXPECT_EQ(store.delivers(), 0);
}

TEST_F(DataTest, NulIsRefused) {
  Start();
  const std::string nul(1, '\0');
  for (const std::string& wire : {"X: a" + nul + "\r\n\r\nb\r\n", "X: a\r\n\r\nb" + nul + "\r\n"}) {
    auto client = Envelope({"alice@example.com"});
    EXPECT_EQ(Data(*client, wire + ".\r\n"), "550 5.6.0 NUL in the message");
  }
  // BINARYMIME has them below the header.
  auto client = ReceivingHello();
  for (const std::string& chunk : {"X: a\r\n\r\n" + nul, "X: " + nul + "\r\n\r\n"}) {
    client->Say("MAIL FROM:<sender@example.net> BODY=BINARYMIME");
    client->Say("RCPT TO:<alice@example.com>");
    client->Send("BDAT " + std::to_string(chunk.size()) + " LAST\r\n" + chunk);
    const std::string reply = client->Reply();
    if (chunk.ends_with(nul)) {
      EXPECT_TRUE(reply.starts_with("250 ")) << reply;
    } else {
      EXPECT_EQ(reply, "550 5.6.0 NUL in the message");
    }
  }
}

TEST_F(DataTest, LargeMessageIsStreamed) {
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  std::string line(76, 'x');
  line += "\r\n";
  std::string block;
  for (int i = 0; i < 10000; ++i) block += line;
  std::string expected;
  client->SetTimeout(absl::Seconds(60));
  for (int i = 0; i < 54; ++i) {
    client->Send(block);
    expected += block;
  }
  client->Send(".\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 "));
  ASSERT_GT(expected.size(), 40u << 20);
  EXPECT_TRUE(Body(store.Inbox("alice@example.com").at(0)) == expected);
  EXPECT_LE(store.largest_chunk(), 256u * 1024);
}

TEST_F(DataTest, TooBigWhileItComes) {
  options.max_message_size = 300000;
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  for (int i = 0; i < 20; ++i) client->Send(std::string(50000, 'x').append("\r\n"));
  client->Send(".\r\n");
  EXPECT_EQ(client->Reply(), "552 5.3.4 The message is too big");
  // What was sent to the store is dropped.
  EXPECT_EQ(store.WaitForDropped(1), 1);
  EXPECT_TRUE(store.Inbox("alice@example.com").empty());
}

TEST_F(DataTest, ExactlyTheLargestSizeIsTaken) {
  options.max_message_size = 100;
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_TRUE(Data(*client, std::string(98, 'x') + "\r\n.\r\n").starts_with("250 "));
  client->Say("MAIL FROM:<>");
  client->Say("RCPT TO:<alice@example.com>");
  EXPECT_EQ(Data(*client, std::string(99, 'x') + "\r\n.\r\n"), "552 5.3.4 The message is too big");
}

TEST_F(DataTest, LongLinesAndLoops) {
  options.max_text_line = 998;
  options.max_hops = 2;
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(Data(*client, std::string(999, 'x') + "\r\n.\r\n"), "550 5.6.0 A line is too long");
  client = Envelope({"alice@example.com"});
  EXPECT_TRUE(Data(*client, std::string(998, 'x') + "\r\n.\r\n").starts_with("250 "));
  client = Envelope({"alice@example.com"});
  EXPECT_EQ(Data(*client, "Received: a\r\nReceived: b\r\nReceived: c\r\n\r\n.\r\n"),
            "554 5.4.6 Too many hops: a mail loop");
}

TEST_F(DataTest, AllFailed) {
  store.FailDelivery("alice@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(Data(*client, "x\r\n.\r\n"), "552 5.2.2 The mailbox is full");
  // Trying again may help bob.
  store.FailDelivery("bob@example.com", "STORE_UNAVAILABLE");
  client = Envelope({"alice@example.com", "bob@example.com"});
  EXPECT_EQ(Data(*client, "x\r\n.\r\n"),
            "451 4.3.0 The mail store is not available, try again later");
}

TEST_F(DataTest, StoreDiesDuringTheMessage) {
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  for (int i = 0; i < 4; ++i) client->Send(std::string(60000, 'x') + "\r\n");
  store.FailCalls(absl::UnavailableError("down"));
  for (int i = 0; i < 10; ++i) client->Send(std::string(60000, 'x') + "\r\n");
  client->Send(".\r\n");
  EXPECT_EQ(client->Reply(), "451 4.3.0 The mail store is not available, try again later");
  store.FailCalls(absl::OkStatus());
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
}

TEST_F(DataTest, PartialFailureTellsTheLocalSender) {
  options.reject_local_senders = false;
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"}, "carol@example.com");
  EXPECT_TRUE(Data(*client, "x\r\n.\r\n").starts_with("250 2.0.0 Stored as "));
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 1u);
  const auto notices = store.Inbox("carol@example.com");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(notices[0].starts_with("Return-Path: <>\r\n"));
  for (const char* part :
       {"\r\nTo: <carol@example.com>\r\n", "\r\nAuto-Submitted: auto-replied\r\n",
        "multipart/report; report-type=delivery-status",
        "\r\nReporting-MTA: dns; mail.example.com\r\n",
        "\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: failed\r\nStatus: 5.2.2\r\n",
        "The mailbox is full"}) {
    EXPECT_NE(notices[0].find(part), std::string::npos) << part;
  }
  EXPECT_EQ(notices[0].find("alice@"), std::string::npos);
}

TEST_F(DataTest, PartialFailureIsToldThroughTheQueue) {
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"});
  EXPECT_TRUE(
      Data(*client, "Subject: lunch\r\n\r\nx\r\n.\r\n").starts_with("250 2.0.0 Stored as "));
  const auto queue = store.queue();
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].envelope.sender(), "");
  ASSERT_EQ(queue[0].envelope.recipients_size(), 1);
  EXPECT_EQ(queue[0].envelope.recipients(0).address(), "sender@example.net");
  EXPECT_NE(queue[0].message.find("\r\nFinal-Recipient: rfc822; bob@example.com\r\n"),
            std::string::npos);
  // What the message was about.
  EXPECT_NE(queue[0].message.find("\r\nSubject: lunch\r\n"), std::string::npos);
}

// Where nothing is relayed, the client's server makes the one notice there is.
TEST_F(DataTest, PartialFailureOfMailFromElsewhere) {
  options.reject_local_senders = false;
  options.relay = false;
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  store.FailDelivery("carol@example.com", "STORE_UNAVAILABLE");
  Start();
  for (const char* from : {"sender@example.net", "nobody@example.com"}) {
    auto client = Envelope({"alice@example.com", "bob@example.com", "carol@example.com"}, from);
    EXPECT_EQ(Data(*client, "x\r\n.\r\n"),
              "554 5.3.0 Stored for some recipients; not for: <bob@example.com>, "
              "<carol@example.com>");
    EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  }
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 2u);
  EXPECT_EQ(store.delivers(), 2);
}

// RFC 5321, 6.1: nobody is told of a notice that failed.
TEST_F(DataTest, PartialFailureOfANotice) {
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"}, "");
  EXPECT_TRUE(Data(*client, "x\r\n.\r\n").starts_with("250 2.0.0 Stored as "));
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 1u);
  EXPECT_EQ(store.delivers(), 1);
}

TEST_F(DataTest, PartialFailureWhenTheSenderHasNoRoomForTheNotice) {
  options.reject_local_senders = false;
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  store.FailDelivery("carol@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"}, "carol@example.com");
  EXPECT_EQ(Data(*client, "x\r\n.\r\n"),
            "554 5.3.0 Stored for some recipients; not for: <bob@example.com>");
}

TEST_F(DataTest, TheReplyDoesNotWaitLongForTheNotice) {
  options.reject_local_senders = false;
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  store.Hold("carol@example.com");
  options.timeouts.notice = absl::Milliseconds(50);
  Start();
  auto client = Envelope({"alice@example.com", "bob@example.com"}, "carol@example.com");
  EXPECT_EQ(Data(*client, "x\r\n.\r\n"),
            "554 5.3.0 Stored for some recipients; not for: <bob@example.com>");
  EXPECT_TRUE(store.Inbox("carol@example.com").empty());
  // The session goes on when the store has answered.
  client->SendLine("NOOP");
  store.Release();
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  EXPECT_EQ(store.Inbox("carol@example.com").size(), 1u);
}

// So that the store asked is the one that knows the account.
TEST_F(DataTest, CallsNameTheirAccount) {
  options.reject_local_senders = false;
  store.AddAlias("all@example.com", {"bob@example.com", "alice@example.com"});
  store.FailDelivery("alice@example.com", "OVER_QUOTA");
  Start();
  auto client = Envelope({"ALL@example.com", "Alice@Example.com"}, "Carol@example.com");
  EXPECT_TRUE(Data(*client, "x\r\n.\r\n").starts_with("250 "));
  EXPECT_EQ(store.call_accounts(),
            (std::vector<std::string>{"accounts/all@example.com", "accounts/alice@example.com",
                                      "accounts/bob@example.com", "accounts/carol@example.com",
                                      "accounts/carol@example.com"}));
}

TEST_F(DataTest, StoreThatTakesTooLong) {
  Start();
  for (const absl::Status& status :
       {absl::DeadlineExceededError("late"), absl::Status(absl::CancelledError("late")),
        absl::Status(Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, "late"))}) {
    auto client = Envelope({"alice@example.com"});
    EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
    store.FailCalls(status);
    client->Send("x\r\n.\r\n");
    EXPECT_EQ(client->Reply(), "451 4.3.0 The mail store is not available, try again later");
    store.FailCalls(absl::OkStatus());
  }
}

TEST_F(DataTest, ClientGoneInTheMiddleLeavesNothing) {
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  for (int i = 0; i < 5; ++i) client->Send(std::string(60000, 'x') + "\r\n");
  client->Close();
  EXPECT_EQ(store.WaitForDropped(1), 1);
  EXPECT_TRUE(store.Inbox("alice@example.com").empty());
}

TEST_F(DataTest, SlowClientIsTimedOut) {
  options.timeouts.data_block = absl::Milliseconds(50);
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  client->Send("half a mess");
  EXPECT_EQ(client->Reply(), "421 4.4.2 mail.example.com Timeout, closing the connection");
  EXPECT_TRUE(client->AtEof());
  EXPECT_EQ(store.delivers(), 0);
}

TEST_F(DataTest, Bdat) {
  Start();
  auto client = Envelope({"alice@example.com"});
  client->Send("BDAT 5\r\nab\r\n.");
  EXPECT_EQ(client->Reply(), "250 2.0.0 5 octets received");
  EXPECT_EQ(client->Say("RCPT TO:<bob@example.com>"), "503 5.5.1 The message has begun already");
  EXPECT_EQ(client->Say("DATA"), "503 5.5.1 The message has begun with BDAT");
  client->Send("BDAT 0\r\nBDAT 4 LAST\r\n\r\nc\rNOOP\r\n");
  EXPECT_EQ(client->Reply(), "250 2.0.0 0 octets received");
  EXPECT_EQ(client->Reply(), "550 5.6.11 Bare CR or LF in the message");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");

  client->Say("MAIL FROM:<>");
  client->Say("RCPT TO:<alice@example.com>");
  client->Send("BDAT 5\r\nab\r\n.BDAT 9 LAST\r\n\r\n.\r\n..\r\nQUIT\r\n");
  EXPECT_EQ(client->Reply(), "250 2.0.0 5 octets received");
  EXPECT_TRUE(client->Reply().starts_with("250 2.0.0 Stored as "));
  EXPECT_EQ(client->Reply(), "221 2.0.0 mail.example.com Bye");
  EXPECT_EQ(Body(store.Inbox("alice@example.com").at(0)), "ab\r\n.\r\n.\r\n..\r\n");
}

TEST_F(DataTest, BdatChunksAreTakenAlsoWhenRefused) {
  options.max_message_size = 10;
  Start();
  auto client = Receiving();
  client->Send("BDAT 6 LAST\r\nNOOP\r\nNOOP\r\n");
  EXPECT_EQ(client->Reply(), "503 5.5.1 Send EHLO first");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  client->Say("EHLO x");
  client->Say("MAIL FROM:<>");
  client->Send("BDAT 6\r\nNOOP\r\n");
  EXPECT_EQ(client->Reply(), "554 5.5.1 No valid recipients");
  client->Say("RCPT TO:<alice@example.com>");
  client->Send("BDAT 12\r\nNOOP\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\n");
  EXPECT_EQ(client->Reply(), "552 5.3.4 The message is too big");
  EXPECT_EQ(client->Reply(), "503 5.5.1 Send MAIL first");
  EXPECT_EQ(client->Say("BDAT x"), "501 5.5.4 Syntax: BDAT size [LAST]");
  EXPECT_TRUE(client->AtEof());
}

// Nothing of a chunk runs as a command.
TEST_F(DataTest, BdatThatIsNotUnderstoodEndsTheSession) {
  Start();
  for (const std::string& line : {"BDAT 12 LAST\n", "BDAT 12 LAST", "BDAT\x01 12\r\n",
                                  "bdat 12 \r LAST\r\n", " BDAT 12\r\n", "BDAT 12 "}) {
    auto client = Envelope({"alice@example.com"});
    std::string wire = line;
    // No line ending of its own: one that is longer than a command may be.
    if (!wire.ends_with('\n')) wire += std::string(wire.ends_with('T') ? 600 : 20000, ' ') + "\r\n";
    client->Send(wire + "RSET\r\nNOOP\r\n");
    EXPECT_EQ(client->Reply().substr(0, 9), "500 5.5.2") << ::testing::PrintToString(line);
    EXPECT_TRUE(client->AtEof()) << ::testing::PrintToString(line);
  }
}

TEST_F(DataTest, Utf8Envelope) {
  store.AddAccount("j\xc3\xbcrgen@example.com", "x");
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say("MAIL FROM:<\xc3\xa4@example.net> SMTPUTF8"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<j\xc3\xbcrgen@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_TRUE(Data(*client, "Subject: \xc3\xbc\r\n\r\n.\r\n").starts_with("250 "));
  const std::string trace = TraceOf(store.Inbox("j\xc3\xbcrgen@example.com").at(0));
  EXPECT_TRUE(trace.starts_with("Return-Path: <\xc3\xa4@example.net>\r\n"));
  EXPECT_NE(trace.find(" with UTF8SMTP\r\n"), std::string::npos);
}

TEST_F(DataTest, DrainWaitsForAMessageUnderWay) {
  Start();
  auto client = Envelope({"alice@example.com"});
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  client->Send("first\r\n");
  std::thread drain([this] { server->Drain(absl::Seconds(10)); });
  client->Send("second\r\n.\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 2.0.0"));
  EXPECT_EQ(client->Reply(), "421 4.3.2 mail.example.com Service shutting down");
  drain.join();
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 1u);
}

}  // namespace
}  // namespace rmail::gateway::smtp
