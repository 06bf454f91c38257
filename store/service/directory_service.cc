#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "rmail/store/v1/directory.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/engine/alias_list.h"
#include "store/engine/password.h"
#include "store/engine/recipient.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

absl::StatusOr<std::string> AddressOf(const std::string& name) {
  const std::optional<engine::ResourceName> resource = engine::ParseResourceName(name);
  if (!resource || !resource->mailbox.empty()) {
    return Error(pb::ERROR_REASON_INVALID_ADDRESS,
                 "not the name of an account (accounts/{user@domain}, in lower case)");
  }
  return resource->account;
}

void FillAccount(const std::string& address, const engine::UserSettings& settings,
                 pb::Account* account) {
  account->set_name(engine::AccountName(address));
  account->set_admin(settings.admin);
  account->set_disabled(settings.disabled);
  account->set_quota_mb(settings.quota_mb);
}

void FillAlias(const std::string& domain, const engine::Alias& alias, pb::Alias* out) {
  out->set_domain(absl::AsciiStrToLower(domain));
  out->set_kind(alias.kind);
  out->set_pattern(alias.pattern);
  out->mutable_targets()->Add(alias.targets.begin(), alias.targets.end());
}

absl::Status CheckQuota(uint64_t quota_mb) {
  if (quota_mb <= engine::kMaxQuotaMb) return absl::OkStatus();
  return Error(pb::ERROR_REASON_INVALID_REQUEST, "the quota is too large");
}

class DirectoryServicer : public pb::DirectoryService::CallbackService {
 public:
  explicit DirectoryServicer(ServiceContext context) : context_(context) {}

  grpc::ServerUnaryReactor* CreateAccount(grpc::CallbackServerContext* call,
                                          const pb::CreateAccountRequest* request,
                                          pb::CreateAccountResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      RMAIL_ASSIGN_OR_RETURN(const std::string address, AddressOf(request->account().name()));
      RMAIL_RETURN_IF_ERROR(CheckQuota(request->account().quota_mb()));
      engine::UserSettings settings;
      settings.admin = request->account().admin();
      settings.disabled = request->account().disabled();
      settings.quota_mb = request->account().quota_mb();
      RMAIL_RETURN_IF_ERROR(context_.engine.CreateAccount(address, request->password(), settings));
      FillAccount(address, settings, response->mutable_account());
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* GetAccount(grpc::CallbackServerContext* call,
                                       const pb::GetAccountRequest* request,
                                       pb::GetAccountResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const std::string address, AddressOf(request->name()));
      RMAIL_RETURN_IF_ERROR(context_.authorizer.ResourceForAdmin(*call, request->name()).status());
      return Get(address, response->mutable_account());
    });
  }

  grpc::ServerUnaryReactor* ListAccounts(grpc::CallbackServerContext* call,
                                         const pb::ListAccountsRequest* request,
                                         pb::ListAccountsResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> addresses,
                             context_.engine.ListAccounts(request->domain()));
      for (const std::string& address : addresses) {
        // One that was deleted meanwhile is left out, as are those that Engine::ListAccounts can't
        // read.
        pb::Account account;
        if (Get(address, &account).ok()) *response->add_accounts() = std::move(account);
      }
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* UpdateAccount(grpc::CallbackServerContext* call,
                                          const pb::UpdateAccountRequest* request,
                                          pb::UpdateAccountResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      RMAIL_ASSIGN_OR_RETURN(const std::string address, AddressOf(request->name()));
      RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                             context_.engine.FindAccount(address));
      RMAIL_RETURN_IF_ERROR(CheckQuota(request->quota_mb()));
      std::string hash;
      if (request->has_password()) {
        RMAIL_RETURN_IF_ERROR(engine::Engine::CheckPassword(request->password()));
        hash = engine::HashPassword(request->password());
      }
      RMAIL_ASSIGN_OR_RETURN(const engine::UserSettings changed,
                             account->UpdateSettings([&](engine::UserSettings& settings) {
                               if (!hash.empty()) settings.hash = hash;
                               if (request->has_admin()) settings.admin = request->admin();
                               if (request->has_disabled()) {
                                 settings.disabled = request->disabled();
                               }
                               if (request->has_quota_mb()) {
                                 settings.quota_mb = request->quota_mb();
                               }
                             }));
      FillAccount(address, changed, response->mutable_account());
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* DeleteAccount(grpc::CallbackServerContext* call,
                                          const pb::DeleteAccountRequest* request,
                                          pb::DeleteAccountResponse*) override {
    return RunUnary(context_.pool, call, [this, call, request]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      RMAIL_ASSIGN_OR_RETURN(const std::string address, AddressOf(request->name()));
      return context_.engine.DeleteAccount(address);
    });
  }

  grpc::ServerUnaryReactor* ResolveRecipient(grpc::CallbackServerContext* call,
                                             const pb::ResolveRecipientRequest* request,
                                             pb::ResolveRecipientResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(
          context_.authorizer.Require(*call, {TokenScope::kDeliver, TokenScope::kAdmin}));
      RMAIL_ASSIGN_OR_RETURN(const engine::Recipients recipients,
                             context_.engine.ResolveRecipient(request->address()));
      response->set_local(recipients.local);
      for (const std::string& address : recipients.accounts) {
        response->add_accounts(engine::AccountName(address));
      }
      response->mutable_external()->Add(recipients.external.begin(), recipients.external.end());
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* ListAliases(grpc::CallbackServerContext* call,
                                        const pb::ListAliasesRequest* request,
                                        pb::ListAliasesResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      RMAIL_ASSIGN_OR_RETURN(const std::vector<engine::Alias> aliases,
                             context_.engine.ListAliases(request->domain()));
      for (const engine::Alias& alias : aliases) {
        FillAlias(request->domain(), alias, response->add_aliases());
      }
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* SetAlias(grpc::CallbackServerContext* call,
                                     const pb::SetAliasRequest* request,
                                     pb::SetAliasResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      const pb::Alias& wanted = request->alias();
      engine::Alias alias{wanted.kind(), wanted.pattern(), {}};
      alias.targets.assign(wanted.targets().begin(), wanted.targets().end());
      RMAIL_ASSIGN_OR_RETURN(const engine::Alias kept,
                             context_.engine.SetAlias(wanted.domain(), std::move(alias)));
      FillAlias(wanted.domain(), kept, response->mutable_alias());
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* DeleteAlias(grpc::CallbackServerContext* call,
                                        const pb::DeleteAliasRequest* request,
                                        pb::DeleteAliasResponse*) override {
    return RunUnary(context_.pool, call, [this, call, request]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(context_.authorizer.Require(*call, {TokenScope::kAdmin}));
      return context_.engine.DeleteAlias(request->domain(), request->kind(), request->pattern());
    });
  }

 private:
  absl::Status Get(const std::string& address, pb::Account* out) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Account> account,
                           context_.engine.FindAccount(address));
    RMAIL_ASSIGN_OR_RETURN(const engine::UserSettings settings, account->Settings());
    FillAccount(address, settings, out);
    return absl::OkStatus();
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewDirectoryService(ServiceContext context) {
  return std::make_unique<DirectoryServicer>(context);
}

}  // namespace rmail::service
