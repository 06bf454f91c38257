#include "gateway/smtp/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"

namespace rmail::gateway::smtp {
namespace {

// Octets of a reply's text that are left for names: RFC 5321, 4.5.3.1.5 has 512 for a line.
constexpr size_t kMaxNames = 450;

}  // namespace

Reply ReplyFor(ErrorReason reason) {
  switch (reason) {
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
    case store::v1::ERROR_REASON_MAILBOX_NOT_FOUND:
    case store::v1::ERROR_REASON_INVALID_ADDRESS:
      return {550, "5.1.1", "No such user here"};
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
      return {550, "5.2.1", "The mailbox is disabled"};
    case store::v1::ERROR_REASON_OVER_QUOTA:
      return {552, "5.2.2", "The mailbox is full"};
    case store::v1::ERROR_REASON_MESSAGE_TOO_LARGE:
      return {552, "5.3.4", "The message is too big"};
    case store::v1::ERROR_REASON_ALIAS_LOOP:
      return {550, "5.4.6", "The address leads back to itself"};
    default:
      return {451, "4.3.0", "The mail store is not available, try again later"};
  }
}

Reply ReplyFor(const absl::Status& status) { return ReplyFor(ReasonOf(status)); }

std::string AccountOf(std::string_view address) {
  return "accounts/" + absl::AsciiStrToLower({address.data(), address.size()});
}

std::vector<std::string> AccountsOf(const std::vector<Recipient>& recipients) {
  std::vector<std::string> accounts;
  absl::flat_hash_set<std::string> seen;
  for (const Recipient& recipient : recipients) {
    for (const std::string& account : recipient.accounts) {
      if (seen.insert(account).second) accounts.push_back(account);
    }
  }
  return accounts;
}

std::vector<FailedRecipient> FailedRecipients(const std::vector<Recipient>& recipients,
                                              const store::v1::DeliverMessageResponse& response) {
  // An account that the answer does not name has no copy.
  absl::flat_hash_map<std::string, std::string> reasons;
  for (const store::v1::DeliveryResult& result : response.results()) {
    reasons[result.recipient()] = result.reason();
  }
  std::vector<FailedRecipient> failed;
  for (const Recipient& recipient : recipients) {
    for (const std::string& account : recipient.accounts) {
      const auto reason = reasons.find(account);
      if (reason != reasons.end() && reason->second.empty()) continue;
      const ErrorReason why = reason == reasons.end() ? store::v1::ERROR_REASON_UNSPECIFIED
                                                      : ReasonFromName(reason->second);
      failed.push_back({recipient.address, ReplyFor(why)});
      break;
    }
  }
  return failed;
}

bool AnyDelivered(const store::v1::DeliverMessageResponse& response) {
  return std::any_of(
      response.results().begin(), response.results().end(),
      [](const store::v1::DeliveryResult& result) { return result.reason().empty(); });
}

Reply RefusalOfSome(const std::vector<FailedRecipient>& failed) {
  std::string text = "Stored for some recipients; not for:";
  size_t named = 0;
  for (const FailedRecipient& recipient : failed) {
    if (text.size() + recipient.address.size() > kMaxNames) break;
    text += fmt::format("{} <{}>", named == 0 ? "" : ",", recipient.address);
    ++named;
  }
  if (named < failed.size()) text += fmt::format(" and {} more", failed.size() - named);
  return {554, "5.3.0", std::move(text)};
}

Reply RefusalOfAll(const std::vector<FailedRecipient>& failed) {
  for (const FailedRecipient& recipient : failed) {
    if (IsTransient(recipient.reply)) return recipient.reply;
  }
  return failed.empty() ? ReplyFor(store::v1::ERROR_REASON_UNSPECIFIED) : failed.front().reply;
}

}  // namespace rmail::gateway::smtp
