#include "gateway/common/login_limits.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "gateway/common/client_address.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway {
namespace {

using store::v1::LimitedEvent;

constexpr size_t kFingerprint = 16;
// The longest address (RFC 5321, 4.5.3.1) that stands in a key as it is.
constexpr size_t kMaxName = 320;

uint32_t Seconds(absl::Duration duration) {
  return static_cast<uint32_t>(absl::ToInt64Seconds(duration));
}

// Two texts as one that no other two are.
std::string Joined(std::string_view first, std::string_view second) {
  std::string joined(first);
  joined += '\0';
  joined += second;
  return joined;
}

// No events when none of them has a limit.
std::vector<LimitedEvent> Limited(std::vector<LimitedEvent> events) {
  const bool any = std::any_of(events.begin(), events.end(),
                               [](const LimitedEvent& event) { return event.limit() != 0; });
  return any ? std::move(events) : std::vector<LimitedEvent>();
}

}  // namespace

LoginLimits::LoginLimits(LoginGuardOptions options, RateLimiter& limiter, std::string secret)
    : options_(options),
      limiter_(limiter),
      secret_(std::move(secret)),
      guard_(std::move(options)) {}

std::string LoginLimits::Fingerprint(std::string_view credentials) const {
  const std::string value = Joined("failed login", credentials);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = sizeof(digest);
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), kFingerprint);
}

std::vector<LimitedEvent> LoginLimits::Events(std::string_view peer, std::string_view account,
                                              uint32_t count) {
  std::vector<LimitedEvent> events;
  if (guard_.Exempt(peer)) return events;
  const auto add = [&](std::string_view family, std::string_view name, uint32_t limit,
                       absl::Duration max_lockout) {
    LimitedEvent& event = events.emplace_back(MakeEvent(family, name, limit, options_.window));
    event.set_count(count);
    event.set_lockout_seconds(Seconds(std::min(options_.lockout, max_lockout)));
    event.set_max_lockout_seconds(Seconds(max_lockout));
  };
  // It is there without a limit, too: what stands first says which store counts (RateLimiter).
  add("login/address", ClientName(peer), options_.max_failures, options_.max_lockout);
  // A client that is known here does not suffer for its neighbours, nor for who guesses elsewhere.
  if (!account.empty() && guard_.Knows(peer, account)) return Limited(std::move(events));
  // Most of a network's users are not to blame, either.
  add("login/network", NetworkName(peer), options_.max_network_failures,
      std::min(options_.max_lockout, options_.max_account_lockout));
  if (account.empty()) return Limited(std::move(events));
  // A key is UTF-8 and not long; what the client wrote need not be.
  const bool plain = account.size() <= kMaxName &&
                     std::all_of(account.begin(), account.end(), absl::ascii_isgraph);
  add("login/account", plain ? account : absl::BytesToHexString(ToAbsl(Fingerprint(account))),
      options_.max_account_failures, options_.max_account_lockout);
  return Limited(std::move(events));
}

void LoginLimits::NoteLockout(std::string_view peer, const RateLimiter::Verdict& verdict) {
  // The client's own: this process need not ask again.
  if (verdict.refused == 0) guard_.LockOut(peer, absl::Now() + verdict.retry_after);
}

absl::Duration LoginLimits::LockedHere(std::string_view peer) {
  return guard_.LockedFor(peer, absl::Now());
}

boost::asio::awaitable<absl::Duration> LoginLimits::LockedFor(std::string peer,
                                                              std::string account) {
  const absl::Duration here = LockedHere(peer);
  if (here > absl::ZeroDuration()) co_return here;
  absl::AsciiStrToLower(&account);
  const RateLimiter::Verdict verdict = co_await limiter_.Count(Events(peer, account, 0));
  if (verdict.allowed) co_return absl::ZeroDuration();
  NoteLockout(peer, verdict);
  co_return verdict.retry_after;
}

boost::asio::awaitable<void> LoginLimits::Failed(std::string peer, std::string account,
                                                 std::string credentials) {
  absl::AsciiStrToLower(&account);
  const std::string tried = Joined(account, credentials);
  absl::Duration locked = guard_.Failed(peer, tried, absl::Now());
  std::vector<LimitedEvent> events = Events(peer, account, 1);
  for (LimitedEvent& event : events) event.set_fingerprint(Fingerprint(tried));
  const RateLimiter::Verdict verdict = co_await limiter_.Count(std::move(events));
  if (verdict.locked_out) {
    NoteLockout(peer, verdict);
    locked = std::max(locked, verdict.retry_after);
  }
  if (locked > absl::ZeroDuration()) {
    LogWarning("too many failed logins, the last from {} to {:.100}: refused for {} s", peer,
               account, absl::ToInt64Seconds(locked));
  }
}

void LoginLimits::Succeeded(std::string_view peer, std::string_view account) {
  guard_.Succeeded(peer, absl::AsciiStrToLower(ToAbsl(account)));
}

}  // namespace rmail::gateway
