// Telling a client what has changed while it was away (RFC 7162, 3.2): SELECT's QRESYNC, UID
// FETCH's VANISHED.
#ifndef RMAIL_GATEWAY_IMAP_RESYNC_H_
#define RMAIL_GATEWAY_IMAP_RESYNC_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>

#include "absl/status/status.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/select_arguments.h"

namespace rmail::gateway::imap {

// Answers QRESYNC after SELECT's other answers: VANISHED (EARLIER), then FETCH with flags. Nothing
// when the client's UIDVALIDITY is another one. Sends as it goes.
boost::asio::awaitable<absl::Status> Resynchronize(Session& session,
                                                   const QresyncParameter& parameter);

// VANISHED (EARLIER) for UIDs of the set that have gone since the modseq.
boost::asio::awaitable<absl::Status> SendVanished(Session& session, uint64_t modseq,
                                                  const SequenceSet& uids);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_RESYNC_H_
