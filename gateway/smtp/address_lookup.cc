#include "gateway/smtp/address_lookup.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "gateway/smtp/outcome.h"
#include "gateway/smtp/recipient.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/error.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::ResolveRecipientRequest;
using store::v1::ResolveRecipientResponse;

constexpr absl::Duration kKeepDomain = absl::Seconds(30);
// More are not kept: then all are forgotten.
constexpr size_t kMaxDomains = 10000;

bool IsInvalidAddress(const absl::Status& status) {
  return ReasonOf(status) == store::v1::ERROR_REASON_INVALID_ADDRESS;
}

// The store has looked at the address and says no: it is one of its own.
bool IsRefusal(const absl::Status& status) {
  return !status.ok() && !IsTransient(ReplyFor(status));
}

}  // namespace

boost::asio::awaitable<absl::StatusOr<ResolveRecipientResponse>> AddressLookup::Ask(
    std::string address) {
  const gateway::StoreSession store = store_.Deliverer(AccountOf(address));
  ResolveRecipientRequest request;
  request.set_address(std::move(address));
  co_return co_await store.Call(std::move(request));
}

boost::asio::awaitable<absl::StatusOr<ResolveRecipientResponse>> AddressLookup::Resolve(
    std::string address) {
  auto resolved = co_await Ask(address);
  if (!IsInvalidAddress(resolved.status())) co_return resolved;
  // No address of ours; elsewhere there may be such a one.
  const absl::StatusOr<bool> local = co_await IsLocal(std::move(address));
  if (!local.ok()) co_return local.status();
  if (*local) co_return resolved;
  co_return ResolveRecipientResponse();
}

boost::asio::awaitable<absl::StatusOr<bool>> AddressLookup::Owns(std::string account,
                                                                 std::string address) {
  if (EqualsIgnoreCase(AccountOf(address), account)) co_return true;
  const auto resolved = co_await Resolve(std::move(address));
  if (IsRefusal(resolved.status())) co_return false;
  if (!resolved.ok()) co_return resolved.status();
  const auto& accounts = resolved->accounts();
  co_return std::find(accounts.begin(), accounts.end(), account) != accounts.end();
}

boost::asio::awaitable<absl::StatusOr<bool>> AddressLookup::IsLocal(std::string address) {
  const size_t at = std::min(address.rfind('@'), address.size());
  std::string domain = absl::AsciiStrToLower(address.substr(at));
  const std::optional<bool> known = FindDomain(domain);
  if (known.has_value()) co_return *known;
  // Not the address itself: one that none of our users could have says nothing of its domain.
  const auto resolved = co_await Ask("postmaster" + domain);
  if (!resolved.ok() && !IsRefusal(resolved.status())) co_return resolved.status();
  const bool local = resolved.ok() ? resolved->local() : !IsInvalidAddress(resolved.status());
  KeepDomain(std::move(domain), local);
  co_return local;
}

std::optional<bool> AddressLookup::FindDomain(const std::string& domain) {
  MutexLock lock(&mutex_);
  const auto found = domains_.find(domain);
  if (found == domains_.end() || found->second.until < absl::Now()) return std::nullopt;
  return found->second.local;
}

void AddressLookup::KeepDomain(std::string domain, bool local) {
  MutexLock lock(&mutex_);
  if (domains_.size() >= kMaxDomains) domains_.clear();
  domains_.insert_or_assign(std::move(domain), Known{local, absl::Now() + kKeepDomain});
}

}  // namespace rmail::gateway::smtp
