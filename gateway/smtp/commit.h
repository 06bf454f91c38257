// The end of a message: it goes into the store, and the client gets its reply.
#ifndef RMAIL_GATEWAY_SMTP_COMMIT_H_
#define RMAIL_GATEWAY_SMTP_COMMIT_H_

#include <boost/asio/awaitable.hpp>

#include "gateway/smtp/session.h"

namespace rmail::gateway::smtp {

// Opens the transaction's sink. It has a recipient.
void BeginMessage(Session& session);

// After the last octet: ends the transaction. 2yz means that the message is on disk, in every
// mailbox or queued, or that the sender is told of those it is not for. In LMTP there is a reply
// for each recipient (RFC 2033, 4.2).
boost::asio::awaitable<Outcome> CommitMessage(Session& session);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_COMMIT_H_
