// Mailboxes by the path that clients name.
#ifndef RMAIL_GATEWAY_IMAP_MAILBOX_LOOKUP_H_
#define RMAIL_GATEWAY_IMAP_MAILBOX_LOOKUP_H_

#include <boost/asio/awaitable.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/common/store_session.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::gateway::imap {

// The mailbox with its counts. MAILBOX_NOT_FOUND and what else the store says.
boost::asio::awaitable<absl::StatusOr<store::v1::Mailbox>> FindMailbox(const StoreSession& store,
                                                                       std::string path);

// All of the account's.
boost::asio::awaitable<absl::StatusOr<store::v1::ListMailboxesResponse>> ListAllMailboxes(
    const StoreSession& store, bool with_counts);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_MAILBOX_LOOKUP_H_
