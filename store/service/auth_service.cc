#include <memory>
#include <string>
#include <utility>

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
// Of an address, and of SCRAM's AuthMessage: far above what gateways send.
constexpr size_t kMaxAddress = 1024;
constexpr size_t kMaxAuthMessage = 16 * 1024;

class AuthServicer : public pb::AuthService::CallbackService {
 public:
  explicit AuthServicer(ServiceContext context)
      : context_(context), fake_key_(context.authorizer.KeyFor("fake salts")) {}

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

  grpc::ServerUnaryReactor* GetScramParameters(grpc::CallbackServerContext* call,
                                               const pb::GetScramParametersRequest* request,
                                               pb::GetScramParametersResponse* response) override {
    return Run(call, [this, call, request, response] {
      return ScramParameters(*call, *request, response);
    });
  }

  grpc::ServerUnaryReactor* AuthenticateScram(grpc::CallbackServerContext* call,
                                              const pb::AuthenticateScramRequest* request,
                                              pb::AuthenticateScramResponse* response) override {
    return Run(call,
               [this, call, request, response] { return ScramLogin(*call, *request, response); });
  }

 private:
  // Runs it on the pool and ends the call with its status.
  template <typename Function>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* call, Function function) {
    grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
    context_.pool.Run([reactor, function = std::move(function)] {
      reactor->Finish(client::ToGrpcStatus(Guard(function)));
    });
    return reactor;
  }

  absl::Status ScramParameters(const grpc::CallbackServerContext& call,
                               const pb::GetScramParametersRequest& request,
                               pb::GetScramParametersResponse* response) {
    RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(call, {TokenScope::kGateway}));
    if (request.address().size() > kMaxAddress) return TooLong();
    RMAIL_ASSIGN_OR_RETURN(const engine::ScramParameters parameters,
                           context_.engine.ScramParametersOf(request.address(), fake_key_));
    response->set_salt(parameters.salt);
    response->set_iterations(static_cast<uint32_t>(parameters.iterations));
    return absl::OkStatus();
  }

  absl::Status ScramLogin(const grpc::CallbackServerContext& call,
                          const pb::AuthenticateScramRequest& request,
                          pb::AuthenticateScramResponse* response) {
    RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(call, {TokenScope::kGateway}));
    if (request.address().size() > kMaxAddress || request.auth_message().size() > kMaxAuthMessage) {
      return TooLong();
    }
    RMAIL_ASSIGN_OR_RETURN(const engine::Engine::ScramLogin login,
                           context_.engine.AuthenticateScram(
                               request.address(), request.auth_message(), request.client_proof()));
    Grant(*login.account, login.settings, response->mutable_login());
    response->set_server_signature(login.server_signature);
    return absl::OkStatus();
  }

  static absl::Status TooLong() {
    return Error(pb::ERROR_REASON_INVALID_REQUEST, "the address or the message is too long");
  }

  absl::Status Login(const pb::AuthenticateRequest& request, pb::AuthenticateResponse* response) {
    RMAIL_ASSIGN_OR_RETURN(const auto authenticated,
                           context_.engine.Authenticate(request.address(), request.password()));
    Grant(*authenticated.first, authenticated.second, response);
    return absl::OkStatus();
  }

  void Grant(const engine::Account& account, const engine::UserSettings& settings,
             pb::AuthenticateResponse* response) {
    const std::string address = account.address().ToString();
    response->set_account(engine::AccountName(address));
    response->set_token(context_.authorizer.Issue(address, settings.admin, kTokenLife));
    response->set_expires_in(static_cast<uint32_t>(absl::ToInt64Seconds(kTokenLife)));
    response->set_admin(settings.admin);
  }

  const ServiceContext context_;
  // Makes the SCRAM salts of addresses without an account.
  const std::string fake_key_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewAuthService(ServiceContext context) {
  return std::make_unique<AuthServicer>(context);
}

}  // namespace rmail::service
