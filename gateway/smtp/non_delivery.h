// The notice that tells a sender which copies of an accepted message could not be stored (RFC
// 3464).
#ifndef RMAIL_GATEWAY_SMTP_NON_DELIVERY_H_
#define RMAIL_GATEWAY_SMTP_NON_DELIVERY_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/smtp/outcome.h"

namespace rmail::gateway::smtp {

struct NonDelivery {
  // This server.
  std::string hostname;
  // Whom to tell: the reverse-path, not null.
  std::string sender;
  // This server's name of the message that failed.
  std::string id;
  std::vector<FailedRecipient> failed;
  absl::Time time;
};

// The whole message, trace field included: multipart/report with a text and a
// message/delivery-status part. Its reverse-path is null, so that no notice is ever answered by
// another.
std::string ComposeNonDelivery(const NonDelivery& notice);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_NON_DELIVERY_H_
