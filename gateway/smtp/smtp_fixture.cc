#include "gateway/smtp/smtp_fixture.h"

#include <utility>

#include "gateway/common/sasl.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/common/test_tls.h"

namespace rmail::gateway::smtp {

std::string SmtpClient::Reply() {
  std::string reply;
  while (true) {
    const std::string line = ReadLine();
    reply += line;
    if (line.size() < 4 || line[3] != '-') return reply;
    reply += '\n';
  }
}

std::string SmtpClient::Say(std::string_view line) {
  SendLine(line);
  return Reply();
}

SmtpFixture::SmtpFixture() {
  options.hostname = "mail.example.com";
  options.host = "127.0.0.1";
  options.port = 0;
  options.submission_port = 0;
  options.smtps_port = 0;
  options.lmtp_port = 0;
  options.postmaster_domain = "example.com";
  options.auth_failure_delay = absl::ZeroDuration();
  options.refusal_delay = absl::ZeroDuration();
  for (const char* address : {"alice@example.com", "bob@example.com", "carol@example.com"}) {
    store.AddAccount(address, "secret");
  }
}

SmtpFixture::~SmtpFixture() { server.reset(); }

void SmtpFixture::Start() {
  watcher_ = store.NewWatcher([] { return std::string(); });
  access_ = std::make_unique<gateway::StoreAccess>(store, *watcher_, "0123456789abcdef0123456789");
  threads_ = std::make_unique<gateway::IoThreads>(2);
  auto started = SmtpServer::Start(*threads_, *access_, tls ? &rmail::testing::TestTls() : nullptr,
                                   options, std::move(filters));
  ASSERT_TRUE(started.ok()) << started.status();
  server = *std::move(started);
}

std::unique_ptr<SmtpClient> SmtpFixture::Receiving() {
  auto client = std::make_unique<SmtpClient>(server->port());
  EXPECT_EQ(client->Reply(), "220 mail.example.com ESMTP rmail");
  return client;
}

std::unique_ptr<SmtpClient> SmtpFixture::Submission() {
  auto client = std::make_unique<SmtpClient>(server->submission_port());
  EXPECT_EQ(client->Reply(), "220 mail.example.com ESMTP rmail");
  return client;
}

std::unique_ptr<SmtpClient> SmtpFixture::Smtps() {
  auto client = std::make_unique<SmtpClient>(server->smtps_port(), SmtpClient::Tls::kOn);
  EXPECT_EQ(client->Reply(), "220 mail.example.com ESMTP rmail");
  return client;
}

std::unique_ptr<SmtpClient> SmtpFixture::Lmtp() {
  auto client = std::make_unique<SmtpClient>(server->lmtp_port());
  EXPECT_EQ(client->Reply(), "220 mail.example.com LMTP rmail");
  return client;
}

std::unique_ptr<SmtpClient> SmtpFixture::ReceivingHello() {
  auto client = Receiving();
  EXPECT_TRUE(client->Say("EHLO client.example.net").starts_with("250-mail.example.com\n"));
  return client;
}

std::unique_ptr<SmtpClient> SmtpFixture::LoggedIn(const std::string& address) {
  auto client = Smtps();
  EXPECT_TRUE(client->Say("EHLO client.example.net").starts_with("250-mail.example.com\n"));
  EXPECT_EQ(client->Say(AuthPlainLine(address, "secret")), "235 2.7.0 Authentication successful");
  return client;
}

std::string AuthPlainLine(std::string_view user, std::string_view password,
                          std::string_view authorize_as) {
  std::string message(authorize_as);
  message += '\0';
  message += user;
  message += '\0';
  message += password;
  return "AUTH PLAIN " + gateway::EncodeBase64(message);
}

namespace {

// Where the two trace fields end: at the second line that does not start with a blank.
size_t TraceEnd(const std::string& stored) {
  size_t at = 0;
  for (int fields = 0; at < stored.size(); at = stored.find("\r\n", at) + 2) {
    if (stored[at] != '\t' && ++fields == 3) break;
  }
  return at;
}

}  // namespace

std::string Body(const std::string& stored) { return stored.substr(TraceEnd(stored)); }
std::string TraceOf(const std::string& stored) { return stored.substr(0, TraceEnd(stored)); }

}  // namespace rmail::gateway::smtp
