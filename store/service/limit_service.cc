#include <chrono>
#include <memory>
#include <set>
#include <string_view>

#include "rmail/store/v1/limit.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/service/limit_counters.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// See limit.proto.
constexpr int kMaxEvents = 32;
constexpr size_t kMaxKey = 512;
constexpr size_t kMaxFingerprint = 1024;
constexpr uint32_t kMaxCount = 1'000'000;
constexpr uint32_t kMaxWindow = 86'400;
constexpr uint32_t kMaxLockout = 604'800;

absl::Status Invalid(std::string_view why) { return Error(pb::ERROR_REASON_INVALID_REQUEST, why); }

absl::Status Check(const pb::LimitedEvent& event) {
  if (event.key().empty() || event.key().size() > kMaxKey) {
    return Invalid("a key has 1 to 512 octets");
  }
  if (event.count() > kMaxCount) return Invalid("the count is too large");
  if (event.window_seconds() == 0 || event.window_seconds() > kMaxWindow) {
    return Invalid("a window has 1 to 86,400 s");
  }
  if (event.lockout_seconds() > kMaxLockout || event.max_lockout_seconds() > kMaxLockout) {
    return Invalid("the lock-out is too long");
  }
  if (event.fingerprint().size() > kMaxFingerprint) return Invalid("the fingerprint is too long");
  return absl::OkStatus();
}

absl::Status Check(const pb::CountEventsRequest& request) {
  if (request.events_size() == 0 || request.events_size() > kMaxEvents) {
    return Invalid("a call counts 1 to 32 events");
  }
  std::set<std::string_view> keys;
  for (const pb::LimitedEvent& event : request.events()) {
    RMAIL_RETURN_IF_ERROR(Check(event));
    if (!keys.insert(event.key()).second) return Invalid("a key stands there twice");
  }
  return absl::OkStatus();
}

// The host's time may be set back; this one never is.
absl::Time Now() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

class LimitServicer : public pb::LimitService::CallbackService {
 public:
  explicit LimitServicer(ServiceContext context) : context_(context) {}

  // On gRPC's own thread: it never blocks, and must not wait for those who do.
  grpc::ServerUnaryReactor* CountEvents(grpc::CallbackServerContext* call,
                                        const pb::CountEventsRequest* request,
                                        pb::CountEventsResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    reactor->Finish(client::ToGrpcStatus(Guard([&]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(
          *call, {TokenScope::kGateway, TokenScope::kDeliver, TokenScope::kQueue}));
      RMAIL_RETURN_IF_ERROR(Check(*request));
      *response = counters_.Count(*request, Now());
      return absl::OkStatus();
    })));
    return reactor;
  }

 private:
  const ServiceContext context_;
  LimitCounters counters_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewLimitService(ServiceContext context) {
  return std::make_unique<LimitServicer>(context);
}

}  // namespace rmail::service
