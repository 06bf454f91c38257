// What a stream tells a gateway that reads slowly.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "rmail/store/v1/watch.grpc.pb.h"
#include "store/base/token.h"
#include "store/engine/engine.h"
#include "store/engine/test_folder.h"
#include "store/service/authorizer.h"
#include "store/service/services.h"
#include "store/service/worker_pool.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";
constexpr char kAlice[] = "accounts/alice@example.com";
constexpr char kBob[] = "accounts/bob@example.com";

std::string Admin() {
  Token token;
  token.scope = TokenScope::kAdmin;
  token.expires = absl::Now() + absl::Hours(1);
  return SignToken(kSecret, token);
}

class WatchServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine::EngineOptions options;
    options.mail_root = folder_.path();
    auto engine = engine::Engine::Open(std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    for (const char* address : {"alice@example.com", "bob@example.com"}) {
      ASSERT_TRUE(engine_->CreateAccount(address, "secret", engine::UserSettings()).ok());
    }
    authorizer_ = std::make_unique<Authorizer>(*engine_, kSecret);
    service_ = NewWatchService({*engine_, *authorizer_, pool_, pool_}, streams_);
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = pb::WatchService::NewStub(server_->InProcessChannel({}));
    context_.AddMetadata("authorization", "Bearer " + Admin());
    // The test fails then.
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stream_ = stub_->Watch(&context_);
  }

  void TearDown() override {
    if (stream_ == nullptr) return;
    context_.TryCancel();
    stream_->Finish();
    EndAll(*streams_);
    server_->Shutdown();
    server_->Wait();
  }

  void Subscribe(const std::string& name) {
    pb::WatchRequest request;
    request.mutable_subscribe()->set_mailbox(name);
    request.mutable_subscribe()->set_token(Admin());
    ASSERT_TRUE(stream_->Write(request));
  }

  // The number of the next event of `name` that is at least `from`; nullopt: the stream has ended.
  std::optional<uint64_t> Next(const std::string& name, uint64_t from) {
    pb::WatchResponse event;
    while (stream_->Read(&event)) {
      const pb::Changed& changed = event.changed();
      if (changed.mailbox() == name && changed.highest_modseq() >= from) {
        return changed.highest_modseq();
      }
    }
    return std::nullopt;
  }

  engine::TestFolder folder_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Authorizer> authorizer_;
  WorkerPool pool_{2};
  const std::shared_ptr<WatchStreams> streams_ = NewWatchStreams();
  std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<pb::WatchService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::WatchRequest, pb::WatchResponse>> stream_;
};

TEST_F(WatchServiceTest, AnEarlierChangeToldLateHidesNoLaterOne) {
  Subscribe(kAlice);
  Subscribe(kBob);
  // Each subscription is there once its first event is.
  ASSERT_TRUE(Next(kAlice, 1));
  ASSERT_TRUE(Next(kBob, 1));
  // Within the process a write ends when it is read: what follows the first waits, and is merged.
  engine_->feed().Publish(kAlice, 1000);
  engine_->feed().Publish(kBob, 1002);
  engine_->feed().Publish(kBob, 1001);
  EXPECT_EQ(Next(kBob, 1000), 1002U);
}

}  // namespace
}  // namespace rmail::service
