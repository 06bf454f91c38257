// What the store's answers mean in SMTP.
#ifndef RMAIL_GATEWAY_SMTP_OUTCOME_H_
#define RMAIL_GATEWAY_SMTP_OUTCOME_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/smtp/recipient.h"
#include "gateway/smtp/syntax/reply.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/error.h"

namespace rmail::gateway::smtp {

// For a recipient or a message that fails for this reason.
Reply ReplyFor(ErrorReason reason);
// An error without a reason of its own is transient: nobody has decided that the mail can't be
// delivered.
Reply ReplyFor(const absl::Status& status);

struct FailedRecipient {
  // As in Recipient.
  std::string address;
  // Why its copy was not stored.
  Reply reply;
  // Its place among the recipients.
  size_t index = 0;
  // It has other copies that are stored or queued.
  bool partial = false;
};

// The recipients that have an account without a copy.
std::vector<FailedRecipient> FailedRecipients(const std::vector<Recipient>& recipients,
                                              const store::v1::DeliverMessageResponse& response);

// Whether at least one copy is stored, or the message is queued.
bool AnyDelivered(const store::v1::DeliverMessageResponse& response);

// The reply for a message of which no copy is stored: a transient one when trying again may help
// any recipient.
Reply RefusalOfAll(const std::vector<FailedRecipient>& failed);

// The reply for a message of which only some copies are stored when the sender is to be told by the
// client's server: permanent whatever the reasons are. It names as many as a line may hold.
Reply RefusalOfSome(const std::vector<FailedRecipient>& failed);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_OUTCOME_H_
