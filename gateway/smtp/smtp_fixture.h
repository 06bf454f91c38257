// An SMTP gateway on free ports over a FakeStore, and clients that speak to it in test scripts.
#ifndef RMAIL_GATEWAY_SMTP_SMTP_FIXTURE_H_
#define RMAIL_GATEWAY_SMTP_SMTP_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/fake_store.h"
#include "gateway/smtp/message_filter.h"
#include "gateway/smtp/options.h"
#include "gateway/smtp/smtp_server.h"
#include "tests/support/line_client.h"

namespace rmail::gateway::smtp {

// A LineClient that reads whole replies.
class SmtpClient : public testing::LineClient {
 public:
  using LineClient::LineClient;

  // The lines of a reply, joined by '\n', without CRLF.
  std::string Reply();
  // Sends a line and returns the reply.
  std::string Say(std::string_view line);
};

// alice, bob and carol @example.com, password "secret" each.
class SmtpFixture : public ::testing::Test {
 protected:
  SmtpFixture();
  ~SmtpFixture() override;

  // Change before Start.
  SmtpOptions options;
  bool tls = true;
  std::vector<std::unique_ptr<MessageFilter>> filters;

  void Start();
  // A client of port 25, 587 or 465, or of LMTP, greeted.
  std::unique_ptr<SmtpClient> Receiving();
  std::unique_ptr<SmtpClient> Submission();
  std::unique_ptr<SmtpClient> Smtps();
  std::unique_ptr<SmtpClient> Lmtp();
  // The same, after EHLO.
  std::unique_ptr<SmtpClient> ReceivingHello();
  // On 465, after EHLO and AUTH as this user.
  std::unique_ptr<SmtpClient> LoggedIn(const std::string& address);

  FakeStore store;
  std::unique_ptr<SmtpServer> server;

 private:
  std::unique_ptr<client::Watcher> watcher_;
  std::unique_ptr<gateway::StoreAccess> access_;
  std::unique_ptr<gateway::IoThreads> threads_;
};

// "AUTH PLAIN ..." for a user.
std::string AuthPlainLine(std::string_view user, std::string_view password,
                          std::string_view authorize_as = "");

// The message after the two trace fields.
std::string Body(const std::string& stored);
// The trace fields.
std::string TraceOf(const std::string& stored);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SMTP_FIXTURE_H_
