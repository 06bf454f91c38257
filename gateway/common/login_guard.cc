#include "gateway/common/login_guard.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace rmail::gateway {
namespace {

constexpr size_t kMaxClients = 25'000;  // of each generation
constexpr size_t kMaxKnown = 25'000;    // the same
constexpr int kMaxDoublings = 20;
constexpr int kForgetFactor = 4;

std::string RandomKey() {
  std::string key(32, '\0');
  // Without randomness there is no safe way on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1) {
    std::terminate();
  }
  return key;
}

}  // namespace

LoginGuard::LoginGuard(LoginGuardOptions options)
    : options_(std::move(options)), key_(RandomKey()) {}

bool LoginGuard::Exempt(std::string_view address) const {
  return std::any_of(options_.trusted.begin(), options_.trusted.end(),
                     [&](const AddressRange& range) { return range.Contains(address); });
}

uint64_t LoginGuard::Fingerprint(std::string_view credentials) const {
  unsigned char digest[32];
  unsigned int size = sizeof(digest);
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(credentials.data()), credentials.size(), digest,
       &size);
  uint64_t fingerprint = 0;
  std::memcpy(&fingerprint, digest, sizeof(fingerprint));
  return fingerprint;
}

LoginGuard::Client* LoginGuard::Find(const std::string& key) {
  for (Clients* const clients : {&recent_, &older_}) {
    const auto found = clients->find(key);
    if (found != clients->end()) return &found->second;
  }
  return nullptr;
}

LoginGuard::Client& LoginGuard::FindOrAdd(const std::string& key) {
  const auto found = recent_.find(key);
  if (found != recent_.end()) return found->second;
  Client client;
  if (const auto old = older_.find(key); old != older_.end()) {
    client = std::move(old->second);
    older_.erase(old);
  }
  if (recent_.size() >= kMaxClients) older_ = std::exchange(recent_, Clients());
  return recent_.emplace(key, std::move(client)).first->second;
}

absl::Duration LoginGuard::LockedFor(std::string_view address, absl::Time now) {
  if (options_.max_failures == 0 || Exempt(address)) return absl::ZeroDuration();
  MutexLock lock(&mutex_);
  const Client* const client = Find(ClientKey(address));
  if (client == nullptr) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), client->locked_until - now);
}

absl::Duration LoginGuard::Failed(std::string_view address, std::string_view credentials,
                                  absl::Time now) {
  if (options_.max_failures == 0 || Exempt(address)) return absl::ZeroDuration();
  const uint64_t fingerprint = Fingerprint(credentials);
  MutexLock lock(&mutex_);
  Client& client = FindOrAdd(ClientKey(address));
  const absl::Duration forget = std::max(options_.window, kForgetFactor * options_.max_lockout);
  if (now - client.last > forget) client = Client();
  client.last = now;
  std::vector<Failure>& failures = client.failures;
  const auto is_old = [&](const Failure& f) { return now - f.when >= options_.window; };
  failures.erase(std::remove_if(failures.begin(), failures.end(), is_old), failures.end());
  const bool repeated = std::any_of(failures.begin(), failures.end(),
                                    [&](const Failure& f) { return f.credentials == fingerprint; });
  if (repeated) return absl::ZeroDuration();
  failures.push_back({now, fingerprint});
  if (failures.size() < options_.max_failures) return absl::ZeroDuration();
  const absl::Duration locked = std::min(
      options_.max_lockout, options_.lockout * (1 << std::min(client.lockouts, kMaxDoublings)));
  ++client.lockouts;
  client.locked_until = now + locked;
  std::vector<Failure>().swap(failures);
  return locked;
}

void LoginGuard::LockOut(std::string_view address, absl::Time until) {
  if (Exempt(address)) return;
  MutexLock lock(&mutex_);
  Client& client = FindOrAdd(ClientKey(address));
  client.locked_until = std::max(client.locked_until, until);
}

uint64_t LoginGuard::LoginFingerprint(std::string_view address, std::string_view account) const {
  std::string login = ClientKey(address);
  login += '\0';
  login += account;
  return Fingerprint(login);
}

void LoginGuard::Succeeded(std::string_view address, std::string_view account) {
  const uint64_t login = LoginFingerprint(address, account);
  MutexLock lock(&mutex_);
  if (known_recent_.contains(login)) return;
  if (known_recent_.size() >= kMaxKnown) known_older_ = std::exchange(known_recent_, {});
  known_recent_.insert(login);
}

bool LoginGuard::Knows(std::string_view address, std::string_view account) {
  const uint64_t login = LoginFingerprint(address, account);
  MutexLock lock(&mutex_);
  return known_recent_.contains(login) || known_older_.contains(login);
}

}  // namespace rmail::gateway
