// Who calls, and what may they?
#ifndef RMAIL_STORE_SERVICE_AUTHORIZER_H_
#define RMAIL_STORE_SERVICE_AUTHORIZER_H_

#include <grpcpp/server_context.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/mutex.h"
#include "store/base/token.h"
#include "store/engine/account.h"
#include "store/engine/engine.h"

namespace rmail::service {

// A resource that the caller may use.
struct AccountResource {
  std::shared_ptr<engine::Account> account;
  // The mailbox's id; empty when the resource is the account.
  std::string mailbox_id;
};

// Thread-safe. Errors: BAD_TOKEN, NOT_PERMITTED, INVALID_REQUEST (not a resource name),
// ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED.
class Authorizer {
 public:
  // `engine` outlives it.
  Authorizer(engine::Engine& engine, std::string token_secret);

  // The token that a call carries as `authorization: Bearer ...`.
  absl::StatusOr<Token> Caller(const grpc::CallbackServerContext& context);

  // The call's token has one of the scopes. An administrator's login counts only while the account
  // is one.
  absl::Status Require(const grpc::CallbackServerContext& context,
                       std::initializer_list<TokenScope> scopes);

  // The call's token covers `accounts/{address}` or `accounts/{address}/mailboxes/{id}`.
  absl::StatusOr<AccountResource> Resource(const grpc::CallbackServerContext& context,
                                           std::string_view name);
  // The same for a token that came otherwise.
  absl::StatusOr<AccountResource> Resource(const Token& token, std::string_view name);
  // As Resource, and every administrator may use it.
  absl::StatusOr<AccountResource> ResourceForAdmin(const grpc::CallbackServerContext& context,
                                                   std::string_view name);

  absl::StatusOr<Token> Verify(std::string_view encoded);

  // A token for an account that has proved who it is.
  std::string Issue(std::string_view address, bool admin, absl::Duration life);

  // A key of 32 octets for one purpose, the same in all stores with this token secret.
  std::string KeyFor(std::string_view purpose) const;

 private:
  bool IsAdmin(const Token& token);
  absl::StatusOr<AccountResource> Find(const Token& token, std::string_view name, bool all);

  engine::Engine& engine_;
  const std::string token_secret_;
  Mutex mutex_;
  // Tokens that were verified: their signature needs no second look.
  absl::flat_hash_map<std::string, Token> verified_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_AUTHORIZER_H_
