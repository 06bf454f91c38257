#include "tools/rmail/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/service/store_server.h"
#include "tools/rmail/queue_text.h"

namespace rmail::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";
constexpr char kText[] = "Subject: hello\r\n\r\ntext\r\n";

class QueueCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::string(std::getenv("TEST_TMPDIR")) + "/queue.XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    std::ofstream(folder_ + "/config.json") << "{\"mail_root\": \"mail\"}";
    service::StoreOptions options;
    options.mail_root = folder_ + "/mail";
    options.token_secret = kSecret;
    options.workers = 2;
    auto server = service::StoreServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = client::StoreClient::Create({server_->InProcessChannel()});
  }
  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  // Queues a message and returns its id.
  std::string Enqueue(const std::string& sender, const std::string& recipient) {
    Token token;
    token.scope = TokenScope::kDeliver;
    token.expires = absl::Now() + absl::Hours(1);
    client::CallOptions options;
    options.token = SignToken(kSecret, token);
    pb::DeliverMessageRequest parts[3];
    pb::QueueEnvelope& envelope = *parts[0].mutable_header()->mutable_queue();
    envelope.set_sender(sender);
    envelope.add_recipients()->set_address(recipient);
    parts[1].set_data(kText);
    parts[2].mutable_end()->set_size(std::string(kText).size());
    const auto writer = client_->Deliver(options);
    for (const pb::DeliverMessageRequest& part : parts) {
      std::promise<bool> written;
      writer->Write(part, [&](bool ok) { written.set_value(ok); });
      EXPECT_TRUE(written.get_future().get());
    }
    std::promise<absl::StatusOr<pb::DeliverMessageResponse>> done;
    writer->Finish([&](auto response) { done.set_value(std::move(response)); });
    const auto response = done.get_future().get();
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->queued().substr(std::string("queue/").size()) : "";
  }

  struct Result {
    int code;
    std::string out;
    std::string err;
  };
  // As `rmail queue ...`.
  Result Run(std::vector<std::string> arguments) {
    CLI::App app;
    QueueCommands commands(&app, [](CLI::App*) {});
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Result result;
    result.code = commands.Run(folder_ + "/config.json");
    std::fflush(stdout);
    result.out = ::testing::internal::GetCapturedStdout();
    result.err = ::testing::internal::GetCapturedStderr();
    return result;
  }

  std::string folder_;
  std::unique_ptr<service::StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
};

TEST_F(QueueCommandsTest, ListAndShow) {
  EXPECT_EQ(Run({"list"}).out, "nothing waits to be sent\n");
  EXPECT_EQ(Run({"list", "--json"}).out, "[\n]\n");
  const std::string first = Enqueue("alice@example.com", "bob@elsewhere.test");
  const std::string second = Enqueue("", "carol@third.test");
  const Result all = Run({"list"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr(first));
  EXPECT_THAT(all.out, HasSubstr("from alice@example.com\n    bob@elsewhere.test  tried 0 times"));
  EXPECT_THAT(all.out, HasSubstr("from <>\n"));
  EXPECT_THAT(all.out, HasSubstr("\n2 messages\n"));
  const Result notices = Run({"list", "--sender", "<>"});
  EXPECT_THAT(notices.out, HasSubstr(second));
  EXPECT_THAT(notices.out, Not(HasSubstr(first)));
  EXPECT_THAT(Run({"list", "--json", "--recipient", "third.test"}).out,
              HasSubstr("{\"id\":\"" + second + "\""));

  EXPECT_EQ(Run({"show", first, "--message"}).out, kText);
  EXPECT_THAT(Run({"show", "queue/" + first}).out, HasSubstr("bob@elsewhere.test"));
  EXPECT_THAT(Run({"show", first, "--json"}).out, HasSubstr("\"sender\":\"alice@example.com\""));
  const Result none = Run({"show", "00000000000000000000"});
  EXPECT_EQ(none.code, 1);
  EXPECT_EQ(none.err, "rmail queue: no such message is in the queue\n");
}

TEST_F(QueueCommandsTest, HoldRetryAndDelete) {
  const std::string first = Enqueue("alice@example.com", "bob@elsewhere.test");
  Enqueue("alice@example.com", "carol@third.test");
  EXPECT_EQ(Run({"hold", first}).out, "1 message: on hold until `rmail queue retry`\n");
  EXPECT_THAT(Run({"list", "--held"}).out, HasSubstr("on hold"));
  EXPECT_EQ(Run({"retry", "--held"}).out, "1 message: to be sent now\n");
  EXPECT_EQ(Run({"retry", "--all"}).out, "2 messages: to be sent now\n");
  for (const char* const command : {"hold", "retry", "delete"}) {
    EXPECT_THAT(Run({command}).err, HasSubstr("say which"));
    EXPECT_THAT(Run({command, "--all", first}).err, HasSubstr("--all"));
    EXPECT_THAT(Run({command, "00000000000000000000"}).err, HasSubstr("rmail queue list"));
  }
  EXPECT_EQ(Run({"delete", "--recipient", "third.test"}).out,
            "1 message: deleted; the senders are not told\n");
  EXPECT_EQ(Run({"delete", "--all"}).out, "1 message: deleted; the senders are not told\n");
  EXPECT_EQ(Run({"delete", "--all"}).out, "0 messages: deleted; the senders are not told\n");
}

TEST(QueueTextTest, WhatServersSayIsHarmless) {
  pb::QueuedMessage message;
  message.set_name("queue/0123456789abcdef0123");
  message.set_holder("relay\x1b[2J");
  message.set_leased_until(1);
  pb::QueueRecipient& recipient = *message.mutable_envelope()->add_recipients();
  recipient.set_address("bob@elsewhere.test");
  recipient.set_state(pb::QueueRecipient::STATE_FAILED);
  recipient.set_last_reply("550 \xc2\x9b[2J sp\xc3\xa4t");
  recipient.set_last_server("mx");
  EXPECT_EQ(ToText(message),
            "0123456789abcdef0123  1970-01-01 00:00:00Z  0 octets  from <>  being sent by "
            "relay?[2J\n    bob@elsewhere.test  failed: 550 ?[2J sp\xc3\xa4t (mx)\n");
}

}  // namespace
}  // namespace rmail::tools
