// LimitService through the store's client. (What is counted: limit_counters_test.)
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/test_folder.h"
#include "store/service/store_server.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";

class LimitServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.mail_root = folder_.path();
    options.domains = {"example.com"};
    options.token_secret = kSecret;
    options.workers = 4;
    auto server = StoreServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = client::StoreClient::Create({server_->InProcessChannel()});
  }
  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
  }

  absl::StatusOr<pb::CountEventsResponse> Count(const pb::CountEventsRequest& request,
                                                TokenScope scope = TokenScope::kGateway) {
    Token token;
    token.scope = scope;
    token.expires = absl::Now() + absl::Hours(1);
    client::CallOptions options;
    options.token = SignToken(kSecret, token);
    std::promise<absl::StatusOr<pb::CountEventsResponse>> done;
    client_->Call(options, request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  // A request that is all right.
  static pb::CountEventsRequest Request() {
    pb::CountEventsRequest request;
    pb::LimitedEvent& event = *request.add_events();
    event.set_key("smtp-message/address/192.0.2.1");
    event.set_count(1);
    event.set_limit(2);
    event.set_window_seconds(3600);
    return request;
  }

  void ExpectInvalid(const pb::CountEventsRequest& request) {
    EXPECT_EQ(ReasonOf(Count(request).status()), pb::ERROR_REASON_INVALID_REQUEST)
        << request.ShortDebugString().substr(0, 200);
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
};

TEST_F(LimitServiceTest, AllCallersCountTogether) {
  for (const TokenScope scope : {TokenScope::kGateway, TokenScope::kDeliver}) {
    const auto counted = Count(Request(), scope);
    ASSERT_TRUE(counted.ok()) << counted.status();
    EXPECT_TRUE(counted->allowed());
    EXPECT_EQ(counted->retry_after_seconds(), 0u);
  }
  const auto refused = Count(Request(), TokenScope::kQueue);
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_FALSE(refused->allowed());
  EXPECT_GT(refused->retry_after_seconds(), 3500u);
  EXPECT_LE(refused->retry_after_seconds(), 3825u);
}

TEST_F(LimitServiceTest, WhatIsOutOfBoundsIsRefused) {
  ExpectInvalid(pb::CountEventsRequest());
  pb::CountEventsRequest request = Request();
  *request.add_events() = request.events(0);
  ExpectInvalid(request);
  for (int i = 1; i < 33; ++i) {
    if (i == 32) EXPECT_TRUE(Count(request).ok());
    if (i > 1) *request.add_events() = request.events(0);
    request.mutable_events(i)->set_key(std::to_string(i));
  }
  ExpectInvalid(request);
  const auto change = [&](auto change) {
    pb::CountEventsRequest bad = Request();
    change(*bad.mutable_events(0));
    ExpectInvalid(bad);
  };
  change([](auto& event) { event.clear_key(); });
  change([](auto& event) { event.set_key(std::string(513, 'x')); });
  change([](auto& event) { event.set_count(1'000'001); });
  change([](auto& event) { event.set_window_seconds(0); });
  change([](auto& event) { event.set_window_seconds(86'401); });
  change([](auto& event) { event.set_lockout_seconds(604'801); });
  change([](auto& event) { event.set_max_lockout_seconds(604'801); });
  change([](auto& event) { event.set_fingerprint(std::string(1025, 'x')); });
}

}  // namespace
}  // namespace rmail::service
