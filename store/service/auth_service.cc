#include <memory>
#include <string>

#include "rmail/store/v1/auth.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr absl::Duration kTokenLife = absl::Hours(1);
// Logins that wait for their password to be checked: some ten seconds' worth.
constexpr size_t kMaxWaiting = 200;

class AuthServicer : public pb::AuthService::CallbackService {
 public:
  explicit AuthServicer(ServiceContext context) : context_(context) {}

  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* call,
                                         const pb::AuthenticateRequest* request,
                                         pb::AuthenticateResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    context_.pool.Run([this, call, request, response, reactor] {
      bool slow = false;
      const absl::Status status = Guard([&]() -> absl::Status {
        RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kGateway}));
        slow = !context_.engine.KnowsPassword(request->address(), request->password());
        return slow ? absl::OkStatus() : Login(*request, response);
      });
      if (!slow) {
        reactor->Finish(client::ToGrpcStatus(status));
      } else if (context_.password_pool.waiting() > kMaxWaiting) {
        reactor->Finish(client::ToGrpcStatus(
            Error(pb::ERROR_REASON_STORE_UNAVAILABLE, "too many logins at once")));
      } else {
        context_.password_pool.Run([this, request, response, reactor] {
          reactor->Finish(client::ToGrpcStatus(Guard([&] { return Login(*request, response); })));
        });
      }
    });
    return reactor;
  }

 private:
  absl::Status Login(const pb::AuthenticateRequest& request, pb::AuthenticateResponse* response) {
    RMAIL_ASSIGN_OR_RETURN(const auto authenticated,
                           context_.engine.Authenticate(request.address(), request.password()));
    const std::string address = authenticated.first->address().ToString();
    response->set_account(engine::AccountName(address));
    response->set_token(context_.authorizer.Issue(address, authenticated.second.admin, kTokenLife));
    response->set_expires_in(static_cast<uint32_t>(absl::ToInt64Seconds(kTokenLife)));
    response->set_admin(authenticated.second.admin);
    return absl::OkStatus();
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewAuthService(ServiceContext context) {
  return std::make_unique<AuthServicer>(context);
}

}  // namespace rmail::service
