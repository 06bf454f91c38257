// The gateway over a real store: what has its 250 lies on disk, octet for octet.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/sasl.h"
#include "gateway/common/server.h"
#include "gateway/common/test_tls.h"
#include "gateway/smtp/smtp_fixture.h"
#include "gateway/smtp/smtp_server.h"
#include "rmail/store/v1/queue.pb.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "tests/support/scram_client.h"
#include "tests/support/test_store.h"

namespace rmail::gateway::smtp {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    store.AddAccount("alice@example.com", "secret");
    store.AddAccount("bob@example.com", "secret", /*quota_mb=*/1);
    SmtpOptions options;
    options.hostname = "mail.example.com";
    options.host = "127.0.0.1";
    options.port = options.submission_port = options.smtps_port = 0;
    options.auth_failure_delay = absl::Milliseconds(1);
    options.reject_local_senders = false;
    auto started = SmtpServer::Start(threads, store.access(), &rmail::testing::TestTls(), options);
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
  }

  std::unique_ptr<SmtpClient> Receiving() {
    auto client = std::make_unique<SmtpClient>(server->port());
    EXPECT_EQ(client->Reply().substr(0, 3), "220");
    EXPECT_EQ(client->Say("EHLO client.example.net").substr(0, 3), "250");
    return client;
  }

  std::string Send(SmtpClient& client, const std::string& wire) {
    EXPECT_EQ(client.Say("DATA").substr(0, 3), "354");
    client.Send(wire);
    return client.Reply();
  }

  // The messages for other servers.
  std::vector<rmail::store::v1::QueuedMessage> Queue() {
    using rmail::store::v1::ListQueueResponse;
    client::CallOptions options;
    options.token = store.AdminToken();
    const auto reader = store.client().Read(options, rmail::store::v1::ListQueueRequest());
    std::vector<rmail::store::v1::QueuedMessage> messages;
    while (true) {
      std::promise<absl::StatusOr<std::optional<ListQueueResponse>>> next;
      reader->Next([&](auto answer) { next.set_value(std::move(answer)); });
      const auto answer = next.get_future().get();
      EXPECT_TRUE(answer.ok()) << answer.status();
      if (!answer.ok() || !answer->has_value()) return messages;
      messages.insert(messages.end(), (*answer)->messages().begin(), (*answer)->messages().end());
    }
  }

  // The user's messages, as files.
  std::vector<std::string> Mail(const std::string& user) {
    std::vector<std::string> messages;
    const std::string folder = store.mail_root() + "/domains/example.com/users/" + user;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".eml") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      messages.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return messages;
  }

  rmail::testing::TestStore store;
  gateway::IoThreads threads{2};
  std::unique_ptr<SmtpServer> server;
};

TEST_F(StoreTest, OctetForOctet) {
  auto client = Receiving();
  client->Say("MAIL FROM:<sender@example.net> BODY=8BITMIME");
  EXPECT_EQ(client->Say("RCPT TO:<Alice+x@Example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<bob@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_TRUE(
      Send(*client, "Subject: \xe4\r\n\r\n..\r\n...x\r\n\xff\r\n.\r\n").starts_with("250 "));
  for (const char* user : {"alice", "bob"}) {
    const auto mail = Mail(user);
    ASSERT_EQ(mail.size(), 1u) << user;
    EXPECT_EQ(Body(mail[0]), "Subject: \xe4\r\n\r\n.\r\n..x\r\n\xff\r\n");
    EXPECT_TRUE(mail[0].starts_with("Return-Path: <sender@example.net>\r\nReceived: from "));
  }
}

TEST_F(StoreTest, FortyMegabytes) {
  auto client = Receiving();
  client->SetTimeout(absl::Seconds(60));
  client->Say("MAIL FROM:<>");
  client->Say("RCPT TO:<alice@example.com>");
  EXPECT_EQ(client->Say("DATA").substr(0, 3), "354");
  std::string message = "Subject: big\r\n\r\n";
  while (message.size() < 40u << 20) message += std::string(998, 'x') + "\r\n";
  client->Send(message);
  client->Send(".\r\n");
  EXPECT_TRUE(client->Reply().starts_with("250 "));
  const auto mail = Mail("alice");
  ASSERT_EQ(mail.size(), 1u);
  EXPECT_TRUE(Body(mail[0]) == message);
}

TEST_F(StoreTest, OverQuota) {
  std::string wire;
  while (wire.size() < 2u << 20) wire += std::string(998, 'x') + "\r\n";
  wire += ".\r\n";
  auto client = Receiving();
  client->Say("MAIL FROM:<alice@example.com>");
  client->Say("RCPT TO:<bob@example.com>");
  EXPECT_EQ(Send(*client, wire), "552 5.2.2 The mailbox is full");
  // With a copy stored for alice, she is told about bob's.
  client->Say("MAIL FROM:<alice@example.com>");
  client->Say("RCPT TO:<bob@example.com>");
  client->Say("RCPT TO:<alice@example.com>");
  EXPECT_TRUE(Send(*client, wire).starts_with("250 "));
  EXPECT_TRUE(Mail("bob").empty());
  const auto mail = Mail("alice");
  ASSERT_EQ(mail.size(), 2u);
  const std::string& notice = mail[0].size() < mail[1].size() ? mail[0] : mail[1];
  EXPECT_NE(notice.find("\r\nFinal-Recipient: rfc822; bob@example.com\r\n"), std::string::npos);
}

TEST_F(StoreTest, Recipients) {
  store.AddAccount("gone@example.com", "secret");
  store.SetDisabled("gone@example.com", true);
  auto client = Receiving();
  client->Say("MAIL FROM:<>");
  EXPECT_EQ(client->Say("RCPT TO:<gone@example.com>"), "550 5.2.1 The mailbox is disabled");
  EXPECT_EQ(client->Say("RCPT TO:<nobody@example.com>"), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Say("RCPT TO:<\"no body\"@example.com>"), "550 5.1.1 No such user here");
  EXPECT_EQ(client->Say("RCPT TO:<a@elsewhere.example>"), "550 5.7.1 Relaying not available");
  EXPECT_EQ(client->Say("RCPT TO:<alice@[127.0.0.1]>"), "550 5.7.1 Relaying not available");
}

TEST_F(StoreTest, AliasesReachEachAccountOnce) {
  std::ofstream(store.mail_root() + "/domains/example.com/aliases.json")
      << "{\"version\": 1, \"aliases\": ["
         "{\"pattern\": \"all\", \"targets\": [\"alice@example.com\", \"team-x@example.com\"]},"
         "{\"regex\": \"team-.*\", \"targets\": [\"bob@example.com\", \"alice+t@example.com\"]},"
         "{\"pattern\": \"loop\", \"targets\": [\"loop@example.com\"]}]}";
  auto client = Receiving();
  client->Say("MAIL FROM:<>");
  EXPECT_EQ(client->Say("RCPT TO:<All+x@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_EQ(client->Say("RCPT TO:<loop@example.com>"),
            "550 5.4.6 The address leads back to itself");
  EXPECT_TRUE(Send(*client, "hi\r\n.\r\n").starts_with("250 "));
  EXPECT_EQ(Mail("alice").size(), 1u);
  EXPECT_EQ(Mail("bob").size(), 1u);
  // A slip while editing bounces nothing.
  std::ofstream(store.mail_root() + "/domains/example.com/aliases.json") << "{";
  client->Say("MAIL FROM:<>");
  EXPECT_EQ(client->Say("RCPT TO:<all@example.com>").substr(0, 9), "451 4.3.0");
  EXPECT_EQ(client->Say("RCPT TO:<alice@example.com>"), "250 2.1.5 Recipient OK");
}

TEST_F(StoreTest, Submission) {
  SmtpClient client(server->smtps_port(), SmtpClient::Tls::kOn);
  EXPECT_EQ(client.Reply().substr(0, 3), "220");
  client.Say("EHLO x");
  EXPECT_EQ(client.Say(AuthPlainLine("alice@example.com", "wrong")).substr(0, 3), "535");
  EXPECT_EQ(client.Say(AuthPlainLine("ALICE@example.com", "secret")).substr(0, 3), "235");
  EXPECT_EQ(client.Say("MAIL FROM:<bob@example.com>"),
            "553 5.7.1 This sender address is not yours");
  EXPECT_EQ(client.Say("MAIL FROM:<alice+x@example.com>"), "250 2.1.0 Sender OK");
  EXPECT_EQ(client.Say("RCPT TO:<bob@example.com>"), "250 2.1.5 Recipient OK");
  EXPECT_TRUE(Send(client, "hi\r\n.\r\n").starts_with("250 "));
  EXPECT_EQ(Mail("bob").size(), 1u);
}

TEST_F(StoreTest, MailForOthersIsQueuedBesideTheMailboxes) {
  SmtpClient client(server->smtps_port(), SmtpClient::Tls::kOn);
  EXPECT_EQ(client.Reply().substr(0, 3), "220");
  client.Say("EHLO x");
  EXPECT_EQ(client.Say(AuthPlainLine("alice@example.com", "secret")).substr(0, 3), "235");
  EXPECT_EQ(client.Say("MAIL FROM:<alice@example.com> ENVID=e1 SMTPUTF8"), "250 2.1.0 Sender OK");
  // Whatever an address may be elsewhere, the store takes it.
  for (const char* recipient : {"bob@example.com", "x@elsewhere.example",
                                "\"a \\\" b\"@elsewhere.example", "a/b=c@[IPv6:2001:db8::1]",
                                "\xc3\xbc@b\xc3\xbc"
                                "cher.example"}) {
    EXPECT_EQ(client.Say(std::string("RCPT TO:<") + recipient +
                         "> NOTIFY=NEVER ORCPT=utf-8;\\x{FC}@c.example"),
              "250 2.1.5 Recipient OK")
        << recipient;
  }
  EXPECT_TRUE(Send(client, "From: alice@example.com\r\n\r\nhi\r\n.\r\n").starts_with("250 "));
  ASSERT_EQ(Mail("bob").size(), 1u);
  EXPECT_TRUE(Mail("bob")[0].starts_with("Return-Path: <alice@example.com>\r\nReceived: "));

  const auto queue = Queue();
  ASSERT_EQ(queue.size(), 1u);
  const rmail::store::v1::QueueEnvelope& envelope = queue[0].envelope();
  EXPECT_EQ(envelope.sender(), "alice@example.com");
  EXPECT_EQ(envelope.envelope_id(), "e1");
  ASSERT_EQ(envelope.recipients_size(), 4);
  EXPECT_EQ(envelope.recipients(1).address(), "\"a \\\" b\"@elsewhere.example");
  EXPECT_EQ(envelope.recipients(0).original_recipient(), "utf-8;\xc3\xbc@c.example");
  // All but the field that belongs to mailboxes.
  EXPECT_EQ(queue[0].size(), Mail("bob")[0].size() - 34);
}

TEST_F(StoreTest, FailuresOfMailFromElsewhereAreToldThroughTheQueue) {
  std::string wire;
  while (wire.size() < 2u << 20) wire += std::string(998, 'x') + "\r\n";
  auto client = Receiving();
  client->Say("MAIL FROM:<sender@example.net>");
  client->Say("RCPT TO:<bob@example.com>");
  client->Say("RCPT TO:<alice@example.com>");
  EXPECT_TRUE(Send(*client, wire + ".\r\n").starts_with("250 "));
  EXPECT_EQ(Mail("alice").size(), 1u);
  const auto queue = Queue();
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].envelope().sender(), "");
  EXPECT_EQ(queue[0].envelope().recipients(0).address(), "sender@example.net");
}

TEST_F(StoreTest, ScramSha256) {
  // What "334 base64" says.
  const auto challenge = [](const std::string& reply) {
    const auto octets = gateway::DecodeBase64(reply.substr(4));
    EXPECT_TRUE(reply.starts_with("334 ") && octets.has_value()) << reply;
    return octets.value_or("");
  };
  SmtpClient client(server->smtps_port(), SmtpClient::Tls::kOn);
  EXPECT_EQ(client.Reply().substr(0, 3), "220");
  client.Say("EHLO x");
  rmail::testing::ScramClient wrong("alice@example.com", "wrong");
  const std::string first = client.Say("AUTH SCRAM-SHA-256");
  EXPECT_EQ(first, "334 ");
  std::string reply = client.Say(gateway::EncodeBase64(wrong.First()));
  EXPECT_EQ(client.Say(gateway::EncodeBase64(wrong.Final(challenge(reply)))),
            "535 5.7.8 Authentication credentials invalid");
  rmail::testing::ScramClient right("alice@example.com", "secret");
  reply = client.Say("auth scram-sha-256 " + gateway::EncodeBase64(right.First()));
  reply = client.Say(gateway::EncodeBase64(right.Final(challenge(reply))));
  EXPECT_TRUE(right.Trusts(challenge(reply)));
  EXPECT_EQ(client.Say(""), "235 2.7.0 Authentication successful");
  EXPECT_EQ(client.Say("MAIL FROM:<alice@example.com>"), "250 2.1.0 Sender OK");
}

TEST_F(StoreTest, BearerTokensAndTheLockOut) {
  Token token;
  token.subject = "alice@example.com";
  token.expires = absl::Now() + absl::Hours(1);
  const std::string good = SignToken(rmail::testing::kTokenSecret, token);
  const auto line = [](const std::string& bearer) {
    const std::string separator(1, '\x01');
    return "AUTH XOAUTH2 " + gateway::EncodeBase64("user=alice@example.com" + separator +
                                                   "auth=Bearer " + bearer + separator + separator);
  };
  {
    SmtpClient client(server->smtps_port(), SmtpClient::Tls::kOn);
    client.Reply();
    client.Say("EHLO x");
    EXPECT_EQ(client.Say(line(good)), "235 2.7.0 Authentication successful");
  }
  // Ten wrong ones.
  for (int i = 0; i < 10; ++i) {
    SmtpClient client(server->smtps_port(), SmtpClient::Tls::kOn);
    client.Reply();
    client.Say("EHLO x");
    EXPECT_EQ(client.Say(line(good + std::to_string(i))).substr(0, 4), "334 ");
    EXPECT_EQ(client.Say("").substr(0, 3), "535");
  }
  SmtpClient client(server->smtps_port(), SmtpClient::Tls::kOn);
  client.Reply();
  client.Say("EHLO x");
  EXPECT_EQ(client.Say(line(good)), "421 4.7.0 mail.example.com Too many failed logins");
  EXPECT_TRUE(client.AtEof());
}

}  // namespace
}  // namespace rmail::gateway::smtp
