#include "gateway/smtp/notices.h"

#include <utility>

#include "absl/container/flat_hash_set.h"

namespace rmail::gateway::smtp {
namespace {

relay::DeliveryReport NewReport(relay::ReportAction action, const ReportedMessage& message) {
  relay::DeliveryReport report;
  report.action = action;
  report.hostname = message.hostname;
  report.sender = message.mail->reverse_path.Address();
  report.trace_id = message.id;
  report.envelope_id = message.mail->envelope_id;
  report.unique = relay::NewReportId();
  report.arrived = message.arrived;
  report.time = message.now;
  report.returned = message.returned;
  report.utf8 = message.mail->utf8;
  return report;
}

void AddRecipient(const Recipient& recipient, Reply reply, relay::DeliveryReport& report) {
  relay::ReportedRecipient& reported = report.recipients.emplace_back();
  reported.address = recipient.address;
  reported.original_recipient = recipient.original_recipient;
  reported.reply = std::move(reply);
}

}  // namespace

std::vector<FailedRecipient> ToReport(const MailCommand& mail,
                                      const std::vector<Recipient>& recipients,
                                      std::vector<FailedRecipient> failed) {
  if (mail.reverse_path.null()) return {};
  std::erase_if(failed, [&](const FailedRecipient& recipient) {
    return !recipients[recipient.index].wants_failure();
  });
  return failed;
}

std::vector<relay::DeliveryReport> FailureReports(const ReportedMessage& message,
                                                  const std::vector<Recipient>& recipients,
                                                  const std::vector<FailedRecipient>& failed) {
  if (failed.empty()) return {};
  relay::DeliveryReport report = NewReport(relay::ReportAction::kFailed, message);
  for (const FailedRecipient& recipient : failed) {
    AddRecipient(recipients[recipient.index], recipient.reply, report);
  }
  return {std::move(report)};
}

std::vector<relay::DeliveryReport> SuccessReports(const ReportedMessage& message,
                                                  const std::vector<Recipient>& recipients,
                                                  const std::vector<FailedRecipient>& failed) {
  if (message.mail->reverse_path.null()) return {};
  absl::flat_hash_set<size_t> without_copy;
  for (const FailedRecipient& recipient : failed) without_copy.insert(recipient.index);
  relay::DeliveryReport report = NewReport(relay::ReportAction::kDelivered, message);
  for (size_t index = 0; index < recipients.size(); ++index) {
    const Recipient& recipient = recipients[index];
    // Of copies elsewhere the relay tells.
    if (!recipient.wants_success() || recipient.accounts.empty()) continue;
    if (without_copy.contains(index)) continue;
    AddRecipient(recipient, {250, "2.1.5", "Stored in the mailbox"}, report);
  }
  if (report.recipients.empty()) return {};
  return {std::move(report)};
}

}  // namespace rmail::gateway::smtp
