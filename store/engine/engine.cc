#include "store/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/incoming_message.h"

namespace rmail::engine {
namespace {

constexpr size_t kMaxPassword = 1024;
// Accounts that nobody uses are forgotten when more than this are known: each has files open.
constexpr size_t kMaxAccounts = 2000;
// Around the name of the folder of an account that was deleted: ".{user}.{time}.deleted".
constexpr char kDoomedPrefix[] = ".";
constexpr char kDoomedSuffix[] = ".deleted";

void Remove(Env* env, const std::string& path) {
  const absl::Status removed = env->RemoveRecursively(path);
  if (removed.ok() || absl::IsNotFound(removed)) return;
  LogWarning("{} can't be removed yet: {}", path, FromAbsl(removed.message()));
}

absl::Status NotAnAddress(std::string_view text) {
  return Error(store::v1::ERROR_REASON_INVALID_ADDRESS,
               fmt::format("not an account's address: {:.100}", text));
}

// The domain in lower case, safe as the name of a folder.
absl::StatusOr<std::string> AliasDomain(std::string_view text) {
  const std::optional<Address> address = ParseAddress("x@" + std::string(text));
  if (address && address->user == "x") return address->domain;
  return Error(store::v1::ERROR_REASON_INVALID_ALIAS, fmt::format("not a domain: {:.100}", text));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  RMAIL_RETURN_IF_ERROR(options.env->CreateDirectories(JoinPath(options.mail_root, "domains")));
  RMAIL_RETURN_IF_ERROR(options.env->SyncDirectory(options.mail_root));
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  engine->background_.Run([engine = engine.get()] { engine->SweepDeletedAccounts(); });
  return engine;
}

Engine::Engine(EngineOptions options)
    : options_(std::move(options)),
      commits_(options_.env, options_.mail_root, options_.sync),
      queue_({options_.env, JoinPath(options_.mail_root, "queue"), &commits_, options_.now}),
      aliases_(options_.env, JoinPath(options_.mail_root, "domains")) {}

void Engine::SweepDeletedAccounts() {
  const auto list = [this](const std::string& path) {
    return options_.env->List(path).value_or(std::vector<std::string>());
  };
  for (const std::string& domain : list(JoinPath(options_.mail_root, "domains"))) {
    const std::string users = UsersDirectory(domain);
    for (const std::string& name : list(users)) {
      if (!name.starts_with(kDoomedPrefix) || !name.ends_with(kDoomedSuffix)) continue;
      // Each by itself, so that an engine that closes need not wait for all.
      background_.Run([env = options_.env, path = JoinPath(users, name)] { Remove(env, path); });
    }
  }
}

std::string Engine::DomainDirectory(std::string_view domain) const {
  return fmt::format("{}/domains/{}", options_.mail_root, domain);
}

std::string Engine::UsersDirectory(std::string_view domain) const {
  return JoinPath(DomainDirectory(domain), "users");
}

std::string Engine::AccountDirectory(const Address& address) const {
  return JoinPath(UsersDirectory(address.domain), address.user);
}

absl::Status Engine::CheckPassword(std::string_view password) {
  if (!password.empty() && password.size() <= kMaxPassword) return absl::OkStatus();
  return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "a password has 1 to 1,024 octets");
}

absl::Status Engine::CreateAccount(std::string_view text, std::string_view password,
                                   UserSettings settings) {
  const std::optional<Address> address = ParseAddress(text);
  if (!address) return NotAnAddress(text);
  RMAIL_RETURN_IF_ERROR(CheckPassword(password));
  settings.hash = HashPassword(password);
  const std::string directory = AccountDirectory(*address);
  RMAIL_RETURN_IF_ERROR(options_.env->CreateDirectories(directory));
  // Made elsewhere and linked: of two that make the same account, one gets kAlreadyExists, and
  // nobody sees half a file.
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<IncomingMessage> draft,
                         IncomingMessage::Create(options_.env, directory));
  RMAIL_RETURN_IF_ERROR(draft->Write(FormatUserFile(settings)));
  RMAIL_RETURN_IF_ERROR(draft->Finish());
  const absl::Status linked = options_.env->Link(draft->path(), JoinPath(directory, "user.json"));
  if (absl::IsAlreadyExists(linked)) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_EXISTS,
                 fmt::format("there is an account {}", address->ToString()));
  }
  RMAIL_RETURN_IF_ERROR(linked);
  for (const std::string& path :
       {directory, UsersDirectory(address->domain), DomainDirectory(address->domain),
        JoinPath(options_.mail_root, "domains")}) {
    RMAIL_RETURN_IF_ERROR(options_.env->SyncDirectory(path));
  }
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Account> account, Find(*address));
  return account->Mailboxes().status();
}

absl::StatusOr<std::shared_ptr<Account>> Engine::FindAccount(std::string_view text) {
  const std::optional<Address> address = ParseAddress(text);
  if (!address) return NotAnAddress(text);
  return Find(*address);
}

absl::StatusOr<std::shared_ptr<Account>> Engine::Find(const Address& address) {
  const std::string name = address.ToString();
  std::shared_ptr<Account> account;
  {
    MutexLock lock(&mutex_);
    const auto found = accounts_.find(name);
    if (found != accounts_.end()) account = found->second;
  }
  if (account == nullptr) {
    const AccountContext context{options_.env, &feed_, &commits_, &background_};
    account = std::make_shared<Account>(context, address, AccountDirectory(address));
  }
  // An account is there if its user.json is.
  const absl::Status status = account->Settings().status();
  MutexLock lock(&mutex_);
  if (ReasonOf(status) == store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND) {
    accounts_.erase(name);
    return status;
  }
  RMAIL_RETURN_IF_ERROR(status);
  if (accounts_.size() >= kMaxAccounts && !accounts_.contains(name)) {
    absl::erase_if(accounts_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  // Another thread may have been first.
  return accounts_.emplace(name, std::move(account)).first->second;
}

absl::StatusOr<std::vector<std::string>> Engine::ListAccounts(std::string_view only_domain) {
  RMAIL_ASSIGN_OR_RETURN(std::vector<std::string> domains,
                         options_.env->List(JoinPath(options_.mail_root, "domains")));
  std::sort(domains.begin(), domains.end());
  std::vector<std::string> addresses;
  for (const std::string& domain : domains) {
    if (!only_domain.empty() && !absl::EqualsIgnoreCase(domain, ToAbsl(only_domain))) continue;
    absl::StatusOr<std::vector<std::string>> users = options_.env->List(UsersDirectory(domain));
    if (absl::IsNotFound(users.status())) continue;
    RMAIL_RETURN_IF_ERROR(users.status());
    std::sort(users->begin(), users->end());
    for (const std::string& user : *users) {
      const std::optional<Address> address = ParseAddress(user + "@" + domain);
      if (!address || address->ToString() != user + "@" + domain) continue;
      const absl::Status found = Find(*address).status();
      if (found.ok()) {
        addresses.push_back(address->ToString());
      } else if (ReasonOf(found) != store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND) {
        LogError("{} is not listed: {}", address->ToString(), FromAbsl(found.message()));
      }
    }
  }
  return addresses;
}

absl::Status Engine::DeleteAccount(std::string_view text) {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Account> account, FindAccount(text));
  const std::string directory = AccountDirectory(account->address());
  // Out of sight in one step, then taken apart. A name with a leading dot is nobody's.
  const std::string users = UsersDirectory(account->address().domain);
  const std::string doomed =
      fmt::format("{}/{}{}.{}{}", users, kDoomedPrefix, account->address().user,
                  absl::ToUnixNanos(absl::Now()), kDoomedSuffix);
  RMAIL_RETURN_IF_ERROR(options_.env->Rename(directory, doomed));
  {
    MutexLock lock(&mutex_);
    accounts_.erase(account->address().ToString());
  }
  RMAIL_RETURN_IF_ERROR(options_.env->SyncDirectory(users));
  Remove(options_.env, doomed);
  return absl::OkStatus();
}

bool Engine::KnowsPassword(std::string_view text, std::string_view password) {
  const absl::StatusOr<std::shared_ptr<Account>> account = FindAccount(text);
  if (!account.ok()) return false;
  const absl::StatusOr<UserSettings> settings = (*account)->Settings();
  return settings.ok() &&
         passwords_.Remembers((*account)->address().ToString(), password, settings->hash);
}

absl::StatusOr<std::pair<std::shared_ptr<Account>, UserSettings>> Engine::Authenticate(
    std::string_view text, std::string_view password) {
  const absl::Status refused =
      Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "unknown address or wrong password");
  if (!CheckPassword(password).ok()) return refused;
  const absl::StatusOr<std::shared_ptr<Account>> account = FindAccount(text);
  const ErrorReason reason = ReasonOf(account.status());
  if (reason == store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND ||
      reason == store::v1::ERROR_REASON_INVALID_ADDRESS) {
    // As slow as a wrong password, so that time tells nothing.
    passwords_.VerifyNothing(password);
    return refused;
  }
  RMAIL_RETURN_IF_ERROR(account.status());
  RMAIL_ASSIGN_OR_RETURN(const UserSettings settings, (*account)->Settings());
  if (!passwords_.Verify((*account)->address().ToString(), password, settings.hash)) {
    return refused;
  }
  if (settings.disabled) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_DISABLED, "the account is disabled");
  }
  return std::make_pair(*account, settings);
}

absl::StatusOr<bool> Engine::IsLocal(const std::string& domain) {
  const bool configured =
      std::any_of(options_.domains.begin(), options_.domains.end(),
                  [&](const std::string& name) { return absl::EqualsIgnoreCase(name, domain); });
  if (configured) return true;
  const absl::StatusOr<FileInfo> info = options_.env->Stat(DomainDirectory(domain));
  if (absl::IsNotFound(info.status())) return false;
  RMAIL_RETURN_IF_ERROR(info.status());
  return info->is_directory;
}

absl::StatusOr<RecipientSource::AccountState> Engine::StateOf(const Address& address) {
  const absl::StatusOr<std::shared_ptr<Account>> account = Find(address);
  if (ReasonOf(account.status()) == store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND) {
    return AccountState::kNone;
  }
  RMAIL_RETURN_IF_ERROR(account.status());
  RMAIL_ASSIGN_OR_RETURN(const UserSettings settings, (*account)->Settings());
  return settings.disabled ? AccountState::kDisabled : AccountState::kActive;
}

absl::StatusOr<std::shared_ptr<const AliasTable>> Engine::Aliases(const std::string& domain) {
  return aliases_.Read(domain);
}

absl::StatusOr<Recipients> Engine::ResolveRecipient(std::string_view address) {
  return engine::ResolveRecipient(*this, address);
}

absl::StatusOr<std::vector<Alias>> Engine::ListAliases(std::string_view text) {
  RMAIL_ASSIGN_OR_RETURN(const std::string domain, AliasDomain(text));
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const AliasTable> table, aliases_.Read(domain));
  return table->InOrder();
}

absl::StatusOr<Alias> Engine::SetAlias(std::string_view text, Alias alias) {
  RMAIL_ASSIGN_OR_RETURN(const std::string domain, AliasDomain(text));
  return aliases_.Set(domain, std::move(alias));
}

absl::Status Engine::DeleteAlias(std::string_view text, AliasKind kind, std::string_view pattern) {
  RMAIL_ASSIGN_OR_RETURN(const std::string domain, AliasDomain(text));
  return aliases_.Delete(domain, kind, pattern);
}

}  // namespace rmail::engine
