// The store engine: everything below mail_root. It knows nothing of gRPC.
#ifndef RMAIL_STORE_ENGINE_ENGINE_H_
#define RMAIL_STORE_ENGINE_ENGINE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/account.h"
#include "store/engine/address.h"
#include "store/engine/alias_files.h"
#include "store/engine/alias_table.h"
#include "store/engine/background.h"
#include "store/engine/feed.h"
#include "store/engine/group_commit.h"
#include "store/engine/password.h"
#include "store/engine/queue.h"
#include "store/engine/recipient.h"
#include "store/engine/scram.h"
#include "store/engine/user_file.h"

namespace rmail::engine {

struct EngineOptions {
  // Made when it is missing.
  std::string mail_root;
  // Domains that are served although they have no account yet.
  std::vector<std::string> domains;
  SyncMode sync = SyncMode::kFsync;
  Env* env = Env::Posix();
  // What time it is, for the queue.
  std::function<absl::Time()> now = absl::Now;
};

// Thread-safe. Several engines, in this process or others, may work on one mail_root.
class Engine : private RecipientSource {
 public:
  static absl::StatusOr<std::unique_ptr<Engine>> Open(EngineOptions options);

  Env* env() const { return options_.env; }
  Feed& feed() { return feed_; }
  GroupCommit& commits() { return commits_; }
  Queue& queue() { return queue_; }

  // INVALID_REQUEST unless it has 1 to 1,024 octets.
  static absl::Status CheckPassword(std::string_view password);

  // ACCOUNT_EXISTS, INVALID_ADDRESS. The account's default mailboxes are there when it returns.
  absl::Status CreateAccount(std::string_view address, std::string_view password,
                             UserSettings settings);
  // ACCOUNT_NOT_FOUND.
  absl::StatusOr<std::shared_ptr<Account>> FindAccount(std::string_view address);
  // The addresses of all accounts, or of one domain's, sorted by domain and user. One whose
  // user.json can't be read is left out; the log tells which.
  absl::StatusOr<std::vector<std::string>> ListAccounts(std::string_view domain);
  // Deletes the account and all its mail. What can't be removed at once, or a process that died
  // left behind, is removed when an engine is opened next.
  absl::Status DeleteAccount(std::string_view address);

  // Whether Authenticate would be quick: the password is remembered. It takes 0.1 s of a processor
  // otherwise.
  bool KnowsPassword(std::string_view address, std::string_view password);

  // BAD_CREDENTIALS, ACCOUNT_DISABLED (only when the password is right).
  absl::StatusOr<std::pair<std::shared_ptr<Account>, UserSettings>> Authenticate(
      std::string_view address, std::string_view password);

  // What a SCRAM client of this address needs. One that has no account, or no password that SCRAM
  // can use, gets something that looks the same, made with `fake_key`.
  absl::StatusOr<ScramParameters> ScramParametersOf(std::string_view address,
                                                    std::string_view fake_key);
  struct ScramLogin {
    std::shared_ptr<Account> account;
    UserSettings settings;
    std::string server_signature;
  };
  // Checks a SCRAM client's proof. Quick. BAD_CREDENTIALS, ACCOUNT_DISABLED (only when the proof is
  // right).
  absl::StatusOr<ScramLogin> AuthenticateScram(std::string_view address,
                                               std::string_view auth_message,
                                               std::string_view proof);

  // ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED, ALIAS_LOOP, INVALID_ADDRESS, INVALID_ALIAS; see
  // recipient.h.
  absl::StatusOr<Recipients> ResolveRecipient(std::string_view address);

  // All aliases of a domain as they are applied. INVALID_ALIAS when it cannot be a domain.
  absl::StatusOr<std::vector<Alias>> ListAliases(std::string_view domain);
  // Makes or replaces an alias and returns it as it is kept. From its first alias on, the domain is
  // served here. INVALID_ALIAS.
  absl::StatusOr<Alias> SetAlias(std::string_view domain, Alias alias);
  // ALIAS_NOT_FOUND.
  absl::Status DeleteAlias(std::string_view domain, AliasKind kind, std::string_view pattern);

 private:
  explicit Engine(EngineOptions options);
  // Lists what is left of deleted accounts, and has it removed.
  void SweepDeletedAccounts();

  std::string DomainDirectory(std::string_view domain) const;
  std::string UsersDirectory(std::string_view domain) const;
  std::string AccountDirectory(const Address& address) const;
  absl::StatusOr<std::shared_ptr<Account>> Find(const Address& address);

  absl::StatusOr<bool> IsLocal(const std::string& domain) override;
  absl::StatusOr<AccountState> StateOf(const Address& address) override;
  absl::StatusOr<std::shared_ptr<const AliasTable>> Aliases(const std::string& domain) override;

  const EngineOptions options_;
  GroupCommit commits_;
  Queue queue_;
  // Before the feed, whose mailboxes give it work.
  Background background_;
  PasswordCache passwords_;
  AliasFiles aliases_;
  Feed feed_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Account>> accounts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ENGINE_H_
