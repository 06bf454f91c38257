#include <memory>
#include <optional>
#include <string>

#include "rmail/store/v1/quota.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// A mailbox has no quota of its own.
absl::Status NotAnAccount() {
  return Error(pb::ERROR_REASON_INVALID_REQUEST, "not the name of an account");
}

class QuotaServicer : public pb::QuotaService::CallbackService {
 public:
  explicit QuotaServicer(ServiceContext context) : context_(context) {}

  grpc::ServerUnaryReactor* GetQuota(grpc::CallbackServerContext* call,
                                     const pb::GetQuotaRequest* request,
                                     pb::GetQuotaResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.ResourceForAdmin(*call, request->name()));
      if (!resource.mailbox_id.empty()) return NotAnAccount();
      return Fill(*resource.account, response->mutable_quota());
    });
  }

  grpc::ServerUnaryReactor* UpdateQuota(grpc::CallbackServerContext* call,
                                        const pb::UpdateQuotaRequest* request,
                                        pb::UpdateQuotaResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      const std::optional<engine::ResourceName> name = engine::ParseResourceName(request->name());
      if (!name || !name->mailbox.empty()) return NotAnAccount();
      RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                             context_.engine.FindAccount(name->account));
      if (request->limit_mb() > engine::kMaxQuotaMb) {
        return Error(pb::ERROR_REASON_INVALID_REQUEST, "the quota is too large");
      }
      RMAIL_RETURN_IF_ERROR(account
                                ->UpdateSettings([&](engine::UserSettings& settings) {
                                  settings.quota_mb = request->limit_mb();
                                })
                                .status());
      return Fill(*account, response->mutable_quota());
    });
  }

 private:
  static absl::Status Fill(engine::Account& account, pb::Quota* out) {
    RMAIL_ASSIGN_OR_RETURN(const engine::Account::QuotaState quota, account.Quota());
    out->set_name(engine::AccountName(account.address().ToString()));
    out->set_used(quota.used);
    out->set_limit_mb(quota.limit / engine::kMiB);
    return absl::OkStatus();
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewQuotaService(ServiceContext context) {
  return std::make_unique<QuotaServicer>(context);
}

}  // namespace rmail::service
