// Puts a notice of non-delivery into the sender's mailbox, when that is one of ours.
#ifndef RMAIL_GATEWAY_SMTP_TELL_SENDER_H_
#define RMAIL_GATEWAY_SMTP_TELL_SENDER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "absl/time/time.h"
#include "gateway/common/store_session.h"
#include "gateway/smtp/non_delivery.h"

namespace rmail::gateway::smtp {

// The store calls run beside the session, so that it can answer its client before they have ended;
// it must wait for them with End() before it goes on. Not thread-safe.
class TellSender {
 public:
  // Starts on the caller's executor. A null sender is told nothing (RFC 5321, 4.5.5), a sender
  // elsewhere cannot be told, because nothing is relayed yet. Whatever is not told is logged as a
  // warning that names the recipients.
  TellSender(boost::asio::any_io_executor executor, gateway::StoreSession store,
             NonDelivery notice);

  // Whether nobody else needs to tell the sender: the notice is stored, or the sender is null.
  // False also when that is not known after `patience`.
  boost::asio::awaitable<bool> Told(absl::Duration patience);

  boost::asio::awaitable<void> End();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_TELL_SENDER_H_
