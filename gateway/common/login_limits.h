// Who may try to log in: what this process knows (LoginGuard), and what all gateways know together.
#ifndef RMAIL_GATEWAY_COMMON_LOGIN_LIMITS_H_
#define RMAIL_GATEWAY_COMMON_LOGIN_LIMITS_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gateway/common/login_guard.h"
#include "gateway/common/rate_limiter.h"
#include "rmail/store/v1/limit.pb.h"

namespace rmail::gateway {

// The failures of a client (ClientName), of its network (NetworkName) and to log in to an account
// are counted; LoginGuardOptions has the limits. A client that has logged in to an account from
// here before is not refused because others guess the account's password, or its neighbours do
// others'. `peer` is a client's
// address; `account` an address as the client wrote it, whether there is such an account or not, or
// empty when it named none. Thread-safe.
class LoginLimits {
 public:
  // `limiter` outlives it. `secret`: the same in all gateways.
  LoginLimits(LoginGuardOptions options, RateLimiter& limiter, std::string secret);

  // Whether the client is never locked out.
  bool Exempt(std::string_view peer) const { return guard_.Exempt(peer); }

  // How long the client will not be listened to, as far as this process knows. Cheap.
  absl::Duration LockedHere(std::string_view peer);
  // The same, as far as any gateway knows, for a login to this account.
  boost::asio::awaitable<absl::Duration> LockedFor(std::string peer, std::string account);

  // Notes a login that failed with these credentials. The same credentials count once.
  boost::asio::awaitable<void> Failed(std::string peer, std::string account,
                                      std::string credentials);
  void Succeeded(std::string_view peer, std::string_view account);

 private:
  // The client's own is the first, with a limit or without. Empty: nothing is limited.
  std::vector<store::v1::LimitedEvent> Events(std::string_view peer, std::string_view account,
                                              uint32_t count);
  void NoteLockout(std::string_view peer, const RateLimiter::Verdict& verdict);
  std::string Fingerprint(std::string_view credentials) const;

  const LoginGuardOptions options_;
  RateLimiter& limiter_;
  const std::string secret_;
  LoginGuard guard_;
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_LOGIN_LIMITS_H_
