// Where mail for an address goes: accounts and aliases followed to their ends.
#ifndef RMAIL_STORE_ENGINE_RECIPIENT_H_
#define RMAIL_STORE_ENGINE_RECIPIENT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "store/engine/address.h"
#include "store/engine/alias_table.h"

namespace rmail::engine {

// What there is. An error ends the resolution: it must not look as if something didn't exist.
class RecipientSource {
 public:
  enum class AccountState { kNone, kActive, kDisabled };

  virtual ~RecipientSource() = default;
  // `domain` is in lower case.
  virtual absl::StatusOr<bool> IsLocal(const std::string& domain) = 0;
  // Of the account with exactly this address.
  virtual absl::StatusOr<AccountState> StateOf(const Address& address) = 0;
  // Never null.
  virtual absl::StatusOr<std::shared_ptr<const AliasTable>> Aliases(const std::string& domain) = 0;
};

struct Recipients {
  // Whether the address's domain is served here; the others are empty otherwise.
  bool local = false;
  // Addresses of accounts that may get mail, each once.
  std::vector<std::string> accounts;
  // Addresses elsewhere, each once, the domain in lower case.
  std::vector<std::string> external;
};

// An account comes before an alias; `user+detail` is for `user` when it is nobody's itself. Aliases
// are followed through all local domains, 32 levels deep at most. What leads nowhere (a loop, a
// disabled account, an address that is nobody's) is left out when something else remains.
//
// Errors when nothing remains: ACCOUNT_DISABLED when there is a disabled account, else
// ACCOUNT_NOT_FOUND when there is an address that is nobody's, else ALIAS_LOOP. INVALID_ADDRESS;
// INVALID_ALIAS when it leads to more than 1,000 recipients or takes more than 10,000 steps: mail
// that only some of them get would be worse. And those of the source.
absl::StatusOr<Recipients> ResolveRecipient(RecipientSource& source, std::string_view address);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_RECIPIENT_H_
