// Puts a notice of non-delivery into the sender's mailbox, when that is one of ours.
#ifndef RMAIL_GATEWAY_SMTP_TELL_SENDER_H_
#define RMAIL_GATEWAY_SMTP_TELL_SENDER_H_

#include <boost/asio/awaitable.hpp>

#include "gateway/common/store_session.h"
#include "gateway/smtp/non_delivery.h"

namespace rmail::smtp {

// Tells the notice's sender; a null sender is told nothing (RFC 5321, 4.5.5), a sender elsewhere
// cannot be, because nothing is relayed yet. Whatever is not told is logged as a warning that names
// the recipients.
boost::asio::awaitable<void> TellSender(gateway::StoreSession store, NonDelivery notice);

}  // namespace rmail::smtp

#endif  // RMAIL_GATEWAY_SMTP_TELL_SENDER_H_
