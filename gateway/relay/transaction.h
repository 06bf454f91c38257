// One mail transaction (RFC 5321, 3.3), from MAIL to the answer to the message's end.
#ifndef RMAIL_GATEWAY_RELAY_TRANSACTION_H_
#define RMAIL_GATEWAY_RELAY_TRANSACTION_H_

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/relay/mail_commands.h"
#include "gateway/relay/smtp_client.h"
#include "gateway/relay/transport.h"
#include "gateway/relay/transport_options.h"

namespace rmail::gateway::relay {

struct TransactionResult {
  struct Answer {
    smtp::Reply reply;
    // It is the server's.
    bool from_server = true;
  };
  // One for each recipient; nullopt: the connection ended before the server could have the message,
  // which may be sent to it, or another server, anew.
  std::vector<std::optional<Answer>> answers;
  // Set: the client is of no more use, and why. Else it takes the next transaction.
  std::optional<Answer> lost;
};

// `first` is the start of the message, of which `source` has the rest; null: `first` is all of it.
// Nothing is sent but what Obstacle() lets through.
boost::asio::awaitable<TransactionResult> Transact(SmtpClient& client, const Mail& mail,
                                                   std::string first,
                                                   std::unique_ptr<MessageSource> source,
                                                   const TransportTimeouts& timeouts);

// Whether a field of the message's header (the first MiB of it) is not ASCII.
boost::asio::awaitable<absl::StatusOr<bool>> HasUtf8Header(std::unique_ptr<MessageSource> source);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TRANSACTION_H_
