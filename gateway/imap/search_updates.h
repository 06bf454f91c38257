// Tells the client how the results of its searches change (RFC 5267).
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_UPDATES_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_UPDATES_H_

#include <boost/asio/awaitable.hpp>

namespace rmail::gateway::imap {

class Session;

// Both are for the selected mailbox's searches, and do nothing when it has not changed. When the
// store fails, the rest is told another time.

// Asks the store about what has changed, and tells what matches no more: before the client is told
// which messages are gone (RFC 5267, 4.3.4).
boost::asio::awaitable<void> BeginSearchUpdates(Session& session);

// Tells what matches now: after the client was told which messages have come (RFC 5267, 4.3.3).
boost::asio::awaitable<void> FinishSearchUpdates(Session& session);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_UPDATES_H_
