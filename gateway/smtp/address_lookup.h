// What the store knows of addresses.
#ifndef RMAIL_GATEWAY_SMTP_ADDRESS_LOOKUP_H_
#define RMAIL_GATEWAY_SMTP_ADDRESS_LOOKUP_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/store_session.h"
#include "rmail/store/v1/directory.pb.h"
#include "store/base/mutex.h"

namespace rmail::gateway::smtp {

// Thread-safe. `store` outlives it.
class AddressLookup {
 public:
  explicit AddressLookup(gateway::StoreAccess& store) : store_(store) {}

  // Where mail for `user@domain` goes. Errors as of ResolveRecipient; but an address at another
  // server may be one that could not be ours.
  boost::asio::awaitable<absl::StatusOr<store::v1::ResolveRecipientResponse>> Resolve(
      std::string address);

  // Whether mail for `user@domain` goes to this account (accounts/{user@domain}), among others
  // maybe. An error: it can't be told now.
  boost::asio::awaitable<absl::StatusOr<bool>> Owns(std::string account, std::string address);

  // Whether the domain of `user@domain` is served here, there being such a user or not. The answer
  // for a domain is kept for half a minute: each message that comes in asks.
  boost::asio::awaitable<absl::StatusOr<bool>> IsLocal(std::string address);

 private:
  struct Known {
    bool local = false;
    absl::Time until;
  };
  boost::asio::awaitable<absl::StatusOr<store::v1::ResolveRecipientResponse>> Ask(
      std::string address);
  std::optional<bool> FindDomain(const std::string& domain);
  void KeepDomain(std::string domain, bool local);

  gateway::StoreAccess& store_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Known> domains_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_ADDRESS_LOOKUP_H_
