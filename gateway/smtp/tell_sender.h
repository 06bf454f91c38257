// Tells a sender what became of a message: into its mailbox when it is one of ours, else through
// the queue.
#ifndef RMAIL_GATEWAY_SMTP_TELL_SENDER_H_
#define RMAIL_GATEWAY_SMTP_TELL_SENDER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gateway/common/store_session.h"
#include "gateway/relay/delivery_report.h"
#include "gateway/smtp/address_lookup.h"

namespace rmail::gateway::smtp {

struct Notices {
  // All to the same sender. Whatever is not told is logged as a warning that names the recipients.
  std::vector<relay::DeliveryReport> reports;
  // A sender elsewhere can be told: mail is relayed.
  bool relay = false;
  // The message came with REQUIRETLS, and so must what tells of it (RFC 8689, 5).
  bool require_tls = false;
};

// The store calls run beside the session, so that it can answer its client before they have ended;
// it must wait for them with End() before it goes on. Not thread-safe.
class TellSender {
 public:
  // Starts on the executor. `addresses` outlives it.
  TellSender(boost::asio::any_io_executor executor, AddressLookup& addresses,
             gateway::StoreSession store, Notices notices);

  // Whether all reports are stored. False also when that is not known after `patience`.
  boost::asio::awaitable<bool> Told(absl::Duration patience);

  boost::asio::awaitable<void> End();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_TELL_SENDER_H_
