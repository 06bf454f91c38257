#include "gateway/imap/imap_fixture.h"

#include <grpcpp/create_channel.h>

#include <utility>

#include "gateway/common/test_tls.h"

namespace rmail::gateway::imap {

namespace {

// gRPC 1.51 shuts the queue that runs callbacks down when its last channel goes, and aborts when
// that happens on one of the queue's own threads: when a test ends while a call is being cleaned
// up. One channel that stays prevents it.
void KeepCallbackQueue() {
  static const auto* const kept = [] {
    auto* client =
        client::StoreClient::Create(
            {grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials())})
            .release();
    client::CallOptions options;
    options.timeout = absl::Milliseconds(1);
    client->Call(options, store::v1::GetMailboxRequest(), [](const auto&) {});
    return client;
  }();
  ASSERT_NE(kept, nullptr);
}

}  // namespace

ImapFixture::ImapFixture() {
  KeepCallbackQueue();
  store_.AddAccount("alice@example.com", "secret");
  StartServer(FastOptions());
}

ImapFixture::~ImapFixture() = default;

ImapOptions ImapFixture::FastOptions() {
  ImapOptions options;
  options.hostname = "mail.example.com";
  options.host = "127.0.0.1";
  options.port = 0;
  options.imaps_port = 0;
  options.login_delay = absl::Milliseconds(1);
  return options;
}

void ImapFixture::StartServer(ImapOptions options, bool tls) {
  server_ = nullptr;
  auto server =
      ImapServer::Start(threads_, access_, tls ? &testing::TestTls() : nullptr, std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
}

void ImapFixture::Run(std::string_view script) { Transcript(server_->port()).Run(script); }

void ImapFixture::RunLoggedIn(std::string_view script) {
  Transcript transcript(server_->port());
  LogIn(transcript, 1);
  transcript.Run(script);
}

void ImapFixture::RunSelected(std::string_view script, std::string_view mailbox) {
  Transcript transcript(server_->port());
  LogIn(transcript, 1);
  Select(transcript, 1, mailbox);
  transcript.Run(script);
}

void ImapFixture::LogIn(Transcript& transcript, int connection) {
  testing::LineClient& client = transcript.client(connection);
  EXPECT_TRUE(MatchesPattern("* OK [CAPABILITY ...] mail.example.com ready", client.ReadLine()));
  client.SendLine("login LOGIN alice@example.com secret");
  EXPECT_TRUE(MatchesPattern("login OK ...", client.ReadLine()));
}

void ImapFixture::Select(Transcript& transcript, int connection, std::string_view mailbox) {
  testing::LineClient& client = transcript.client(connection);
  client.SendLine("select SELECT " + std::string(mailbox));
  EXPECT_NE(client.ReadUntil("select ").find("select OK [READ-WRITE]"), std::string::npos);
}

void ImapFixture::Append(std::string_view message, std::string_view flags,
                         std::string_view mailbox) {
  Transcript transcript(server_->port());
  LogIn(transcript, 1);
  testing::LineClient& client = transcript.client();
  client.Send("append APPEND " + std::string(mailbox) + " " + std::string(flags) + " {" +
              std::to_string(message.size()) + "+}\r\n" + std::string(message) + "\r\n");
  const std::string answer = client.ReadLine();
  EXPECT_TRUE(MatchesPattern("append OK [APPENDUID ...] APPEND completed", answer)) << answer;
}

}  // namespace rmail::gateway::imap
