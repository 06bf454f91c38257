#include "store/service/progress_reactor.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "rmail/store/v1/admin.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/client/store_client.h"
#include "store/service/worker_pool.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

using Work = std::function<absl::Status(const ProgressFunction&, pb::RebuildMailboxResponse*)>;

// Rebuilding is whatever the test says.
class Servicer : public pb::AdminService::CallbackService {
 public:
  Servicer(WorkerPool& pool, Work work) : pool_(pool), work_(std::move(work)) {}
  grpc::ServerWriteReactor<pb::RebuildMailboxResponse>* RebuildMailbox(
      grpc::CallbackServerContext*, const pb::RebuildMailboxRequest*) override {
    return ProgressReactor<pb::RebuildMailboxResponse>::Start(pool_, work_);
  }

 private:
  WorkerPool& pool_;
  const Work work_;
};

class ProgressReactorTest : public ::testing::Test {
 protected:
  void Start(Work work) {
    servicer_ = std::make_unique<Servicer>(pool_, std::move(work));
    grpc::ServerBuilder builder;
    builder.RegisterService(servicer_.get());
    server_ = builder.BuildAndStart();
    client_ = client::StoreClient::Create({server_->InProcessChannel({})});
    reader_ = client_->Read(client::CallOptions(), pb::RebuildMailboxRequest());
  }
  void TearDown() override {
    reader_ = nullptr;
    client_ = nullptr;
    server_->Shutdown();
    server_->Wait();
  }

  absl::StatusOr<std::optional<pb::RebuildMailboxResponse>> Next() {
    std::promise<absl::StatusOr<std::optional<pb::RebuildMailboxResponse>>> done;
    reader_->Next([&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  // For work that goes on until the test says that it may end.
  void End() {
    MutexLock lock(&mutex_);
    may_end_ = true;
    changed_.SignalAll();
  }
  // False when it may.
  bool GoesOn() {
    MutexLock lock(&mutex_);
    if (!may_end_) changed_.WaitFor(&mutex_, absl::Milliseconds(1));
    return !may_end_;
  }

  Mutex mutex_;
  CondVar changed_;
  bool may_end_ ABSL_GUARDED_BY(mutex_) = false;
  std::promise<void> ended_;
  WorkerPool pool_{2};
  std::unique_ptr<Servicer> servicer_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<client::StoreClient> client_;
  std::unique_ptr<client::Reader<pb::RebuildMailboxResponse>> reader_;
};

TEST_F(ProgressReactorTest, TellsHowFarItIsAndThenTheResult) {
  Start([this](const ProgressFunction& progress, pb::RebuildMailboxResponse* last) {
    for (uint32_t done = 0; GoesOn(); ++done) EXPECT_TRUE(progress(done, 1'000'000));
    last->mutable_result()->set_messages(7);
    return absl::OkStatus();
  });
  uint32_t before = 0;
  for (int i = 0; i < 3; ++i) {
    const auto response = Next();
    ASSERT_TRUE(response.ok() && response->has_value()) << response.status();
    EXPECT_FALSE((*response)->has_result());
    EXPECT_EQ((*response)->progress().shards_total(), 1'000'000u);
    EXPECT_GT((*response)->progress().shards_done(), before);
    before = (*response)->progress().shards_done();
  }
  End();
  std::optional<pb::RebuildMailboxResponse> last;
  while (true) {
    const auto response = Next();
    ASSERT_TRUE(response.ok()) << response.status();
    if (!response->has_value()) break;
    last = **response;
  }
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->result().messages(), 7u);
  EXPECT_EQ(last->progress().shards_done(), 1'000'000u);
}

TEST_F(ProgressReactorTest, EndsWorkThatNobodyWaitsFor) {
  Start([&](const ProgressFunction& progress, pb::RebuildMailboxResponse*) {
    while (progress(0, 1)) GoesOn();
    ended_.set_value();
    return absl::CancelledError("as asked");
  });
  ASSERT_TRUE(Next().ok());
  reader_ = nullptr;
  ended_.get_future().wait();
}

TEST_F(ProgressReactorTest, DoesNotWaitForASlowReader) {
  Start([&](const ProgressFunction& progress, pb::RebuildMailboxResponse* last) {
    const absl::Time end = absl::Now() + absl::Seconds(1);
    while (absl::Now() < end) {
      EXPECT_TRUE(progress(0, 1));
      GoesOn();
    }
    last->mutable_result()->set_messages(7);
    ended_.set_value();
    return absl::OkStatus();
  });
  ended_.get_future().wait();
  pb::RebuildMailboxResponse last;
  while (true) {
    const auto response = Next();
    ASSERT_TRUE(response.ok()) << response.status();
    if (!response->has_value()) break;
    last = **response;
  }
  EXPECT_EQ(last.result().messages(), 7u);
}

TEST_F(ProgressReactorTest, TellsAnError) {
  Start([](const ProgressFunction&, pb::RebuildMailboxResponse*) {
    return Error(pb::ERROR_REASON_MAILBOX_NOT_FOUND, "no such mailbox");
  });
  EXPECT_EQ(ReasonOf(Next().status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
}

}  // namespace
}  // namespace rmail::service
