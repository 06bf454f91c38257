// What a sender is to be told of a message that was taken.
#ifndef RMAIL_GATEWAY_SMTP_NOTICES_H_
#define RMAIL_GATEWAY_SMTP_NOTICES_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/relay/delivery_report.h"
#include "gateway/smtp/outcome.h"
#include "gateway/smtp/recipient.h"
#include "gateway/smtp/syntax/envelope.h"

namespace rmail::gateway::smtp {

// What the reports of one message have in common.
struct ReportedMessage {
  // This server.
  std::string hostname;
  // This server's name of the message.
  std::string id;
  const MailCommand* mail = nullptr;
  absl::Time arrived;
  absl::Time now;
  // Its header.
  relay::ReturnedContent returned;
};

// The recipients without a copy whose sender wants to hear of it. None for the null reverse-path
// (RFC 5321, 4.5.5).
std::vector<FailedRecipient> ToReport(const MailCommand& mail,
                                      const std::vector<Recipient>& recipients,
                                      std::vector<FailedRecipient> failed);

// No report when nobody failed.
std::vector<relay::DeliveryReport> FailureReports(const ReportedMessage& message,
                                                  const std::vector<Recipient>& recipients,
                                                  const std::vector<FailedRecipient>& failed);

// For recipients with a mailbox here that has the message, where the sender asked for it (RFC
// 3461, 5.2.3). `failed` are all that failed.
std::vector<relay::DeliveryReport> SuccessReports(const ReportedMessage& message,
                                                  const std::vector<Recipient>& recipients,
                                                  const std::vector<FailedRecipient>& failed);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_NOTICES_H_
