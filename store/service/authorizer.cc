#include "store/service/authorizer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"

namespace rmail::service {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr size_t kMaxVerified = 10'000;

}  // namespace

Authorizer::Authorizer(engine::Engine& engine, std::string token_secret)
    : engine_(engine), token_secret_(std::move(token_secret)) {}

absl::StatusOr<Token> Authorizer::Verify(std::string_view encoded) {
  const absl::Time now = absl::Now();
  {
    MutexLock lock(&mutex_);
    const auto found = verified_.find(ToAbsl(encoded));
    if (found != verified_.end() && found->second.expires > now) return found->second;
  }
  RMAIL_ASSIGN_OR_RETURN(Token token, VerifyToken(token_secret_, encoded, now));
  MutexLock lock(&mutex_);
  if (verified_.size() >= kMaxVerified) verified_.clear();
  verified_.emplace(encoded, token);
  return token;
}

absl::StatusOr<Token> Authorizer::Caller(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end()) {
    return Error(store::v1::ERROR_REASON_BAD_TOKEN, "the call carries no token");
  }
  const std::string_view value(found->second.data(), found->second.size());
  if (value.substr(0, kBearer.size()) != kBearer) {
    return Error(store::v1::ERROR_REASON_BAD_TOKEN, "the call carries no bearer token");
  }
  return Verify(value.substr(kBearer.size()));
}

bool Authorizer::IsAdmin(const Token& token) {
  if (token.scope != TokenScope::kAdmin) return false;
  if (token.subject.empty()) return true;
  const absl::StatusOr<std::shared_ptr<engine::Account>> account =
      engine_.FindAccount(token.subject);
  if (!account.ok()) return false;
  const absl::StatusOr<engine::UserSettings> settings = (*account)->Settings();
  return settings.ok() && settings->admin && !settings->disabled;
}

absl::Status Authorizer::Require(const grpc::CallbackServerContext& context,
                                 std::initializer_list<TokenScope> scopes) {
  RMAIL_ASSIGN_OR_RETURN(const Token token, Caller(context));
  const bool named = std::find(scopes.begin(), scopes.end(), token.scope) != scopes.end();
  if (named && (token.scope != TokenScope::kAdmin || IsAdmin(token))) return absl::OkStatus();
  return Error(store::v1::ERROR_REASON_NOT_PERMITTED, "the token does not allow this call");
}

absl::StatusOr<AccountResource> Authorizer::Resource(const grpc::CallbackServerContext& context,
                                                     std::string_view name) {
  RMAIL_ASSIGN_OR_RETURN(const Token token, Caller(context));
  return Resource(token, name);
}

absl::StatusOr<AccountResource> Authorizer::Resource(const Token& token, std::string_view name) {
  // An administrator's login covers its own mail; the server's own command line covers all.
  return Find(token, name, token.scope == TokenScope::kAdmin && token.subject.empty());
}

absl::StatusOr<AccountResource> Authorizer::ResourceForAdmin(
    const grpc::CallbackServerContext& context, std::string_view name) {
  RMAIL_ASSIGN_OR_RETURN(const Token token, Caller(context));
  return Find(token, name, IsAdmin(token));
}

absl::StatusOr<AccountResource> Authorizer::Find(const Token& token, std::string_view name,
                                                 bool all) {
  const std::optional<engine::ResourceName> resource = engine::ParseResourceName(name);
  if (!resource) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "not the name of a resource");
  }
  const bool is_account_token =
      token.scope == TokenScope::kAccount || token.scope == TokenScope::kAdmin;
  const bool own = is_account_token && token.subject == resource->account;
  if (!own && !all) {
    return Error(store::v1::ERROR_REASON_NOT_PERMITTED, "the token does not cover this account");
  }
  AccountResource result;
  RMAIL_ASSIGN_OR_RETURN(result.account, engine_.FindAccount(resource->account));
  RMAIL_ASSIGN_OR_RETURN(const engine::UserSettings settings, result.account->Settings());
  if (settings.disabled && !all) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_DISABLED, "the account is disabled");
  }
  result.mailbox_id = resource->mailbox;
  return result;
}

std::string Authorizer::Issue(std::string_view address, bool admin, absl::Duration life) {
  Token token;
  token.subject = std::string(address);
  token.scope = admin ? TokenScope::kAdmin : TokenScope::kAccount;
  token.expires = absl::Now() + life;
  return SignToken(token_secret_, token);
}

// What tokens sign has no space in it: no key is a token's signature.
std::string Authorizer::KeyFor(std::string_view purpose) const {
  const std::string text = "key for " + std::string(purpose);
  std::string key(32, '\0');
  unsigned int size = static_cast<unsigned int>(key.size());
  HMAC(EVP_sha256(), token_secret_.data(), static_cast<int>(token_secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(key.data()), &size);
  return key;
}

}  // namespace rmail::service
