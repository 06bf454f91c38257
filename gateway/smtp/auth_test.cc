// Submission: who may log in, and what they may send.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/common/sasl.h"
#include "gateway/smtp/smtp_fixture.h"

namespace rmail::gateway::smtp {
namespace {

using gateway::EncodeBase64;

class AuthTest : public SmtpFixture {};

TEST_F(AuthTest, RefusedInTheClear) {
  Start();
  auto client = Submission();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret")),
            "538 5.7.11 Encryption required for authentication");
  EXPECT_EQ(client->Say("AUTH LOGIN"), "538 5.7.11 Encryption required for authentication");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"),
            "530 5.7.0 Must issue a STARTTLS command first");
  EXPECT_EQ(client->Say("VRFY alice"), "530 5.7.0 Must issue a STARTTLS command first");
}

TEST_F(AuthTest, NotOnPort25) {
  Start();
  auto client = ReceivingHello();
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret")),
            "502 5.5.1 No authentication on this port");
  client->Say("STARTTLS");
  ASSERT_TRUE(client->StartTls());
  EXPECT_EQ(client->Say("EHLO x").find("AUTH"), std::string::npos);
  EXPECT_EQ(client->Say("AUTH PLAIN"), "502 5.5.1 No authentication on this port");
}

TEST_F(AuthTest, StartTlsThenPlain) {
  Start();
  auto client = Submission();
  client->Say("EHLO x");
  client->Say("STARTTLS");
  ASSERT_TRUE(client->StartTls());
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret")), "503 5.5.1 Send EHLO first");
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "530 5.7.0 Authentication required");
  EXPECT_EQ(client->Say(AuthPlainLine("Alice@Example.com", "secret")),
            "235 2.7.0 Authentication successful");
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret")),
            "503 5.5.1 Already authenticated");
  EXPECT_EQ(client->Say("EHLO x").find("AUTH"), std::string::npos);
  EXPECT_EQ(client->Say("MAIL FROM:<alice@example.com>"), "250 2.1.0 Sender OK");
}

TEST_F(AuthTest, PlainWithoutInitialResponse) {
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("auth plain"), "334 ");
  const std::string line = AuthPlainLine("alice@example.com", "secret", "ALICE@example.com");
  EXPECT_EQ(client->Say(line.substr(sizeof("AUTH PLAIN ") - 1)).substr(0, 3), "235");
}

TEST_F(AuthTest, Login) {
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
  EXPECT_EQ(client->Say(EncodeBase64("alice@example.com")), "334 UGFzc3dvcmQ6");
  EXPECT_EQ(client->Say(EncodeBase64("secret")), "235 2.7.0 Authentication successful");
}

TEST_F(AuthTest, LoginWithInitialResponse) {
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("AUTH LOGIN " + EncodeBase64("alice@example.com")), "334 UGFzc3dvcmQ6");
  EXPECT_EQ(client->Say(EncodeBase64("secret")).substr(0, 3), "235");
}

TEST_F(AuthTest, BadExchanges) {
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say("AUTH"), "501 5.5.4 Syntax: AUTH mechanism [response]");
  EXPECT_EQ(client->Say("AUTH CRAM-MD5"), "504 5.5.4 Mechanism not supported");
  EXPECT_EQ(client->Say("AUTH PLAIN !"), "501 5.5.2 That is not base64");
  EXPECT_EQ(client->Say("AUTH PLAIN ="), "501 5.5.2 Bad PLAIN message");
  EXPECT_EQ(client->Say("AUTH PLAIN"), "334 ");
  EXPECT_EQ(client->Say("*"), "501 5.0.0 Authentication cancelled");
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
  EXPECT_EQ(client->Say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
  client->Send("YQ==\n");
  EXPECT_EQ(client->Reply(), "500 5.5.2 Lines end in CRLF");
  EXPECT_EQ(client->Say("AUTH PLAIN"), "334 ");
  EXPECT_EQ(client->Say(std::string(20000, 'A')), "500 5.5.6 Line too long");
  EXPECT_EQ(client->Say("NOOP"), "250 2.0.0 OK");
}

TEST_F(AuthTest, NotDuringATransaction) {
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com>");
  EXPECT_EQ(client->Say("AUTH PLAIN"), "503 5.5.1 Not during a mail transaction");
}

TEST_F(AuthTest, ThreeFailuresEndTheSession) {
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "wrong")),
            "535 5.7.8 Authentication credentials invalid");
  EXPECT_EQ(client->Say(AuthPlainLine("nobody@example.com", "secret")),
            "535 5.7.8 Authentication credentials invalid");
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret", "bob@example.com")),
            "535 5.7.8 Authentication credentials invalid");
  EXPECT_EQ(client->Reply(), "421 4.7.0 mail.example.com Too many failures");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(AuthTest, WhatTheStoreCannotReadIsAFailure) {
  options.max_auth_failures = 100;
  options.max_bad_commands = 100;
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  const std::string user = "alice@example.com";
  const std::string bad_user = EncodeBase64("alice\xe4@example.com");
  EXPECT_EQ(client->Say(AuthPlainLine(user, "\xff")), "501 5.5.2 Bad PLAIN message");
  EXPECT_EQ(client->Say(AuthPlainLine("\xff", "x")), "501 5.5.2 Bad PLAIN message");
  EXPECT_EQ(client->Say(AuthPlainLine(user, "x", "\xff")), "501 5.5.2 Bad PLAIN message");
  EXPECT_EQ(client->Say(AuthPlainLine("", "x")), "501 5.5.2 Bad PLAIN message");
  EXPECT_EQ(client->Say(AuthPlainLine(user, "")), "501 5.5.2 Bad PLAIN message");
  EXPECT_EQ(client->Say(AuthPlainLine(user, std::string("a\0b", 3))),
            "501 5.5.2 Bad PLAIN message");
  for (const auto& [name, password] : std::vector<std::pair<std::string, std::string>>{
           {bad_user, EncodeBase64("secret")},
           {EncodeBase64(user), EncodeBase64("\xe4")},
           {EncodeBase64(user), ""},
           {"=", EncodeBase64("secret")},
           {EncodeBase64(user), EncodeBase64(std::string("secret\0", 7))}}) {
    EXPECT_EQ(client->Say("AUTH LOGIN " + name), "334 UGFzc3dvcmQ6");
    EXPECT_EQ(client->Say(password), "501 5.5.2 Bad user name or password");
  }
  EXPECT_EQ(store.authentications(), 0);
  EXPECT_EQ(client->Say(AuthPlainLine(user, "secret")).substr(0, 3), "235");
  EXPECT_EQ(store.authentications(), 1);
}

TEST_F(AuthTest, WhatTheStoreCannotReadCountsAndIsDelayed) {
  options.auth_failure_delay = absl::Milliseconds(100);
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  const absl::Time start = absl::Now();
  client->Say(AuthPlainLine("alice@example.com", "\xff"));
  client->Say("AUTH LOGIN " + EncodeBase64("alice@example.com"));
  client->Say("");
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
  client->Say(AuthPlainLine("alice@example.com", "\xff"));
  EXPECT_EQ(client->Reply(), "421 4.7.0 mail.example.com Too many failures");
  EXPECT_TRUE(client->AtEof());
}

TEST_F(AuthTest, FailuresAreDelayed) {
  options.auth_failure_delay = absl::Milliseconds(200);
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  const absl::Time start = absl::Now();
  client->Say(AuthPlainLine("alice@example.com", "wrong"));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
}

TEST_F(AuthTest, DisabledAccountAndDeadStore) {
  store.Disable("bob@example.com");
  Start();
  auto client = Smtps();
  client->Say("EHLO x");
  EXPECT_EQ(client->Say(AuthPlainLine("bob@example.com", "secret")),
            "525 5.7.13 The account is disabled");
  store.FailCalls(absl::UnavailableError("down"));
  EXPECT_EQ(client->Say(AuthPlainLine("alice@example.com", "secret")),
            "454 4.7.0 Temporary authentication failure");
}

TEST_F(AuthTest, SendersUseTheirOwnAddress) {
  store.AddAlias("sales@example.com", {"alice@example.com", "bob@example.com"});
  Start();
  auto client = LoggedIn("alice@example.com");
  const std::string not_yours = "553 5.7.1 This sender address is not yours";
  EXPECT_EQ(client->Say("MAIL FROM:<bob@example.com>"), not_yours);
  EXPECT_EQ(client->Say("MAIL FROM:<nobody@example.com>"), not_yours);
  EXPECT_EQ(client->Say("MAIL FROM:<alice@elsewhere.example>"), not_yours);
  for (const char* own : {"Alice@Example.COM", "alice+news@example.com", "sales@example.com", ""}) {
    EXPECT_EQ(client->Say(std::string("MAIL FROM:<") + own + ">"), "250 2.1.0 Sender OK") << own;
    client->Say("RSET");
  }
  store.FailCalls(absl::UnavailableError("down"));
  EXPECT_EQ(client->Say("MAIL FROM:<bob@example.com>").substr(0, 3), "451");
}

TEST_F(AuthTest, SubmissionWhereNothingIsRelayed) {
  options.relay = false;
  Start();
  auto client = LoggedIn("alice@example.com");
  client->Say("MAIL FROM:<alice@example.com> AUTH=<>");
  EXPECT_EQ(client->Say("RCPT TO:<x@elsewhere.example>"), "550 5.7.1 Relaying not available");
  EXPECT_EQ(client->Say("RCPT TO:<bob@example.com>"), "250 2.1.5 Recipient OK");
  client->Say("DATA");
  EXPECT_TRUE(client->Say("hello\r\n.").starts_with("250 2.0.0"));
  ASSERT_EQ(store.Inbox("bob@example.com").size(), 1u);
  EXPECT_NE(TraceOf(store.Inbox("bob@example.com")[0]).find(" with ESMTPSA (TLSv1.3"),
            std::string::npos);
}

}  // namespace
}  // namespace rmail::gateway::smtp
