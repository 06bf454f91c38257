#include "store/client/store_client.h"

#include <grpcpp/channel.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "rmail/store/v1/admin.grpc.pb.h"
#include "rmail/store/v1/auth.grpc.pb.h"
#include "rmail/store/v1/directory.grpc.pb.h"
#include "rmail/store/v1/limit.grpc.pb.h"
#include "rmail/store/v1/mailbox.grpc.pb.h"
#include "rmail/store/v1/message.grpc.pb.h"
#include "rmail/store/v1/metadata.grpc.pb.h"
#include "rmail/store/v1/queue.grpc.pb.h"
#include "rmail/store/v1/quota.grpc.pb.h"
#include "store/client/calls.h"
#include "store/client/replicas.h"
#include "store/client/watcher.h"

namespace rmail::client {
namespace {

namespace pb = ::rmail::store::v1;

// The stubs of one replica.
struct Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : MailboxService(pb::MailboxService::NewStub(channel)),
        MessageService(pb::MessageService::NewStub(channel)),
        DirectoryService(pb::DirectoryService::NewStub(channel)),
        QuotaService(pb::QuotaService::NewStub(channel)),
        AuthService(pb::AuthService::NewStub(channel)),
        AdminService(pb::AdminService::NewStub(channel)),
        MetadataService(pb::MetadataService::NewStub(channel)),
        QueueService(pb::QueueService::NewStub(channel)),
        LimitService(pb::LimitService::NewStub(channel)) {}

  // Named like the services, for the macros below.
  std::unique_ptr<pb::MailboxService::Stub> MailboxService;
  std::unique_ptr<pb::MessageService::Stub> MessageService;
  std::unique_ptr<pb::DirectoryService::Stub> DirectoryService;
  std::unique_ptr<pb::QuotaService::Stub> QuotaService;
  std::unique_ptr<pb::AuthService::Stub> AuthService;
  std::unique_ptr<pb::AdminService::Stub> AdminService;
  std::unique_ptr<pb::MetadataService::Stub> MetadataService;
  std::unique_ptr<pb::QueueService::Stub> QueueService;
  std::unique_ptr<pb::LimitService::Stub> LimitService;
};

class GrpcStoreClient : public StoreClient {
 public:
  explicit GrpcStoreClient(std::vector<std::shared_ptr<grpc::Channel>> channels)
      : replicas_(std::move(channels)) {
    for (size_t i = 0; i < replicas_.size(); ++i) stubs_.emplace_back(replicas_.channel(i));
  }
  ~GrpcStoreClient() override { tracker_.WaitForNone(); }

  std::unique_ptr<Writer<pb::AppendMessageRequest, pb::AppendMessageResponse>> Append(
      const CallOptions& options) override {
    using Call = WriteCall<pb::AppendMessageRequest, pb::AppendMessageResponse>;
    return std::make_unique<WriteHandle<pb::AppendMessageRequest, pb::AppendMessageResponse>>(
        Call::Begin(tracker_, options, [&](auto* context, auto* response, auto* reactor) {
          For(options).MessageService->async()->AppendMessage(context, response, reactor);
        }));
  }

  std::unique_ptr<Writer<pb::DeliverMessageRequest, pb::DeliverMessageResponse>> Deliver(
      const CallOptions& options) override {
    using Call = WriteCall<pb::DeliverMessageRequest, pb::DeliverMessageResponse>;
    return std::make_unique<WriteHandle<pb::DeliverMessageRequest, pb::DeliverMessageResponse>>(
        Call::Begin(tracker_, options, [&](auto* context, auto* response, auto* reactor) {
          For(options).MessageService->async()->DeliverMessage(context, response, reactor);
        }));
  }

  std::unique_ptr<Watcher> NewWatcher(absl::AnyInvocable<std::string()> gateway_token) override {
    return MakeWatcher(replicas_, std::move(gateway_token));
  }

 protected:
#define RMAIL_IMPLEMENT_START(Service, Name)                                             \
  void Start(const CallOptions& options, const pb::Name##Request& request,               \
             Callback<pb::Name##Response> done) override {                               \
    StartUnary(tracker_, options, request, std::move(done),                              \
               [&](auto* context, auto* call_request, auto* response, auto completion) { \
                 For(options).Service->async()->Name(context, call_request, response,    \
                                                     std::move(completion));             \
               });                                                                       \
  }
  RMAIL_STORE_UNARY_METHODS(RMAIL_IMPLEMENT_START)
#undef RMAIL_IMPLEMENT_START

#define RMAIL_IMPLEMENT_READ(Service, Name)                                                        \
  std::unique_ptr<Reader<pb::Name##Response>> StartRead(                                           \
      const CallOptions& options, const pb::Name##Request& request) override {                     \
    return std::make_unique<ReadHandle<pb::Name##Response>>(                                       \
        ReadCall<pb::Name##Response>::Begin(tracker_, options, [&](auto* context, auto* reactor) { \
          For(options).Service->async()->Name(context, &request, reactor);                         \
        }));                                                                                       \
  }
  RMAIL_STORE_READ_METHODS(RMAIL_IMPLEMENT_READ)
#undef RMAIL_IMPLEMENT_READ

 private:
  Stubs& For(const CallOptions& options) { return stubs_[replicas_.Pick(options.account)]; }

  CallTracker tracker_;
  Replicas replicas_;
  std::vector<Stubs> stubs_;
};

}  // namespace

std::unique_ptr<StoreClient> StoreClient::Create(
    std::vector<std::shared_ptr<grpc::Channel>> channels) {
  return std::make_unique<GrpcStoreClient>(std::move(channels));
}

}  // namespace rmail::client
