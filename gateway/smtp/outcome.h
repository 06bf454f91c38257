// What the store's answers mean in SMTP.
#ifndef RMAIL_GATEWAY_SMTP_OUTCOME_H_
#define RMAIL_GATEWAY_SMTP_OUTCOME_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gateway/smtp/syntax/reply.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/error.h"

namespace rmail::gateway::smtp {

// For a recipient or a message that fails for this reason.
Reply ReplyFor(ErrorReason reason);
// An error without a reason of its own is transient: nobody has decided that the mail can't be
// delivered.
Reply ReplyFor(const absl::Status& status);

// The account that an address names if it is one's own, whether it exists or not.
std::string AccountOf(std::string_view address);

// A forward-path and the accounts that get its mail.
struct Recipient {
  // `user@domain` as the client wrote it.
  std::string address;
  // `accounts/{user@domain}`.
  std::vector<std::string> accounts;
};

// Each account of the recipients once, in order.
std::vector<std::string> AccountsOf(const std::vector<Recipient>& recipients);

struct FailedRecipient {
  // As in Recipient.
  std::string address;
  // Why its copy was not stored.
  Reply reply;
};

// The recipients that have an account without a copy.
std::vector<FailedRecipient> FailedRecipients(const std::vector<Recipient>& recipients,
                                              const store::v1::DeliverMessageResponse& response);

// Whether at least one copy is stored.
bool AnyDelivered(const store::v1::DeliverMessageResponse& response);

// The reply for a message of which no copy is stored: a transient one when trying again may help
// any recipient.
Reply RefusalOfAll(const std::vector<FailedRecipient>& failed);

// The reply for a message of which only some copies are stored when the sender is to be told by the
// client's server: permanent whatever the reasons are. It names as many as a line may hold.
Reply RefusalOfSome(const std::vector<FailedRecipient>& failed);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_OUTCOME_H_
