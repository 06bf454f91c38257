#include "gateway/smtp/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"

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
    case store::v1::ERROR_REASON_QUEUE_FULL:
      return {452, "4.3.1", "The queue is full, try again later"};
    case store::v1::ERROR_REASON_MESSAGE_TOO_LARGE:
      return {552, "5.3.4", "The message is too big"};
    case store::v1::ERROR_REASON_ALIAS_LOOP:
      return {550, "5.4.6", "The address leads back to itself"};
    default:
      return {451, "4.3.0", "The mail store is not available, try again later"};
  }
}

Reply ReplyFor(const absl::Status& status) { return ReplyFor(ReasonOf(status)); }

std::vector<FailedRecipient> FailedRecipients(const std::vector<Recipient>& recipients,
                                              const store::v1::DeliverMessageResponse& response) {
  // An account that the answer does not name has no copy.
  absl::flat_hash_map<std::string, std::string> reasons;
  for (const store::v1::DeliveryResult& result : response.results()) {
    reasons[result.recipient()] = result.reason();
  }
  std::vector<FailedRecipient> failed;
  for (size_t index = 0; index < recipients.size(); ++index) {
    const Recipient& recipient = recipients[index];
    std::optional<ErrorReason> why;
    size_t copies = recipient.external.size();
    for (const std::string& account : recipient.accounts) {
      const auto reason = reasons.find(account);
      if (reason != reasons.end() && reason->second.empty()) {
        ++copies;
      } else if (!why.has_value()) {
        why = reason == reasons.end() ? store::v1::ERROR_REASON_UNSPECIFIED
                                      : ReasonFromName(reason->second);
      }
    }
    if (!why.has_value()) continue;
    failed.push_back({recipient.address, ReplyFor(*why), index, copies > 0});
  }
  return failed;
}

bool AnyDelivered(const store::v1::DeliverMessageResponse& response) {
  return !response.queued().empty() ||
         std::any_of(
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
