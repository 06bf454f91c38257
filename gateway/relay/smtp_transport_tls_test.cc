// TLS, REQUIRETLS and AUTH towards servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "gateway/common/test_tls.h"
#include "gateway/common/tls_context.h"
#include "gateway/relay/testing/transport_fixture.h"

namespace rmail::gateway::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kTaken[] = "250 2.0.0 @mx.example.test";
const std::vector<std::string> kRequireTls = {"PIPELINING", "REQUIRETLS"};

// A certificate for a name, which is its own authority.
struct TestCertificate {
  explicit TestCertificate(const std::string& name) {
    std::string folder = ::testing::TempDir() + "/relay_tls.XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    file = folder + "/cert.pem";
    testing::WriteTestCertificate(name, file, folder + "/key.pem");
    auto loaded = TlsContext::Load(file, folder + "/key.pem");
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    context = *std::move(loaded);
  }
  std::string file;
  std::unique_ptr<TlsContext> context;
};

const TestCertificate& Good() {
  static const auto* const certificate = new TestCertificate("mx.example.test");
  return *certificate;
}

class SmtpTransportTlsTest : public TransportFixture {
 protected:
  SmtpTransportTlsTest() {
    options_.tls = TlsLevel::kMay;
    options_.ca_file = Good().file;
  }
};

TEST_F(SmtpTransportTlsTest, WhereItIsOffered) {
  Server& secure = OneServer({.tls = &testing::TestTls()});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(secure.mails().at(0).tls);  // Any certificate does.
  EXPECT_THAT(secure.commands(),
              ElementsAre("EHLO relay.example.com", "STARTTLS", "EHLO relay.example.com",
                          HasSubstr("MAIL"), HasSubstr("RCPT"), "DATA"));
  dns_.AddMx("plain.test", 1, "plain.example.test");
  Server& plain = AddServer(3, {.name = "plain.example.test"});
  EXPECT_EQ(Send("plain.test"), "250 2.0.0 @plain.example.test");
  EXPECT_FALSE(plain.mails().at(0).tls);
}

TEST_F(SmtpTransportTlsTest, NotWhenItIsOff) {
  options_.tls = TlsLevel::kNone;
  Server& server = OneServer({.tls = Good().context.get()});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_FALSE(server.mails().at(0).tls);
}

TEST_F(SmtpTransportTlsTest, GoesOnWithoutWhenItBreaks) {
  Server& server = OneServer({.tls = Good().context.get(), .broken_tls = true});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_FALSE(server.mails().at(0).tls);
  EXPECT_EQ(server.connections(), 2);
  dns_.AddMx("refuses.test", 1, "refuses.example.test");
  Server& refuses = AddServer(3, {.name = "refuses.example.test", .tls = Good().context.get()});
  refuses.Script("STARTTLS", "454 4.7.0 Not now");
  EXPECT_EQ(Send("refuses.test"), "250 2.0.0 @refuses.example.test");
  EXPECT_EQ(refuses.connections(), 1);
}

TEST_F(SmtpTransportTlsTest, NeverWithoutWhenItMustBe) {
  for (const TlsLevel level : {TlsLevel::kEncrypt, TlsLevel::kVerify}) {
    options_.tls = level;
    transport_.reset();
    const std::string suffix = level == TlsLevel::kEncrypt ? "e.test" : "v.test";
    const int number = level == TlsLevel::kEncrypt ? 10 : 20;
    Server& broken = AddServer(
        number, {.name = "broken." + suffix, .tls = Good().context.get(), .broken_tls = true});
    Server& plain = AddServer(number + 1, {.name = "plain." + suffix});
    Server& refuses =
        AddServer(number + 2, {.name = "refuses." + suffix, .tls = Good().context.get()});
    refuses.Script("STARTTLS", "454 4.7.0 Not now");
    for (const char* name : {"broken.", "plain.", "refuses."}) {
      Recipients({"a@example.test"});
      EXPECT_EQ(Send(name + suffix), "451 4.7.4") << name;
    }
    EXPECT_TRUE(broken.mails().empty() && plain.mails().empty() && refuses.mails().empty());
    EXPECT_EQ(broken.connections(), 1);
  }
}

TEST_F(SmtpTransportTlsTest, Verified) {
  options_.tls = TlsLevel::kVerify;
  Server& good = OneServer({.tls = Good().context.get()});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(good.mails().at(0).tls);
  // Another name; and one that nobody vouches for.
  dns_.AddMx("name.test", 1, "other.example.test");
  AddServer(3, {.name = "other.example.test", .tls = Good().context.get()});
  EXPECT_EQ(Send("name.test"), "451 4.7.5");
  dns_.AddMx("stranger.test", 1, "mail.example.com");
  AddServer(4, {.name = "mail.example.com", .tls = &testing::TestTls()});
  EXPECT_EQ(Send("stranger.test"), "451 4.7.5");
  EXPECT_THAT(last_[0].reply.text, HasSubstr("mail.example.com [127.0.0.4]"));
  EXPECT_TRUE(servers_[1]->mails().empty() && servers_[2]->mails().empty());
}

// The certificate does not matter, the encryption does.
TEST_F(SmtpTransportTlsTest, Encrypted) {
  options_.tls = TlsLevel::kEncrypt;
  Server& server = OneServer({.tls = &testing::TestTls()});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(server.mails().at(0).tls);
}

// RFC 3207, 6: what comes in the clear behind STARTTLS's answer is somebody else's.
TEST_F(SmtpTransportTlsTest, InjectedReplies) {
  options_.tls = TlsLevel::kEncrypt;
  Server& server = OneServer({.tls = Good().context.get()});
  server.Script("STARTTLS", "220 2.0.0 Go ahead\r\n250 injected");
  EXPECT_EQ(Send(), "451 4.7.4");
  EXPECT_TRUE(server.mails().empty());
}

TEST_F(SmtpTransportTlsTest, RequireTls) {
  envelope_.set_require_tls(true);
  options_.tls = TlsLevel::kNone;  // The message's wish goes before.
  Server& server = OneServer({.features = kRequireTls, .tls = Good().context.get()});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(server.mails().at(0).tls);
  EXPECT_THAT(server.mails()[0].mail, HasSubstr(" REQUIRETLS"));
  // A connection of other mail is not used for it, nor the other way round.
  envelope_.set_require_tls(false);
  EXPECT_EQ(Send(), kTaken);
  EXPECT_FALSE(server.mails().at(1).tls);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(SmtpTransportTlsTest, RequireTlsCannotBeMet) {
  envelope_.set_require_tls(true);
  // It does not pass it on; it has no TLS; its certificate is another's.
  dns_.AddMx("example.test", 5, "mx.example.test");
  AddServer(2, {.tls = Good().context.get()});
  EXPECT_EQ(Send(), "550 5.7.30");
  AddServer(3, {.name = "plain.test", .features = kRequireTls});
  EXPECT_EQ(Send("plain.test"), "550 5.7.30");
  AddServer(4, {.name = "wrong.test", .features = kRequireTls, .tls = Good().context.get()});
  EXPECT_EQ(Send("wrong.test"), "550 5.7.30");
  AddServer(5, {.name = "broken.test",
                .features = kRequireTls,
                .tls = Good().context.get(),
                .broken_tls = true});
  EXPECT_EQ(Send("broken.test"), "550 5.7.30");
  // It may be up later.
  dns_.AddAddress("dead.test", "127.0.0.99");
  EXPECT_EQ(Send("dead.test"), "451 4.4.1");
  for (const auto& server : servers_) EXPECT_TRUE(server->mails().empty());
}

// RFC 8689, 4.2.1: an MX record that nobody vouches for names no server to be trusted.
TEST_F(SmtpTransportTlsTest, RequireTlsNeedsAServerOfTheDomain) {
  envelope_.set_require_tls(true);
  Server& server = OneServer({.features = kRequireTls, .tls = Good().context.get()});
  dns_.AddMx("elsewhere.test", 1, "mx.example.test");
  EXPECT_EQ(Send("elsewhere.test"), "550 5.7.30");
  EXPECT_EQ(server.connections(), 0);
  // The next one may be.
  dns_.AddMx("example.test", 1, "mx.stranger.test");
  dns_.AddAddress("mx.stranger.test", "127.0.0.2");
  EXPECT_EQ(Send(), kTaken);
}

class SmarthostTest : public SmtpTransportTlsTest {
 protected:
  SmarthostTest() {
    options_.smarthost = "mx.example.test";
    options_.smarthost_user = "user";
    options_.smarthost_password = "secret";
  }
  Server& Smarthost(testing::FakeSmtpOptions options) {
    options.user = "user";
    options.password = "secret";
    Server& server = AddServer(2, std::move(options));
    options_.smarthost_port = port_;
    return server;
  }
};

TEST_F(SmarthostTest, AllMailGoesThere) {
  for (const char* mechanisms : {"AUTH LOGIN PLAIN", "AUTH LOGIN"}) {
    servers_.clear();
    transport_.reset();
    Server& server = Smarthost({.features = {mechanisms}, .tls = &testing::TestTls()});
    EXPECT_EQ(Send("one.test"), kTaken);
    EXPECT_EQ(Send("two.test"), kTaken);
    EXPECT_EQ(server.connections(), 1);
    ASSERT_EQ(server.mails().size(), 2U);
    EXPECT_EQ(server.mails()[0].user, "user");
    EXPECT_TRUE(server.mails()[0].tls);
  }
}

TEST_F(SmarthostTest, ByAddressAndWithoutLogin) {
  options_.smarthost = "127.0.0.2";
  options_.smarthost_user.clear();
  Server& server = Smarthost({});
  EXPECT_EQ(Send(), "250 2.0.0 @127.0.0.2");
  EXPECT_EQ(server.mails().at(0).user, "");
}

TEST_F(SmarthostTest, ImplicitTls) {
  options_.tls = TlsLevel::kVerify;
  options_.smarthost_implicit_tls = true;
  Server& server =
      Smarthost({.features = {"AUTH PLAIN"}, .tls = Good().context.get(), .implicit_tls = true});
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(server.mails().at(0).tls);
  EXPECT_EQ(server.mails()[0].user, "user");
}

// Mail waits for the administrator.
TEST_F(SmarthostTest, LoginsThatFail) {
  options_.smarthost_password = "wrong";
  Server& server = Smarthost({.features = {"AUTH PLAIN"}, .tls = Good().context.get()});
  EXPECT_EQ(Send(), "451 4.7.8");
  EXPECT_THAT(last_[0].reply.text, HasSubstr("535"));
  EXPECT_THAT(last_[0].reply.text, ::testing::Not(HasSubstr("wrong")));
  EXPECT_TRUE(server.mails().empty());
}

// A password does not go in the clear, however the handshake was broken.
TEST_F(SmarthostTest, NoLoginWhenTlsBreaks) {
  for (const char* mechanisms : {"AUTH PLAIN", "AUTH LOGIN"}) {
    servers_.clear();
    transport_.reset();
    Server& server =
        Smarthost({.features = {mechanisms}, .tls = &testing::TestTls(), .broken_tls = true});
    EXPECT_EQ(Send(), "451 4.7.4");
    EXPECT_THAT(server.commands(), ::testing::Each(::testing::Not(HasSubstr("AUTH"))));
    EXPECT_TRUE(server.mails().empty());
  }
}

// What the server says may repeat what it was told.
TEST_F(SmarthostTest, AnswersToLoginsAreNotPassedOn) {
  Server& server = Smarthost({.features = {"AUTH PLAIN"}, .tls = Good().context.get()});
  server.Script("AUTH", "535 5.7.8 Not good: AHVzZXIAc2VjcmV0");
  EXPECT_EQ(Send(), "451 4.7.8");
  EXPECT_THAT(last_[0].reply.text, HasSubstr("535 5.7.8"));
  EXPECT_THAT(last_[0].reply.text, ::testing::Not(HasSubstr("AHVz")));
}

TEST_F(SmarthostTest, NoMechanism) {
  Smarthost({.features = {"AUTH CRAM-MD5"}, .tls = Good().context.get()});
  EXPECT_EQ(Send(), "451 4.7.8");
}

}  // namespace
}  // namespace rmail::gateway::relay
