// The session's commands, states and limits, as scripts.
#include <gtest/gtest.h>

#include "gateway/smtp/smtp_fixture.h"

namespace rmail::gateway::smtp {
namespace {

class SessionTest : public SmtpFixture {};

TEST_F(SessionTest, EhloOnPort25) {
  Start();
  auto client = Receiving();
  EXPECT_EQ(client->Say("EHLO client.example.net"),
            "250-mail.example.com\n250-PIPELINING\n250-SIZE 52428800\n250-STARTTLS\n"
            "250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-SMTPUTF8\n250-CHUNKING\n250-BINARYMIME\n"
            "250-DSN\n250-LIMITS MAILMAX=50 RCPTMAX=50\n250 HELP");
}

TEST_F(SessionTest, EhloOffersAuthOnlyUnderTls) {
  Start();
  auto client = Submission();
  const std::string clear = client->Say("EHLO x");
  EXPECT_EQ(clear.find("AUTH"), std::string::npos);
  EXPECT_NE(clear.find("250-STARTTLS\n"), std::string::npos);
  EXPECT_EQ(client->Say("STARTTLS"), "220 2.0.0 Ready to start TLS");
  ASSERT_TRUE(client->StartTls());
  const std::string secure = client->Say("EHLO x");
  EXPECT_NE(
      secure.find("250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN\n"),
      std::string::npos);
  EXPECT_EQ(secure.find("STARTTLS"), std::string::npos);
  EXPECT_NE(secure.find("250-REQUIRETLS\n"), std::string::npos);
  EXPECT_EQ(clear.find("REQUIRETLS"), std::string::npos);
  EXPECT_EQ(client->Say("STARTTLS"), "503 5.5.1 TLS is already active");
}

TEST_F(SessionTest, WithoutTlsAuthIsOfferedInTheClear) {
  tls = false;
  Start();
  EXPECT_EQ(server->smtps_port(), 0);
  auto client = Submission();
  const std::string reply = client->Say("EHLO x");
  EXPECT_NE(reply.find("AUTH SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN"), std::string::npos);
  EXPECT_EQ(reply.find("STARTTLS"), std::string::npos);
  EXPECT_EQ(client->Say("STARTTLS"), "503 5.5.1 TLS is not available");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "530 5.7.0 Authentication required");
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret")).substr(0, 3), "235");
}

TEST_F(SessionTest, HelloNamesAndSmallCommands) {
  Start();
  auto client = Receiving();
  EXPECT_EQ(client->Say("HELO"), "501 5.5.4 Say a domain name or an address literal");
  EXPECT_EQ(client->Say("EHLO a b"), "501 5.5.4 Say a domain name or an address literal");
  EXPECT_EQ(client->Say("helo [127.0.0.1]"), "250 mail.example.com");
  EXPECT_EQ(client->Say("NOOP whatever"), "250 2.0.0 OK");
  EXPECT_EQ(client->Say("RSET"), "250 2.0.0 OK");
  EXPECT_EQ(client->Say("RSET x"), "501 5.5.4 RSET takes no argument");
  EXPECT_EQ(client->Say("VRFY alice"), "252 2.5.0 Send some mail and see");
  EXPECT_EQ(client->Say("VRFY"), "501 5.5.4 Syntax: VRFY address");
  EXPECT_TRUE(client->Say("HELP").starts_with("214-2.0.0 Commands:\n214 2.0.0 HELO"));
  EXPECT_EQ(client->Say("EXPN all"), "500 5.5.1 Command not recognised");
  EXPECT_EQ(client->Say("QUIT"), "221 2.0.0 mail.example.com Bye");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(SessionTest, CommandsOutOfOrder) {
  Start();
  auto client = Receiving();
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "503 5.5.1 Send EHLO first");
  EXPECT_EQ(client->Say("RCPT TO:<a@b>"), "503 5.5.1 Send EHLO first");
  EXPECT_EQ(client->Say("STARTTLS"), "503 5.5.1 Send EHLO first");
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("RCPT TO:<a@b>"), "503 5.5.1 Send MAIL first");
  EXPECT_EQ(client->Say("DATA"), "503 5.5.1 Send MAIL first");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "503 5.5.1 Not during a mail transaction");
  EXPECT_EQ(client->Say("STARTTLS"), "503 5.5.1 Not during a mail transaction");
  EXPECT_EQ(client->Say("DATA"), "554 5.5.1 No valid recipients");
  EXPECT_EQ(client->Say("DATA x"), "501 5.5.4 DATA takes no argument");
  // EHLO and RSET end the transaction.
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "503 5.5.1 Send MAIL first");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RSET"), "250 2.0.0 OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "503 5.5.1 Send MAIL first");
}

TEST_F(SessionTest, Recipients) {
  store.AddAccount("gone@example.com", "x");
  store.Disable("gone@example.com");
  store.AddAccount("postmaster@example.com", "x");
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say("MAIL FROM:<>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<ALICE+x@EXAMPLE.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<@relay.example:bob@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<Postmaster>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Say("RCPT TO:<gone@example.com>"), "550 5.2.1 The mailbox is disabled");
  EXPECT_EQ(client->Say("RCPT TO:<a@elsewhere.example>"), "550 5.7.1 Relaying not available");
  EXPECT_EQ(client->Say("RCPT TO:<\"a@elsewhere.example\"@[127.0.0.1]>"),
            "550 5.7.1 Relaying not available");
  EXPECT_EQ(client->Say("RCPT TO:<>"), "501 5.1.3 Bad syntax of the forward-path");
  EXPECT_EQ(client->Say("RCPT TO:<j\xc3\xbcrgen@example.com>"),
            "553 5.6.7 A non-ASCII address needs SMTPUTF8");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com> NOTIFY=NEVER"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com> RRVS=2014-04-03T23:01:00Z"),
            "555 5.5.4 Parameter not supported");
}

TEST_F(SessionTest, AliasesWhereNothingIsRelayed) {
  options.relay = false;
  store.AddAlias("both@example.com", {"alice@example.com", "x@elsewhere.example"});
  store.AddAlias("away@example.com", {"x@elsewhere.example", "y@elsewhere.example"});
  store.AddAlias("here@example.com", {"alice@example.com"});
  store.AddAlias("loop@example.com", {});
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  EXPECT_EQ(client->Say("RCPT TO:<away@example.com>"),
            "451 4.3.5 Mail for this address leaves this server, which is not set up");
  EXPECT_EQ(client->Say("RCPT TO:<loop@example.com>"),
            "550 5.4.6 The address leads back to itself");
  EXPECT_EQ(client->Say("DATA"), "554 5.5.1 No valid recipients");
  // Not delivered to Alice alone.
  EXPECT_EQ(client->Say("RCPT TO:<both@example.com>"),
            "451 4.3.5 Mail for this address leaves this server, which is not set up");
  EXPECT_EQ(client->Say("RCPT TO:<here@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  client->Send("hi\r\n.\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 "));
  EXPECT_EQ(store.Inbox("alice@example.com").size(), 1u);
}

TEST_F(SessionTest, StoreUnavailableIsTransient) {
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  store.FailCalls(absl::UnavailableError("down"));
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"),
            "451 4.3.0 The mail store is not available, try again later");
  store.FailCalls(absl::OkStatus());
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
}

TEST_F(SessionTest, MailParameters) {
  options.max_message_size = 1000;
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say("MAIL FROM:<a@b> SIZE=1001"), "552 5.3.4 The message is too big");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b> MT-PRIORITY=3"), "555 5.5.4 Parameter not supported");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b> REQUIRETLS"), "555 5.5.4 Parameter not supported");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b> AUTH=<>"), "555 5.5.4 Parameter not supported");
  EXPECT_EQ(client->Say("MAIL FROM:<a>"), "501 5.1.7 Bad syntax of the reverse-path");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b> SIZE=1000 BODY=8BITMIME SMTPUTF8"), "250 2.1.0 Sender OK");
}

TEST_F(SessionTest, TooManyRecipients) {
  options.max_recipients = 2;
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  client->Say("RCPT TO:<alice@example.com>");
  client->Say("RCPT TO:<bob@example.com>");
  EXPECT_EQ(client->Say("RCPT TO:<carol@example.com>"), "452 4.5.3 Too many recipients");
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
}

TEST_F(SessionTest, TooManyMessages) {
  options.max_messages_per_connection = 1;
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  client->Say("RSET");
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"),
            "421 4.7.0 mail.example.com Too many messages on this connection");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(SessionTest, TooManyBadCommands) {
  options.max_bad_commands = 3;
  Start();
  auto client = Receiving();
  EXPECT_EQ(client->Say("XXX"), "500 5.5.1 Command not recognised");
  EXPECT_EQ(client->Say("XXX"), "500 5.5.1 Command not recognised");
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  client->Say("XXX");
  client->Say("XXX");
  client->Say("XXX");
  EXPECT_EQ(client->Reply(), "421 4.7.0 mail.example.com Too many bad commands");
  EXPECT_TRUE(client->AtEof());
}

// A client that pipelines does not know yet that MAIL was refused.
TEST_F(SessionTest, CommandsOutOfOrderAreNotBad) {
  options.max_bad_commands = 3;
  Start();
  auto client = ReceivingHello();
  std::string group = "MAIL FROM:<a@b> SIZE=99999999999\r\n";
  for (int i = 0; i < 20; ++i) group += "RCPT TO:<alice@example.com>\r\n";
  client->Send(group + "DATA\r\n");
  EXPECT_EQ(client->Reply(), "552 5.3.4 The message is too big");
  for (int i = 0; i < 21; ++i) EXPECT_EQ(client->Reply(), "503 5.5.1 Send MAIL first");
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
}

TEST_F(SessionTest, TooManyCommandsWithoutAMessage) {
  options.max_idle_commands = 5;
  options.max_recipients = 8;
  Start();
  auto client = ReceivingHello();
  const std::string end = "421 4.7.0 mail.example.com Too many commands without a message";
  // What leads to a message is not counted, and a stored message starts the count anew.
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "250 2.1.0 Sender OK");
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
    }
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "452 4.5.3 Too many recipients");
    }
    for (int i = 0; i < 10; ++i) {
      client->Send("BDAT 1024\r\n" + std::string(1022, 'x') + "\r\n");
      EXPECT_EQ(client->Reply(), "250 2.0.0 1024 octets received");
    }
    EXPECT_TRUE(client->Say("BDAT 0 LAST").starts_with("250 2.0.0 Stored as "));
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  EXPECT_EQ(client->Say("NOOP"), end);
  EXPECT_TRUE(client->AtEof());

  client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
    EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"), "550 5.1.1 No such user here");
  }
  EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"), end);
  EXPECT_TRUE(client->AtEof());

  client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  client->Say("RCPT TO:<alice@example.com>");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client->Say("BDAT 0"), "250 2.0.0 0 octets received");
  }
  EXPECT_EQ(client->Say("BDAT 0"), end);
}

TEST_F(SessionTest, GuessingAddressesIsSlow) {
  options.free_refusals = 2;
  options.refusal_delay = absl::Milliseconds(200);
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<a@b>");
  absl::Time start = absl::Now();
  client->Say("RCPT TO:<nobody@example.com>");
  client->Say("RCPT TO:<a@elsewhere.example>");
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(200));
  for (int i = 0; i < 2; ++i) {
    start = absl::Now();
    EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"), "550 5.1.1 No such user here");
    EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
    client->Say("RSET");
    client->Say("MAIL FROM:<a@b>");
  }
}

TEST_F(SessionTest, RepliesDoNotWaitForTheRestOfALine) {
  Start();
  auto client = ReceivingHello();
  client->Send("NOOP\r\nRSET\r\nNO");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  client->Send("OP\r\n");
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
}

TEST_F(SessionTest, PostmasterWithoutAccount) {
  // Where no mail is local.
  options.postmaster_domain = "elsewhere.example";
  Start();
  auto client = ReceivingHello();
  client->Say("MAIL FROM:<>");
  EXPECT_EQ(client->Say("RCPT TO:<postmaster>"), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Say("RCPT TO:<Postmaster@example.com>"), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Say("RCPT TO:<postmaster@elsewhere.example>"),
            "550 5.7.1 Relaying not available");
}

TEST_F(SessionTest, LinesThatAreNoCommands) {
  Start();
  auto client = Receiving();
  client->Send("NOOP\n");
  EXPECT_EQ(client->Reply(), "500 5.5.2 Lines end in CRLF");
  client->Send("NO\rOP\r\n");
  EXPECT_EQ(client->Reply(), "500 5.5.2 Control character in a command");
  EXPECT_EQ(client->Say("NOOP " + std::string(505, 'x')), "250 2.0.0 OK");
  EXPECT_EQ(client->Say("NOOP " + std::string(506, 'x')), "500 5.5.2 Line too long");
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  // So long that nobody knows what it was: it could be BDAT.
  EXPECT_EQ(client->Say("NOOP " + std::string(100000, 'x')), "500 5.5.2 Line too long");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(SessionTest, Pipelining) {
  Start();
  auto client = ReceivingHello();
  client->Send(
      "MAIL FROM:<a@b>\r\nRCPT TO:<alice@example.com>\r\nRCPT TO:<nobody@example.com>\r\nDATA\r\n");
  EXPECT_EQ(client->Reply(), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Reply(), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Reply(), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Reply(), "354 End data with <CR><LF>.<CR><LF>");
  // What follows the data in the same segment is the next group.
  client->Send("Subject: x\r\n\r\ntext\r\n.\r\nRSET\r\nMAIL FROM:<a@b>\r\nQUI");
  client->Send("T\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 2.0.0 Stored as "));
  EXPECT_EQ(client->Reply(), "250 2.0.0 OK");
  EXPECT_EQ(client->Reply(), "250 2.1.0 Sender OK");
  EXPECT_EQ(client->Reply(), "221 2.0.0 mail.example.com Bye");
  EXPECT_TRUE(client->AtEof());
  ASSERT_EQ(store.Inbox("alice@example.com").size(), 1u);
}

TEST_F(SessionTest, CommandsAheadOfAReplyThatMatters) {
  Start();
  auto client = Receiving();
  client->Send("EHLO x\r\nMAIL FROM:<a@b>\r\n");
  EXPECT_EQ(client->Reply(), "554 5.5.0 Commands sent ahead of EHLO's reply");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(SessionTest, NothingBehindStartTlsSurvives) {
  Start();
  auto client = ReceivingHello();
  client->Send("STARTTLS\r\nNOOP injected\r\nMAIL FROM:<evil@b>\r\n");
  EXPECT_EQ(client->Reply(), "220 2.0.0 Ready to start TLS");
  ASSERT_TRUE(client->StartTls());
  // The state before TLS is gone, and the first reply belongs to this command.
  EXPECT_EQ(client->Say("MAIL FROM:<a@b>"), "503 5.5.1 Send EHLO first");
}

TEST_F(SessionTest, EarlyTalkerIsRefused) {
  options.greeting_delay = absl::Seconds(10);
  Start();
  SmtpClient client(server->port());
  client.Send("EHLO x\r\n");
  EXPECT_EQ(client.Reply(), "554 5.5.0 Wait for the greeting");
}

TEST_F(SessionTest, WebBrowserIsRefused) {
  Start();
  auto client = Receiving();
  client->Send("POST / HTTP/1.1\r\nHost: mail.example.com\r\n\r\nMAIL FROM:<a@b>\r\n");
  EXPECT_EQ(client->Reply(), "554 5.5.1 This is not a web server");
}

TEST_F(SessionTest, SilentClientIsTimedOut) {
  options.timeouts.command = absl::Milliseconds(50);
  Start();
  auto client = Receiving();
  EXPECT_EQ(client->Reply(), "421 4.4.2 mail.example.com Timeout, closing the connection");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(SessionTest, DrainEndsSessionsBetweenCommands) {
  Start();
  auto idle = ReceivingHello();
  server->Drain(absl::Seconds(5));
  EXPECT_EQ(idle->Reply(), "421 4.3.2 mail.example.com Service shutting down");
  EXPECT_TRUE(idle->AtEof());
}

TEST_F(SessionTest, TooManyConnections) {
  options.limits.total = 1;
  Start();
  auto first = Receiving();
  SmtpClient second(server->port());
  EXPECT_EQ(second.Reply(), "421 4.3.2 mail.example.com Too many connections");
  EXPECT_TRUE(second.AtEof());
}

}  // namespace
}  // namespace rmail::gateway::smtp
