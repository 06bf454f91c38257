#include "store/engine/recipient.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/alias_list.h"

namespace rmail::engine {
namespace {

constexpr int kMaxLevels = 32;
constexpr int kMaxSteps = 10'000;
constexpr size_t kMaxRecipients = 1'000;

// Goes through the addresses level by level, each once: the first visit is the one with the most
// levels left, and a loop ends where it meets itself.
class Resolver {
 public:
  Resolver(RecipientSource& source, const Address& first)
      : source_(source), name_(first.ToString()) {
    seen_.insert(name_);
    queue_.push_back({first, 0});
  }

  absl::StatusOr<Recipients> Run() {
    while (!queue_.empty()) {
      const Step step = std::move(queue_.front());
      queue_.pop_front();
      RMAIL_RETURN_IF_ERROR(Visit(step));
    }
    if (found_.accounts.empty() && found_.external.empty()) return Nowhere();
    found_.local = true;
    return std::move(found_);
  }

 private:
  using AccountState = RecipientSource::AccountState;

  struct Step {
    Address address;
    int level = 0;  // aliases before it
  };

  absl::Status Visit(const Step& step) {
    const std::string& domain = step.address.domain;
    for (const auto& user : {std::optional(step.address.user), WithoutDetail(step.address.user)}) {
      if (!user) continue;
      const Address address{*user, domain};
      RMAIL_ASSIGN_OR_RETURN(const AccountState state, source_.StateOf(address));
      if (state == AccountState::kActive) return AddAccount(address.ToString());
      if (state == AccountState::kDisabled) {
        met_disabled_ = true;
        return absl::OkStatus();
      }
    }
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const AliasTable> table, Aliases(domain));
    const std::optional<std::vector<std::string>> targets = table->Find(step.address.user);
    if (!targets) {
      met_nobody_ = true;
      return absl::OkStatus();
    }
    // Aliases that make ever new addresses are a loop, too.
    if (step.level == kMaxLevels) {
      LogWarning("aliases of {} are more than {} levels deep at {}: these are left out", name_,
                 kMaxLevels, step.address.ToString());
      return absl::OkStatus();
    }
    for (const std::string& target : *targets) {
      RMAIL_RETURN_IF_ERROR(Follow(target, step.level + 1));
    }
    return absl::OkStatus();
  }

  absl::Status Follow(const std::string& text, int level) {
    if (++steps_ > kMaxSteps) return TooMany("steps", kMaxSteps);
    const std::optional<Target> target = ParseTarget(text);
    if (!target) {
      met_nobody_ = true;
      return absl::OkStatus();
    }
    RMAIL_ASSIGN_OR_RETURN(const bool local, IsLocal(target->domain));
    if (!local) {
      std::string address = target->ToString();
      if (!seen_.insert(address).second) return absl::OkStatus();
      found_.external.push_back(std::move(address));
      return CheckCount();
    }
    const std::optional<Address> address = ParseAddress(text);
    if (!address) {
      met_nobody_ = true;
      return absl::OkStatus();
    }
    if (seen_.insert(address->ToString()).second) queue_.push_back({*address, level});
    return absl::OkStatus();
  }

  absl::Status AddAccount(std::string address) {
    if (!accounts_.insert(address).second) return absl::OkStatus();
    found_.accounts.push_back(std::move(address));
    return CheckCount();
  }

  absl::Status CheckCount() const {
    if (found_.accounts.size() + found_.external.size() <= kMaxRecipients) return absl::OkStatus();
    return TooMany("recipients", kMaxRecipients);
  }

  absl::Status TooMany(std::string_view of, size_t max) const {
    absl::Status status =
        Error(store::v1::ERROR_REASON_INVALID_ALIAS,
              fmt::format("the aliases of {} lead to more than {} {}", name_, max, of));
    LogError("{}", FromAbsl(status.message()));
    return status;
  }

  // Each address is asked about once in a resolution, so that all of it sees the same aliases.
  absl::StatusOr<bool> IsLocal(const std::string& domain) {
    const auto known = local_.find(domain);
    if (known != local_.end()) return known->second;
    RMAIL_ASSIGN_OR_RETURN(const bool local, source_.IsLocal(domain));
    local_.emplace(domain, local);
    return local;
  }
  absl::StatusOr<std::shared_ptr<const AliasTable>> Aliases(const std::string& domain) {
    const auto known = tables_.find(domain);
    if (known != tables_.end()) return known->second;
    RMAIL_ASSIGN_OR_RETURN(std::shared_ptr<const AliasTable> table, source_.Aliases(domain));
    tables_.emplace(domain, table);
    return table;
  }

  absl::Status Nowhere() const {
    if (met_disabled_) {
      return Error(store::v1::ERROR_REASON_ACCOUNT_DISABLED, "the account is disabled");
    }
    if (met_nobody_) {
      return Error(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND,
                   fmt::format("no account or alias {}", name_));
    }
    return Error(store::v1::ERROR_REASON_ALIAS_LOOP,
                 fmt::format("the aliases of {} lead back to themselves", name_));
  }

  RecipientSource& source_;
  const std::string name_;
  std::deque<Step> queue_;
  // Addresses that were met.
  absl::flat_hash_set<std::string> seen_;
  absl::flat_hash_set<std::string> accounts_;
  absl::flat_hash_map<std::string, bool> local_;
  absl::flat_hash_map<std::string, std::shared_ptr<const AliasTable>> tables_;
  int steps_ = 0;
  bool met_disabled_ = false;
  bool met_nobody_ = false;
  Recipients found_;
};

}  // namespace

absl::StatusOr<Recipients> ResolveRecipient(RecipientSource& source, std::string_view text) {
  const std::optional<Address> address = ParseAddress(text);
  if (!address) {
    return Error(store::v1::ERROR_REASON_INVALID_ADDRESS,
                 fmt::format("not an account's address: {:.100}", text));
  }
  RMAIL_ASSIGN_OR_RETURN(const bool local, source.IsLocal(address->domain));
  if (!local) return Recipients();
  return Resolver(source, *address).Run();
}

}  // namespace rmail::engine
