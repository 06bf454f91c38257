// Routes, replies, transactions.
#include "gateway/relay/smtp_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/relay/testing/transport_fixture.h"

namespace rmail::gateway::relay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kDrop;
using testing::kHang;

using SmtpTransportTest = TransportFixture;

constexpr char kTaken[] = "250 2.0.0 @mx.example.test";

TEST_F(SmtpTransportTest, Delivers) {
  Server& server = OneServer();
  EXPECT_EQ(Send(), kTaken);
  ASSERT_EQ(server.mails().size(), 1U);
  const testing::ReceivedMail mail = server.mails()[0];
  EXPECT_EQ(mail.mail, "MAIL FROM:<alice@example.com> SIZE=" + std::to_string(text_.size()));
  EXPECT_THAT(mail.rcpt, ElementsAre("RCPT TO:<bob@example.test>"));
  EXPECT_EQ(mail.text, text_);
  EXPECT_THAT(server.commands(), Contains("EHLO relay.example.com"));
}

TEST_F(SmtpTransportTest, WithoutPipeliningOrEhlo) {
  Server& plain = OneServer({.features = {}});
  Recipients({"a@example.test", "b@example.test"});
  EXPECT_THAT(SendAll(), ElementsAre(kTaken, kTaken));
  ASSERT_EQ(plain.mails().size(), 1U);
  EXPECT_EQ(plain.mails()[0].mail, "MAIL FROM:<alice@example.com>");

  dns_.AddMx("old.test", 1, "old.example.test");
  Server& old = AddServer(3, {.name = "old.example.test"});
  old.Script("EHLO", "502 5.5.1 What?");
  EXPECT_THAT(SendAll("old.test"), ElementsAre("250 2.0.0 @old.example.test", ::testing::_));
  EXPECT_EQ(old.mails().at(0).mail, "MAIL FROM:<alice@example.com>");
}

TEST_F(SmtpTransportTest, LargeMessages) {
  Server& server = OneServer();
  text_ = "Subject: x\r\n\r\n";
  while (text_.size() < 3'000'000) text_ += ".a line of a large message\r\n";
  piece_ = 256 * 1024;
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(server.mails().at(0).text == text_);
}

TEST_F(SmtpTransportTest, AnEmptyMessage) {
  Server& server = OneServer();
  text_.clear();
  EXPECT_EQ(Send(), kTaken);
  EXPECT_EQ(server.mails().at(0).text, "");
}

TEST_F(SmtpTransportTest, RecipientsHaveAnswersOfTheirOwn) {
  for (const bool pipelining : {true, false}) {
    const std::string name = pipelining ? "p" : "q";
    testing::FakeSmtpOptions options = {.name = name + ".test"};
    if (!pipelining) options.features = {};
    Server& server = AddServer(pipelining ? 2 : 3, options);
    server.Script("RCPT TO:<b@", "450 4.2.0 Greylisted");
    server.Script("RCPT TO:<c@", "550-5.1.1 No such\r\n550 5.1.1 user");
    server.Script("RCPT TO:<d@", "330 Confused");
    Recipients({"a@x.test", "b@x.test", "c@x.test", "d@x.test"});
    EXPECT_THAT(SendAll(name + ".test"),
                ElementsAre("250 2.0.0 @" + name + ".test", "450 4.2.0 @" + name + ".test",
                            "550 5.1.1 @" + name + ".test", "451 4.5.0"));
    EXPECT_EQ(last_[2].reply.text, "No such user");
    EXPECT_THAT(server.mails().at(0).rcpt, ElementsAre("RCPT TO:<a@x.test>"));
  }
}

TEST_F(SmtpTransportTest, AllRefused) {
  Server& server = OneServer();
  server.Script("RCPT", "550 5.1.1 No", 2);
  Recipients({"a@example.test", "b@example.test"});
  EXPECT_THAT(SendAll(), ElementsAre("550 5.1.1 @mx.example.test", "550 5.1.1 @mx.example.test"));
  EXPECT_TRUE(server.mails().empty());
  // The connection takes another one.
  EXPECT_THAT(SendAll(), ElementsAre(kTaken, kTaken));
  EXPECT_EQ(server.connections(), 1);
}

// RFC 2920, 3.1: it says 354 to a DATA that was pipelined.
TEST_F(SmtpTransportTest, AllRefusedButDataIsNot) {
  Server& server = OneServer();
  server.Script("RCPT", "550 5.1.1 No");
  server.Script("DATA", "354 Go on");
  server.Script(".", "554 5.5.1 No valid recipients");
  EXPECT_EQ(Send(), "550 5.1.1 @mx.example.test");
  EXPECT_TRUE(server.mails().empty());
  EXPECT_THAT(server.commands(), Contains("RSET"));
}

TEST_F(SmtpTransportTest, RefusalsOfTheWholeMessage) {
  struct Case {
    const char* command;
    const char* reply;
    const char* result;
  };
  int number = 2;
  for (const Case& one :
       {Case{"MAIL", "451 4.3.0 Later", "451 4.3.0 @"},
        Case{"MAIL", "553 5.7.1 Not you", "553 5.7.1 @"},
        Case{"DATA", "451 4.3.0 Later", "451 4.3.0 @"}, Case{"DATA", "554 Never", "554 5.0.0 @"},
        Case{"DATA", "330 Odd", "451 4.5.0"}, Case{".", "452 4.3.1 Full", "452 4.3.1 @"},
        Case{".", "554 5.7.1 Spam", "554 5.7.1 @"}}) {
    std::string name = "s" + std::to_string(number) + ".test";
    for (const bool pipelining : {true, false}) {
      name = "x" + name;
      testing::FakeSmtpOptions options = {.name = name};
      if (!pipelining) options.features = {};
      AddServer(number++, options).Script(one.command, one.reply, 1);
      Recipients({"a@" + name});
      std::string expected = one.result;
      if (expected.ends_with('@')) expected += name;
      EXPECT_EQ(Send(name), expected) << one.command << " " << one.reply;
      EXPECT_EQ(Send(name), "250 2.0.0 @" + name);
      EXPECT_EQ(servers_.back()->connections(), 1);
    }
  }
}

TEST_F(SmtpTransportTest, TheNextServer) {
  struct Case {
    const char* command;
    std::string_view reply;
  };
  int number = 10;
  for (const Case& one :
       {Case{"GREETING", "421 4.3.2 Busy"}, Case{"GREETING", "554 5.7.1 Not you"},
        Case{"GREETING", kDrop}, Case{"GREETING", "SSH-2.0-whatever"},
        Case{"EHLO", "421 4.3.2 Busy"}, Case{"EHLO", kDrop}, Case{"MAIL", kDrop},
        Case{"MAIL", "421 4.3.2 Busy"}, Case{"RCPT", kDrop}, Case{"RCPT", "421 4.3.2 Busy"},
        Case{"DATA", kDrop}, Case{"DATA", "421 4.3.2 Busy"}, Case{"TEXT", kDrop}}) {
    const std::string domain = "d" + std::to_string(number) + ".test";
    Server& first = AddServer(number++, {.name = "first." + domain});
    Server& second = AddServer(number++, {.name = "second." + domain});
    dns_.AddMx(domain, 1, "first." + domain);
    dns_.AddMx(domain, 2, "second." + domain);
    first.Script(one.command, one.reply);
    text_ = std::string(3'000'000, 'x');  // More than the network holds on its way.
    piece_ = 256 * 1024;
    Recipients({"a@" + domain});
    EXPECT_EQ(Send(domain), "250 2.0.0 @second." + domain) << one.command << " " << one.reply;
    EXPECT_EQ(first.connections(), 1);
    EXPECT_EQ(second.mails().size(), 1U);
  }
}

TEST_F(SmtpTransportTest, NoServerLeft) {
  Server& server = OneServer();
  server.Script("GREETING", "421 4.3.2 Busy", 1);
  EXPECT_EQ(Send(), "421 4.3.2 @mx.example.test");
  server.Script("GREETING", "554 5.7.1 Not you", 1);
  EXPECT_EQ(Send(), "554 5.7.1 @mx.example.test");
  // One of them may be there later.
  dns_.AddMx("two.test", 1, "mx.example.test");
  dns_.AddMx("two.test", 2, "dead.example.test");
  dns_.AddAddress("dead.example.test", "127.0.0.99");
  server.Script("GREETING", "554 5.7.1 Not you", 1);
  EXPECT_EQ(Send("two.test"), "451 4.4.1");
  EXPECT_THAT(last_[0].reply.text, HasSubstr("dead.example.test [127.0.0.99]"));
}

// RFC 1047: it may have the message; no other server gets it.
TEST_F(SmtpTransportTest, TheAnswerToTheMessageIsLost) {
  options_.timeouts.data_end = absl::Milliseconds(300);
  Server& server = OneServer();
  Server& other = AddServer(3, {.name = "other.example.test"});
  dns_.AddMx("example.test", 20, "other.example.test");
  server.Script(".", kDrop, 1);
  EXPECT_EQ(Send(), "451 4.4.2");
  server.Script(".", kHang, 1);
  EXPECT_EQ(Send(), "451 4.4.2");
  server.Script(".", "(nonsense)", 1);
  EXPECT_EQ(Send(), "451 4.5.0");
  server.Script(".", "421 4.3.2 Going", 1);
  EXPECT_EQ(Send(), "421 4.3.2 @mx.example.test");
  EXPECT_EQ(server.connections(), 4);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(SmtpTransportTest, ARefusalWhileTheMessageIsSent) {
  Server& server = OneServer({.features = {}});
  server.Script("TEXT", "552 5.3.4 Too large");
  text_ = std::string(30'000'000, 'x');
  piece_ = 256 * 1024;
  const std::string result = Send();
  // A reset may overtake what it said.
  EXPECT_TRUE(result == "552 5.3.4 @mx.example.test" || result == "451 4.4.2") << result;
}

TEST_F(SmtpTransportTest, ServersThatHang) {
  options_.timeouts.greeting = options_.timeouts.hello = options_.timeouts.mail =
      options_.timeouts.rcpt = options_.timeouts.data = absl::Milliseconds(200);
  int number = 2;
  for (const char* command : {"GREETING", "EHLO", "MAIL", "RCPT", "DATA"}) {
    const std::string name = "hang" + std::to_string(number) + ".test";
    AddServer(number++, {.name = name}).Script(command, kHang);
    EXPECT_EQ(Send(name), "451 4.4.2") << command;
    EXPECT_THAT(last_[0].reply.text, HasSubstr("took too long"));
  }
}

TEST_F(SmtpTransportTest, SlowServers) {
  OneServer({.delay = absl::Milliseconds(20)});
  EXPECT_EQ(Send(), kTaken);
}

TEST_F(SmtpTransportTest, TheStoreBreaksOff) {
  Server& server = OneServer();
  broken_source_ = true;
  EXPECT_EQ(Send(), "451 4.3.0");
  text_.clear();
  EXPECT_EQ(Send(), "451 4.3.0");
  EXPECT_TRUE(server.mails().empty());
}

TEST_F(SmtpTransportTest, WhatDnsSays) {
  OneServer();
  dns_.AddMx("null.test", 0, ".");
  dns_.SetFault("fails.test", Dns::Fault::kServerFailure);
  dns_.SetFault("silent.test", Dns::Fault::kSilent);
  dns_.AddName("empty.test");
  dns_.AddMx("lost.test", 1, "nowhere.test");
  dns_.AddMx("half.test", 1, "nowhere.test");
  dns_.AddMx("half.test", 2, "fails.test");
  dns_.AddMx("most.test", 1, "nowhere.test");
  dns_.AddMx("most.test", 2, "mx.example.test");
  dns_.AddMx("loop.test", 1, "relay.example.com");
  dns_.AddAddress("implicit.test", "127.0.0.2");
  EXPECT_EQ(Send("nothing.test"), "550 5.1.2");
  EXPECT_EQ(Send("null.test"), "556 5.1.10");
  EXPECT_EQ(Send("fails.test"), "451 4.4.3");
  EXPECT_EQ(Send("silent.test"), "451 4.4.3");
  EXPECT_EQ(Send("empty.test"), "550 5.4.4");
  EXPECT_EQ(Send("lost.test"), "550 5.4.4");
  EXPECT_EQ(Send("half.test"), "451 4.4.3");
  EXPECT_EQ(Send("most.test"), kTaken);
  EXPECT_EQ(Send("loop.test"), "554 5.4.6");
  EXPECT_EQ(Send("implicit.test"), "250 2.0.0 @implicit.test");
  EXPECT_EQ(Send("[127.0.0.2]"), "250 2.0.0 @127.0.0.2");
  EXPECT_EQ(Send("[127.0.0.99]"), "451 4.4.1");
  EXPECT_EQ(Send("[0.0.0.0]"), "550 5.4.4");
}

TEST_F(SmtpTransportTest, InternationalDomains) {
  dns_.AddMx("xn--bcher-kva.test", 1, "mx.example.test");
  Server& server = OneServer();
  Recipients({"bob@b\u00fccher.test"});
  EXPECT_EQ(Send("b\u00fccher.test"), kTaken);
  EXPECT_THAT(server.mails().at(0).rcpt, ElementsAre("RCPT TO:<bob@xn--bcher-kva.test>"));
  // The header decides.
  envelope_.set_utf8(true);
  envelope_.set_eight_bit(true);
  text_ = "Subject: hello\r\n\r\n\u00fc\r\n";
  EXPECT_EQ(Send("b\u00fccher.test"), kTaken);
  text_ = "Subject: \u00fc\r\n\r\nhello\r\n";
  EXPECT_EQ(Send("b\u00fccher.test"), "550 5.6.7");
}

TEST_F(SmtpTransportTest, MailThatLoopsBack) {
  Server& self = OneServer({.name = "relay.example.com"});
  dns_.AddMx("hidden.test", 1, "alias.test");
  dns_.AddMx("hidden.test", 2, "backup.test");
  dns_.AddAddress("alias.test", "127.0.0.2");
  Server& backup = AddServer(3, {.name = "backup.test"});
  EXPECT_EQ(Send("hidden.test"), "554 5.4.6");
  EXPECT_EQ(self.connections(), 1);
  EXPECT_EQ(backup.connections(), 0);
}

TEST_F(SmtpTransportTest, AddressesThatAreNone) {
  Server& server = OneServer();
  Recipients({"a@example.test", "b@example.test>\r\nDATA"});
  EXPECT_THAT(SendAll(), ElementsAre(kTaken, "550 5.1.3"));
  Recipients({"a@example.test"});
  envelope_.set_sender("a b@example.com");
  EXPECT_EQ(Send(), "550 5.1.7");
  EXPECT_EQ(server.mails().size(), 1U);
  Recipients({"a@x"});
  envelope_.set_sender("");
  EXPECT_EQ(Send("\xff.test"), "550 5.1.2");
  EXPECT_EQ(last_[0].reply.text, "\uFFFD.test is no domain");
}

TEST_F(SmtpTransportTest, WhatTheServerCannotTake) {
  OneServer({.features = {"SIZE 100"}});
  envelope_.set_eight_bit(true);
  EXPECT_EQ(Send(), "550 5.6.3");
  envelope_.set_binary(true);
  EXPECT_EQ(Send(), "550 5.6.1");
  text_.resize(101);
  EXPECT_EQ(Send(), "552 5.3.4");
}

TEST_F(SmtpTransportTest, BinaryMime) {
  Server& server = OneServer({.features = {"PIPELINING", "8BITMIME", "CHUNKING", "BINARYMIME"}});
  envelope_.set_binary(true);
  text_ = std::string("Subject: x\r\n\r\n.\r\n.\0\n\r\r\n.\r\n", 27);
  EXPECT_EQ(Send(), kTaken);
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_TRUE(server.mails()[0].chunked);
  EXPECT_EQ(server.mails()[0].text, text_);
  EXPECT_THAT(server.mails()[0].mail, HasSubstr("BODY=BINARYMIME"));
  server.Script("BDAT 7", "452 4.3.1 Full", 1);
  EXPECT_EQ(Send(), "452 4.3.1 @mx.example.test");
  EXPECT_EQ(Send(), kTaken);
}

TEST_F(SmtpTransportTest, NoticesArePassedOn) {
  Server& server = OneServer({.features = {"DSN"}});
  envelope_.set_envelope_id("id");
  Recipients({"a@example.test", "b@example.test"});
  envelope_.mutable_recipients(0)->set_notify(store::v1::QueueRecipient::NOTIFY_SUCCESS);
  server.Script("RCPT TO:<b", "550 5.1.1 No");
  EXPECT_THAT(SendAll(),
              ElementsAre("250 2.0.0 @mx.example.test +notices", "550 5.1.1 @mx.example.test"));
  EXPECT_THAT(server.mails().at(0).rcpt, ElementsAre("RCPT TO:<a@example.test> NOTIFY=SUCCESS"));
}

TEST_F(SmtpTransportTest, ManyRecipients) {
  options_.max_recipients = 3;
  Server& server = OneServer();
  std::vector<std::string> addresses;
  for (int i = 0; i < 8; ++i) addresses.push_back("r" + std::to_string(i) + "@example.test");
  Recipients(addresses);
  EXPECT_THAT(SendAll(), ::testing::Each(std::string(kTaken)));
  ASSERT_EQ(server.mails().size(), 3U);
  EXPECT_EQ(server.mails()[2].rcpt.size(), 2U);
  EXPECT_EQ(server.connections(), 1);
}

// RFC 5321, 4.5.3.1.10, and RFC 9422.
TEST_F(SmtpTransportTest, TooManyRecipients) {
  Server& server = OneServer();
  server.Script("RCPT TO:<c", "452 4.5.3 Too many", 1);
  server.Script("RCPT TO:<d", "452 4.5.3 Too many", 1);
  Recipients({"a@example.test", "b@example.test", "c@example.test", "d@example.test"});
  EXPECT_THAT(SendAll(), ::testing::Each(std::string(kTaken)));
  ASSERT_EQ(server.mails().size(), 2U);
  EXPECT_EQ(server.mails()[1].rcpt.size(), 2U);
  server.Script("RCPT TO:<", "452 4.5.3 Too many");
  EXPECT_THAT(SendAll(), ::testing::Each(std::string("452 4.5.3 @mx.example.test")));

  dns_.AddMx("limits.test", 1, "limits.example.test");
  Server& limited =
      AddServer(3, {.name = "limits.example.test", .features = {"LIMITS RCPTMAX=1 MAILMAX=3"}});
  EXPECT_THAT(SendAll("limits.test"),
              ::testing::Each(std::string("250 2.0.0 @limits.example.test")));
  EXPECT_EQ(limited.mails().size(), 4U);
}

}  // namespace
}  // namespace rmail::gateway::relay
