// The queue through the store's client: messages come in by DeliverMessage, and relays wait for
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "store/base/error.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/test_folder.h"
#include "store/service/store_server.h"

namespace rmail::service {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";
constexpr char kAlice[] = "accounts/alice@example.com";
constexpr char kText[] = "Subject: hello\r\n\r\ntext\r\n";
// Long after a call should have ended, and long before one that waits would end by itself.
constexpr absl::Duration kSoon = absl::Seconds(20);

template <typename Response>
using Pending = std::future<absl::StatusOr<Response>>;

class QueueServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = NewServer();
    client_ = client::StoreClient::Create({server_->InProcessChannel()});
    pb::CreateAccountRequest create;
    create.mutable_account()->set_name(kAlice);
    create.set_password("secret");
    ASSERT_TRUE(Call(create, TokenScope::kAdmin).ok());
  }
  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
  }

  std::unique_ptr<StoreServer> NewServer() {
    StoreOptions options;
    options.mail_root = folder_.path();
    options.domains = {"example.com"};
    options.token_secret = kSecret;
    options.workers = 4;
    auto server = StoreServer::Start(options);
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }

  static client::CallOptions As(TokenScope scope) {
    Token token;
    token.scope = scope;
    token.expires = absl::Now() + absl::Hours(1);
    client::CallOptions options;
    options.token = SignToken(kSecret, token);
    options.timeout = absl::Minutes(2);
    return options;
  }

  template <typename Request>
  static Pending<client::ResponseTo<Request>> Start(client::StoreClient& client,
                                                    const client::CallOptions& options,
                                                    const Request& request) {
    auto done = std::make_shared<std::promise<absl::StatusOr<client::ResponseTo<Request>>>>();
    client.Call(options, request, [done](auto response) { done->set_value(std::move(response)); });
    return done->get_future();
  }
  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request,
                                                   TokenScope scope = TokenScope::kQueue) {
    return Start(*client_, As(scope), request).get();
  }
  template <typename Request>
  std::vector<client::ResponseTo<Request>> ReadAll(const Request& request,
                                                   const client::CallOptions& options) {
    const auto reader = client_->Read(options, request);
    std::vector<client::ResponseTo<Request>> responses;
    while (true) {
      std::promise<absl::StatusOr<std::optional<client::ResponseTo<Request>>>> done;
      reader->Next([&](auto response) { done.set_value(std::move(response)); });
      auto next = done.get_future().get();
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || !next->has_value()) return responses;
      responses.push_back(**std::move(next));
    }
  }

  static pb::DeliverHeader Queued(const std::string& recipient = "bob@elsewhere.test") {
    pb::DeliverHeader header;
    header.mutable_queue()->set_sender("alice@example.com");
    header.mutable_queue()->add_recipients()->set_address(recipient);
    return header;
  }
  absl::StatusOr<pb::DeliverMessageResponse> Deliver(const pb::DeliverHeader& header,
                                                     const std::string& text = kText) {
    const auto writer = client_->Deliver(As(TokenScope::kDeliver));
    pb::DeliverMessageRequest parts[3];
    *parts[0].mutable_header() = header;
    parts[1].set_data(text);
    parts[2].mutable_end()->set_size(text.size());
    for (const pb::DeliverMessageRequest& part : parts) {
      std::promise<bool> written;
      writer->Write(part, [&](bool ok) { written.set_value(ok); });
      if (!written.get_future().get()) break;
    }
    std::promise<absl::StatusOr<pb::DeliverMessageResponse>> done;
    writer->Finish([&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  static pb::LeaseMessagesRequest Lease(uint32_t wait_seconds = 0) {
    pb::LeaseMessagesRequest request;
    request.set_holder("relay/1");
    request.set_max_messages(10);
    request.set_lease_seconds(60);
    request.set_wait_seconds(wait_seconds);
    return request;
  }
  // Whether it ends soon.
  template <typename Response>
  static bool Ends(Pending<Response>& pending) {
    return pending.wait_for(absl::ToChronoMilliseconds(kSoon)) == std::future_status::ready;
  }
  std::string BytesOf(const std::string& name) {
    pb::ReadQueuedMessageRequest request;
    request.set_name(name);
    std::string bytes;
    for (const auto& part : ReadAll(request, As(TokenScope::kQueue))) bytes += part.data();
    return bytes;
  }
  std::vector<pb::QueuedMessage> List() {
    std::vector<pb::QueuedMessage> messages;
    for (const auto& part : ReadAll(pb::ListQueueRequest(), As(TokenScope::kAdmin))) {
      messages.insert(messages.end(), part.messages().begin(), part.messages().end());
    }
    return messages;
  }

  // The messages of Alice's INBOX, as they are.
  std::vector<std::string> Inbox() {
    client::CallOptions options = As(TokenScope::kAdmin);
    pb::GetMailboxRequest get;
    get.mutable_path()->set_parent(kAlice);
    get.mutable_path()->set_path("INBOX");
    const auto mailbox = Start(*client_, options, get).get();
    EXPECT_TRUE(mailbox.ok()) << mailbox.status();
    pb::FetchMessagesRequest fetch;
    fetch.set_mailbox(mailbox->mailbox().name());
    fetch.add_uids()->set_first(1);
    fetch.mutable_uids(0)->set_last(UINT32_MAX);
    fetch.add_sections();
    std::vector<std::string> texts;
    for (const auto& part : ReadAll(fetch, options)) {
      for (const pb::SectionData& section : part.sections()) texts.push_back(section.data());
    }
    return texts;
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
};

TEST_F(QueueServiceTest, AMessageIsQueuedLeasedReadAndReported) {
  const std::string text(600'000, 'x');
  const auto delivered = Deliver(Queued(), text);
  ASSERT_TRUE(delivered.ok()) << delivered.status();
  EXPECT_THAT(delivered->results(), IsEmpty());
  const auto leased = Call(Lease());
  ASSERT_TRUE(leased.ok()) << leased.status();
  ASSERT_THAT(leased->messages(), SizeIs(1));
  ASSERT_THAT(leased->leases(), SizeIs(1));
  const std::string name = leased->messages(0).name();
  EXPECT_EQ(name, delivered->queued());
  EXPECT_EQ(leased->messages(0).size(), text.size());
  EXPECT_EQ(BytesOf(name), text);

  pb::RenewLeaseRequest renew;
  renew.set_name(name);
  renew.set_lease(leased->leases(0));
  renew.set_lease_seconds(10);
  EXPECT_TRUE(Call(renew).ok());
  renew.set_lease_seconds(5);
  EXPECT_EQ(ReasonOf(Call(renew).status()), pb::ERROR_REASON_INVALID_REQUEST);

  pb::ReportDeliveryRequest report;
  report.set_name(name);
  report.set_lease(leased->leases(0));
  report.add_recipients()->set_state(pb::QueueRecipient::STATE_DELIVERED);
  const auto reported = Call(report);
  ASSERT_TRUE(reported.ok()) << reported.status();
  EXPECT_TRUE(reported->finished());
  EXPECT_EQ(ReasonOf(Call(report).status()), pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(QueueServiceTest, QueueAndMailboxesGetTheSameMessage) {
  pb::DeliverHeader header = Queued();
  header.add_recipients(kAlice);
  // One file for both.
  auto delivered = Deliver(header);
  ASSERT_TRUE(delivered.ok()) << delivered.status();
  EXPECT_EQ(delivered->results(0).uid(), 1u);
  // Fields that only the mailbox sees.
  header.set_mailbox_fields("Return-Path: <alice@example.com>\r\n");
  header.set_size(std::string(kText).size());
  delivered = Deliver(header);
  ASSERT_TRUE(delivered.ok()) << delivered.status();
  EXPECT_EQ(delivered->results(0).uid(), 2u);
  EXPECT_EQ(BytesOf(delivered->queued()), kText);
  // The same without the queue.
  header.clear_queue();
  ASSERT_TRUE(Deliver(header).ok());
  const std::string with_fields = header.mailbox_fields() + kText;
  EXPECT_THAT(Inbox(), ::testing::ElementsAre(kText, with_fields, with_fields));
  const auto messages = List();
  ASSERT_THAT(messages, SizeIs(2));
  for (const pb::QueuedMessage& message : messages) {
    EXPECT_EQ(message.size(), std::string(kText).size());
  }
}

TEST_F(QueueServiceTest, AMailboxThatCantBeReachedStopsNoQueueing) {
  for (const char* const fields : {"", "Return-Path: <>\r\n"}) {
    pb::DeliverHeader header = Queued();
    header.add_recipients("accounts/nobody@example.com");
    header.set_mailbox_fields(fields);
    const auto delivered = Deliver(header);
    ASSERT_TRUE(delivered.ok()) << delivered.status();
    EXPECT_EQ(BytesOf(delivered->queued()), kText);
    ASSERT_THAT(delivered->results(), SizeIs(1));
    EXPECT_EQ(delivered->results(0).reason(), "ACCOUNT_NOT_FOUND");
  }
}

TEST_F(QueueServiceTest, NothingIsStoredWhenItCantBeQueued) {
  pb::DeliverHeader header = Queued();
  header.add_recipients(kAlice);
  header.set_max_queued_messages(1);
  ASSERT_TRUE(Deliver(header).ok());
  EXPECT_EQ(ReasonOf(Deliver(header).status()), pb::ERROR_REASON_QUEUE_FULL);
  EXPECT_THAT(Inbox(), SizeIs(1));
  EXPECT_THAT(List(), SizeIs(1));
  const std::string uploads = folder_.Path("queue/tmp");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(uploads), {}), 0);
}

TEST_F(QueueServiceTest, FaultsInADelivery) {
  pb::DeliverHeader header;
  EXPECT_EQ(ReasonOf(Deliver(header).status()), pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonOf(Deliver(Queued("no address")).status()), pb::ERROR_REASON_INVALID_REQUEST);
  for (const std::string& fields :
       {std::string("X: y"), std::string("\r\n"), std::string(" X: y\r\n"),
        std::string("X: y\r\n\r\n"), std::string("X: \0\r\n", 6), std::string("X: y\n"),
        std::string(16 << 10, 'x') + "\r\n"}) {
    header = Queued();
    header.set_mailbox_fields(fields);
    EXPECT_EQ(ReasonOf(Deliver(header).status()), pb::ERROR_REASON_INVALID_REQUEST) << fields;
  }
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(QueueServiceTest, FaultsInALease) {
  std::vector<pb::LeaseMessagesRequest> requests(9, Lease());
  requests[0].clear_holder();
  requests[1].set_holder("a\nb");
  requests[2].set_holder(std::string(256, 'x'));
  requests[3].set_max_messages(0);
  requests[4].set_max_messages(1001);
  requests[5].set_lease_seconds(9);
  requests[6].set_lease_seconds(3601);
  requests[7].set_wait_seconds(61);
  for (int i = 0; i < 10'001; ++i) requests[8].add_except_domains("x.test");
  for (const pb::LeaseMessagesRequest& request : requests) {
    EXPECT_EQ(ReasonOf(Call(request).status()), pb::ERROR_REASON_INVALID_REQUEST);
  }
  EXPECT_EQ(ReasonOf(Call(Lease(), TokenScope::kDeliver).status()), pb::ERROR_REASON_NOT_PERMITTED);
}

TEST_F(QueueServiceTest, AWaitingCallIsWoken) {
  const absl::Time begin = absl::Now();
  auto waiting = Start(*client_, As(TokenScope::kQueue), Lease(60));
  ASSERT_TRUE(Deliver(Queued()).ok());
  ASSERT_TRUE(Ends(waiting));
  const auto leased = waiting.get();
  ASSERT_TRUE(leased.ok()) << leased.status();
  EXPECT_THAT(leased->messages(), SizeIs(1));
  EXPECT_LT(absl::Now() - begin, kSoon);
}

TEST_F(QueueServiceTest, OneOfThoseWhoWaitGetsIt) {
  std::vector<Pending<pb::LeaseMessagesResponse>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(Start(*client_, As(TokenScope::kQueue), Lease(3)));
  }
  ASSERT_TRUE(Deliver(Queued()).ok());
  int messages = 0;
  for (auto& pending : waiting) {
    ASSERT_TRUE(Ends(pending));
    const auto leased = pending.get();
    ASSERT_TRUE(leased.ok()) << leased.status();
    messages += leased->messages_size();
  }
  EXPECT_EQ(messages, 1);
}

TEST_F(QueueServiceTest, AWaitingCallLeavesWhatItDoesNotWant) {
  pb::LeaseMessagesRequest except = Lease(60);
  except.add_except_domains("elsewhere.test");
  auto waiting = Start(*client_, As(TokenScope::kQueue), except);
  ASSERT_TRUE(Deliver(Queued()).ok());
  const auto leased = Call(Lease(60));
  ASSERT_TRUE(leased.ok());
  EXPECT_THAT(leased->messages(), SizeIs(1));
  ASSERT_TRUE(Deliver(Queued("carol@third.test")).ok());
  ASSERT_TRUE(Ends(waiting));
  const auto other = waiting.get();
  ASSERT_TRUE(other.ok());
  ASSERT_THAT(other->messages(), SizeIs(1));
  EXPECT_EQ(other->messages(0).envelope().recipients(0).address(), "carol@third.test");
}

TEST_F(QueueServiceTest, AWaitingCallHearsOfAnotherStore) {
  const auto other_server = NewServer();
  auto other = client::StoreClient::Create({other_server->InProcessChannel()});
  auto waiting = Start(*other, As(TokenScope::kQueue), Lease(60));
  ASSERT_TRUE(Deliver(Queued()).ok());
  ASSERT_TRUE(Ends(waiting));
  const auto leased = waiting.get();
  ASSERT_TRUE(leased.ok()) << leased.status();
  EXPECT_THAT(leased->messages(), SizeIs(1));
}

TEST_F(QueueServiceTest, WhatBecomesDueWakesACall) {
  ASSERT_TRUE(Deliver(Queued()).ok());
  const auto leased = Call(Lease());
  ASSERT_TRUE(leased.ok() && leased->messages_size() == 1);
  pb::ReportDeliveryRequest report;
  report.set_name(leased->messages(0).name());
  report.set_lease(leased->leases(0));
  report.set_release(true);
  report.add_recipients()->set_state(pb::QueueRecipient::STATE_WAITING);
  report.mutable_recipients(0)->set_next_attempt(
      absl::ToUnixMicros(absl::Now() + absl::Milliseconds(300)));
  ASSERT_TRUE(Call(report).ok());
  auto waiting = Start(*client_, As(TokenScope::kQueue), Lease(60));
  ASSERT_TRUE(Ends(waiting));
  EXPECT_THAT(waiting.get()->messages(), SizeIs(1));
}

TEST_F(QueueServiceTest, ACallThatGaveUpTakesNothing) {
  client::CallOptions options = As(TokenScope::kQueue);
  options.timeout = absl::Milliseconds(300);
  for (int i = 0; i < 3; ++i) {
    const auto waited = Start(*client_, options, Lease(60)).get();
    EXPECT_EQ(waited.status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  ASSERT_TRUE(Deliver(Queued()).ok());
  const auto leased = Call(Lease(60));
  ASSERT_TRUE(leased.ok());
  EXPECT_THAT(leased->messages(), SizeIs(1));
}

TEST_F(QueueServiceTest, NothingIsDueAtTheEndOfTheWait) {
  const absl::Time begin = absl::Now();
  const auto leased = Call(Lease(1));
  ASSERT_TRUE(leased.ok()) << leased.status();
  EXPECT_THAT(leased->messages(), IsEmpty());
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(990));
}

TEST_F(QueueServiceTest, AStoreThatStopsEndsTheWait) {
  auto waiting = Start(*client_, As(TokenScope::kQueue), Lease(60));
  // It has begun to wait, or it will see that the store stops.
  const absl::Time begin = absl::Now();
  server_->Drain(kSoon);
  EXPECT_LT(absl::Now() - begin, kSoon);
  ASSERT_TRUE(Ends(waiting));
  EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(QueueServiceTest, AdministratorsSeeAndChangeTheQueue) {
  for (const char* const recipient : {"bob@elsewhere.test", "carol@third.test"}) {
    ASSERT_TRUE(Deliver(Queued(recipient)).ok());
  }
  const auto messages = List();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_LE(messages[0].queued_at(), messages[1].queued_at());
  pb::GetQueuedMessageRequest get;
  get.set_name(messages[0].name());
  const auto got = Call(get, TokenScope::kAdmin);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->message().envelope().recipients(0).address(), "bob@elsewhere.test");

  pb::HoldMessagesRequest hold;
  hold.mutable_filter()->set_recipient("third.test");
  EXPECT_EQ(Call(hold, TokenScope::kAdmin)->messages(), 1u);
  EXPECT_THAT(Call(Lease())->messages(), SizeIs(1));
  pb::RetryMessagesRequest retry;
  retry.mutable_filter()->set_held(true);
  EXPECT_EQ(Call(retry, TokenScope::kAdmin)->messages(), 1u);
  EXPECT_THAT(Call(Lease())->messages(), SizeIs(1));

  pb::DeleteMessagesRequest remove;
  EXPECT_EQ(ReasonOf(Call(remove, TokenScope::kAdmin).status()), pb::ERROR_REASON_INVALID_REQUEST);
  for (const pb::QueuedMessage& message : messages) {
    remove.mutable_filter()->add_names(message.name());
  }
  EXPECT_EQ(Call(remove, TokenScope::kAdmin)->messages(), 2u);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(QueueServiceTest, AMessageThatWasCutIsNotSent) {
  const auto delivered = Deliver(Queued());
  ASSERT_TRUE(delivered.ok()) << delivered.status();
  const std::string& name = delivered->queued();
  const std::string id = name.substr(name.find('/') + 1);
  const std::string path = folder_.Path("queue/" + id.substr(0, 2) + "/" + id + ".eml");
  for (const size_t size : {sizeof(kText) - 2, sizeof(kText), size_t{0}}) {
    std::filesystem::resize_file(path, size);
    pb::ReadQueuedMessageRequest request;
    request.set_name(name);
    const auto reader = client_->Read(As(TokenScope::kQueue), request);
    std::promise<absl::Status> done;
    reader->Next([&](auto response) { done.set_value(response.status()); });
    EXPECT_TRUE(absl::IsDataLoss(done.get_future().get())) << size;
  }
}

}  // namespace
}  // namespace rmail::service
