// Stops the guessing of passwords: who fails too often is refused for a while.
#ifndef RMAIL_GATEWAY_COMMON_LOGIN_GUARD_H_
#define RMAIL_GATEWAY_COMMON_LOGIN_GUARD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "gateway/common/client_address.h"
#include "store/base/mutex.h"

namespace rmail::gateway {

struct LoginGuardOptions {
  // Failed logins of a client within `window` that lock it out; 0: no number does.
  uint32_t max_failures = 10;
  absl::Duration window = absl::Minutes(10);
  // How long the first time; each further time twice as long, up to the second. A client that has
  // not failed for four times the second is a new one.
  absl::Duration lockout = absl::Minutes(1);
  absl::Duration max_lockout = absl::Hours(1);
  // What LoginLimits counts beyond that: failures from one network, and to log in to one account,
  // within `window`; 0: no number matters. These are locked out for less long, max_account_lockout
  // at most: their users are not to blame.
  uint32_t max_network_failures = 100;
  uint32_t max_account_failures = 100;
  absl::Duration max_account_lockout = absl::Minutes(5);
  // Clients that are never locked out: a webmail server logs in for many.
  std::vector<AddressRange> trusted;
};

// Counts for this process alone; LoginLimits adds what others know. A client is what ClientKey
// says. Remembers 50,000 clients at most: then those that failed last; and the last 25,000 logins
// that succeeded. Thread-safe.
class LoginGuard {
 public:
  explicit LoginGuard(LoginGuardOptions options);

  // Whether the client is trusted: never locked out.
  bool Exempt(std::string_view address) const;

  // How long the client will not be listened to; zero: it may try.
  absl::Duration LockedFor(std::string_view address, absl::Time now);

  // Notes a failed login with these credentials. A client that sends the same wrong ones again and
  // again (a telephone whose owner has a new password) guesses nothing: they count once. Returns
  // for how long the client is locked out by this failure.
  absl::Duration Failed(std::string_view address, std::string_view credentials, absl::Time now);

  // Locks a client out: another gateway knows why.
  void LockOut(std::string_view address, absl::Time until);

  // A client has logged in to an account, and whether it once has. (Names compare octet by octet.)
  void Succeeded(std::string_view address, std::string_view account);
  bool Knows(std::string_view address, std::string_view account);

 private:
  struct Failure {
    absl::Time when;
    uint64_t credentials;
  };
  struct Client {
    std::vector<Failure> failures;  // within the window, since the last lock-out
    absl::Time last = absl::InfinitePast();
    absl::Time locked_until = absl::InfinitePast();
    int lockouts = 0;
  };
  using Clients = absl::flat_hash_map<std::string, Client>;

  uint64_t Fingerprint(std::string_view credentials) const;
  // Null when it is not known.
  Client* Find(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Client& FindOrAdd(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t LoginFingerprint(std::string_view address, std::string_view account) const;

  const LoginGuardOptions options_;
  const std::string
      key_;  // of this process: what it remembers of credentials is of no use elsewhere
  Mutex mutex_;
  // When the recent ones are full they become the older ones, and those are forgotten.
  Clients recent_ ABSL_GUARDED_BY(mutex_);
  Clients older_ ABSL_GUARDED_BY(mutex_);
  // Of a client and an account; the same.
  absl::flat_hash_set<uint64_t> known_recent_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<uint64_t> known_older_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_LOGIN_GUARD_H_
