#include "gateway/common/store_session.h"

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/base/token.h"

namespace rmail::gateway {
namespace {

// A role's token is made for one call or one stream; a stream checks it only at its start.
constexpr absl::Duration kRoleTokenLife = absl::Hours(1);

// A token is renewed when it has less than this left, for as long again as an hour.
constexpr absl::Duration kRenewBefore = absl::Minutes(10);

// Password checks of one client at a time: each may cost the store a tenth of a second.
constexpr int kMaxChecks = 4;

}  // namespace

SessionToken::SessionToken(std::string encoded) : encoded_(std::move(encoded)) {}

SessionToken::SessionToken(std::string encoded, std::string secret)
    : secret_(std::move(secret)), encoded_(std::move(encoded)) {
  const absl::StatusOr<Token> token = VerifyToken(secret_, encoded_, absl::Now());
  if (token.ok()) token_ = *token;
}

std::string SessionToken::Get() {
  MutexLock lock(&mutex_);
  if (!token_.subject.empty() && token_.expires - absl::Now() < kRenewBefore) {
    token_.expires = absl::Now() + absl::Hours(1);
    encoded_ = SignToken(secret_, token_);
  }
  return encoded_;
}

StoreAccess::StoreAccess(client::StoreClient& store, client::Watcher& watcher,
                         std::string token_secret)
    : store_(store), watcher_(watcher), token_secret_(std::move(token_secret)) {}

std::string StoreAccess::RoleToken(TokenScope scope) const {
  Token token;
  token.scope = scope;
  token.expires = absl::Now() + kRoleTokenLife;
  return SignToken(token_secret_, token);
}

bool StoreAccess::BeginCheck(const std::string& peer) {
  MutexLock lock(&mutex_);
  int& checks = checks_[peer];
  if (checks >= kMaxChecks) return false;
  ++checks;
  return true;
}

void StoreAccess::EndCheck(const std::string& peer) {
  MutexLock lock(&mutex_);
  const auto found = checks_.find(peer);
  if (--found->second == 0) checks_.erase(found);
}

boost::asio::awaitable<absl::StatusOr<StoreAccess::Login>> StoreAccess::Authenticate(
    std::string address, std::string password, std::string peer) {
  if (!BeginCheck(peer)) {
    co_return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE,
                    "too many logins at once from this address");
  }
  const absl::Cleanup end = [&] { EndCheck(peer); };
  store::v1::AuthenticateRequest request;
  request.set_address(address);
  request.set_password(std::move(password));
  // Named so that the store asked is the one whose caches know the account.
  const StoreSession gateway(store_, "accounts/" + absl::AsciiStrToLower(address),
                             RoleToken(TokenScope::kGateway));
  const absl::StatusOr<store::v1::AuthenticateResponse> response =
      co_await gateway.Call(std::move(request));
  if (!response.ok()) {
    LogInfo("login of {:.100} from {} refused: {}", address, peer,
            FromAbsl(response.status().message()));
    co_return response.status();
  }
  auto token = std::make_shared<SessionToken>(response->token(), token_secret_);
  co_return Login{StoreSession(store_, response->account(), std::move(token)), response->account(),
                  response->token(), response->expires_in(), response->admin()};
}

absl::StatusOr<StoreSession> StoreAccess::FromToken(std::string_view encoded) {
  RMAIL_ASSIGN_OR_RETURN(const Token token, VerifyToken(token_secret_, encoded, absl::Now()));
  if (token.subject.empty()) {
    return Error(store::v1::ERROR_REASON_BAD_TOKEN, "not an account's token");
  }
  return StoreSession(store_, "accounts/" + token.subject, std::string(encoded));
}

StoreSession StoreAccess::Deliverer(std::string account) {
  return StoreSession(store_, std::move(account), RoleToken(TokenScope::kDeliver));
}

}  // namespace rmail::gateway
