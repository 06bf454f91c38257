// Looks for messages in the store.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_RUN_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_RUN_H_

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/imap/message_runs.h"
#include "gateway/imap/progress_notes.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

class Session;

using SortCriteria = google::protobuf::RepeatedPtrField<store::v1::SortCriterion>;

// Messages of the selected mailbox that match and that the client knows of. Errors are the store's;
// kCancelled when the client is gone. `tag` is for progress notes, which go out before the function
// returns; none when it is empty.

// Ascending.
boost::asio::awaitable<absl::StatusOr<MessageRuns>> FindMessages(
    Session& session, std::string_view tag, const store::v1::SearchExpression& expression);

// In the order of the criteria, at least one.
boost::asio::awaitable<absl::StatusOr<MessageRuns>> FindSorted(
    Session& session, std::string_view tag, const store::v1::SearchExpression& expression,
    const SortCriteria& criteria);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_RUN_H_
