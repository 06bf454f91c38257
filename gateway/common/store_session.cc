#include "gateway/common/store_session.h"

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "gateway/common/client_address.h"
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

// How long a check may wait for others of its client.
constexpr absl::Duration kMaxWait = absl::Seconds(30);

// Empty: that it is there tells.
constexpr std::string_view kLockedOutPayload = "rmail.gateway/locked-out";

absl::Status LockedOut(absl::Duration how_long) {
  if (how_long <= absl::ZeroDuration()) return absl::OkStatus();
  absl::Status status = Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, "too many failed logins");
  status.SetPayload(ToAbsl(kLockedOutPayload), absl::Cord());
  return status;
}

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

bool IsLockedOut(const absl::Status& status) {
  return status.GetPayload(ToAbsl(kLockedOutPayload)).has_value();
}

StoreAccess::StoreAccess(client::StoreClient& store, client::Watcher& watcher,
                         std::string token_secret, LoginGuardOptions guard, bool scram)
    : store_(store),
      watcher_(watcher),
      token_secret_(std::move(token_secret)),
      scram_(scram),
      limiter_(store, [this] { return RoleToken(TokenScope::kGateway); }),
      logins_(std::move(guard), limiter_, token_secret_) {}

std::string StoreAccess::RoleToken(TokenScope scope) const {
  Token token;
  token.scope = scope;
  token.expires = absl::Now() + kRoleTokenLife;
  return SignToken(token_secret_, token);
}

StoreSession StoreAccess::Gateway(std::string_view address) const {
  return StoreSession(store_, "accounts/" + absl::AsciiStrToLower(ToAbsl(address)),
                      RoleToken(TokenScope::kGateway));
}

boost::asio::awaitable<absl::Status> StoreAccess::BeginCheck(const std::string& peer,
                                                             const std::string& account) {
  RMAIL_CO_RETURN_IF_ERROR(LockedOut(logins_.LockedHere(peer)));
  const absl::Time start = absl::Now();
  const bool entered = co_await queue_.Enter(QueueKey(peer, account));
  if (!entered || absl::Now() - start > kMaxWait) {
    if (entered) EndCheck(peer, account);
    co_return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, "too many logins at once");
  }
  absl::Cleanup leave = [&] { EndCheck(peer, account); };
  // Those that it has waited for may have failed, and others elsewhere.
  RMAIL_CO_RETURN_IF_ERROR(LockedOut(co_await logins_.LockedFor(peer, account)));
  std::move(leave).Cancel();
  co_return absl::OkStatus();
}

void StoreAccess::EndCheck(const std::string& peer, const std::string& account) {
  queue_.Leave(QueueKey(peer, account));
}

std::string StoreAccess::QueueKey(const std::string& peer, const std::string& account) const {
  if (account.empty() || !logins_.Exempt(peer)) return ClientKey(peer);
  // No client has such a key: it would be an address of four or eight octets, or a short name.
  return "accounts/" + absl::AsciiStrToLower(account);
}

boost::asio::awaitable<void> StoreAccess::Refused(const std::string& account,
                                                  const std::string& peer,
                                                  std::string_view credentials,
                                                  const absl::Status& why) {
  LogInfo("login of {:.100} from {} refused: {}", account, peer, FromAbsl(why.message()));
  const ErrorReason reason = ReasonOf(why);
  if (reason != store::v1::ERROR_REASON_BAD_CREDENTIALS &&
      reason != store::v1::ERROR_REASON_ACCOUNT_DISABLED) {
    co_return;  // Nothing that the client is to blame for.
  }
  co_await logins_.Failed(peer, account, std::string(credentials));
}

StoreAccess::Login StoreAccess::LoginFrom(const store::v1::AuthenticateResponse& response) {
  auto token = std::make_shared<SessionToken>(response.token(), token_secret_);
  return Login{StoreSession(store_, response.account(), std::move(token)), response.account(),
               response.token(), response.expires_in(), response.admin()};
}

boost::asio::awaitable<absl::StatusOr<StoreAccess::Login>> StoreAccess::Authenticate(
    std::string address, std::string password, std::string peer) {
  RMAIL_CO_RETURN_IF_ERROR(co_await BeginCheck(peer, address));
  const absl::Cleanup end = [&] { EndCheck(peer, address); };
  store::v1::AuthenticateRequest request;
  request.set_address(address);
  request.set_password(password);
  const absl::StatusOr<store::v1::AuthenticateResponse> response =
      co_await Gateway(address).Call(std::move(request));
  if (!response.ok()) {
    co_await Refused(address, peer, password, response.status());
    co_return response.status();
  }
  logins_.Succeeded(peer, address);
  co_return LoginFrom(*response);
}

boost::asio::awaitable<absl::StatusOr<store::v1::GetScramParametersResponse>>
StoreAccess::ScramParameters(std::string address, std::string peer) {
  RMAIL_CO_RETURN_IF_ERROR(co_await BeginCheck(peer, address));
  const absl::Cleanup end = [&] { EndCheck(peer, address); };
  store::v1::GetScramParametersRequest request;
  request.set_address(address);
  co_return co_await Gateway(address).Call(std::move(request));
}

boost::asio::awaitable<absl::StatusOr<StoreAccess::ScramLogin>> StoreAccess::AuthenticateScram(
    store::v1::AuthenticateScramRequest request, std::string peer) {
  RMAIL_CO_RETURN_IF_ERROR(co_await BeginCheck(peer, request.address()));
  const absl::Cleanup end = [&] { EndCheck(peer, request.address()); };
  absl::StatusOr<store::v1::AuthenticateScramResponse> response =
      co_await Gateway(request.address()).Call(request);
  if (!response.ok()) {
    // No two proofs are alike: each failure counts.
    co_await Refused(request.address(), peer, request.client_proof(), response.status());
    co_return response.status();
  }
  logins_.Succeeded(peer, request.address());
  co_return ScramLogin{LoginFrom(response->login()),
                       std::move(*response->mutable_server_signature())};
}

boost::asio::awaitable<absl::StatusOr<StoreAccess::Login>> StoreAccess::AuthenticateToken(
    std::string address, std::string encoded, std::string peer) {
  RMAIL_CO_RETURN_IF_ERROR(co_await BeginCheck(peer, address));
  const absl::Cleanup end = [&] { EndCheck(peer, address); };
  const absl::StatusOr<Token> token = VerifyToken(token_secret_, encoded, absl::Now());
  const bool own = token.ok() && !token->subject.empty() &&
                   (address.empty() || absl::EqualsIgnoreCase(address, token->subject));
  if (!own) {
    absl::Status why = Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "not a token of the account");
    co_await Refused(address, peer, encoded, why);
    co_return why;
  }
  const std::string account = "accounts/" + token->subject;
  StoreSession session(store_, account, encoded);
  // Whether the account is still there and may be used, the store knows.
  store::v1::GetQuotaRequest request;
  request.set_name(account);
  const absl::Status usable = (co_await session.Call(std::move(request))).status();
  if (!usable.ok()) {
    co_await Refused(token->subject, peer, encoded, usable);
    co_return absl::IsNotFound(usable)
        ? Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "no such account")
        : usable;
  }
  const auto left = static_cast<uint32_t>(
      std::max<int64_t>(0, absl::ToInt64Seconds(token->expires - absl::Now())));
  const bool admin = token->scope == TokenScope::kAdmin;
  co_return Login{std::move(session), account, std::move(encoded), left, admin};
}

absl::StatusOr<StoreSession> StoreAccess::FromToken(std::string_view encoded) {
  RMAIL_ASSIGN_OR_RETURN(const Token token, VerifyToken(token_secret_, encoded, absl::Now()));
  if (token.subject.empty()) {
    return Error(store::v1::ERROR_REASON_BAD_TOKEN, "not an account's token");
  }
  return StoreSession(store_, "accounts/" + token.subject, std::string(encoded));
}

StoreSession StoreAccess::ActFor(std::string_view address) const {
  Token token;
  token.subject = absl::AsciiStrToLower(ToAbsl(address));
  token.scope = TokenScope::kAccount;
  token.expires = absl::Now() + kRoleTokenLife;
  return StoreSession(store_, "accounts/" + token.subject, SignToken(token_secret_, token));
}

StoreSession StoreAccess::Deliverer(std::string account) {
  return StoreSession(store_, std::move(account), RoleToken(TokenScope::kDeliver));
}

StoreSession StoreAccess::Relay() {
  return StoreSession(store_, "", RoleToken(TokenScope::kQueue));
}

}  // namespace rmail::gateway
