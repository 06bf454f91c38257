// SearchMessages: an expression tree, evaluated message by message, what is cheap first.
#ifndef RMAIL_STORE_SERVICE_SEARCH_H_
#define RMAIL_STORE_SERVICE_SEARCH_H_

#include <memory>
#include <vector>

#include "rmail/store/v1/message.pb.h"
#include "store/engine/mailbox.h"
#include "store/service/reactors.h"

namespace rmail::service {

// The UIDs of those of `rows` that match, a part of them an answer; so a long search can be
// cancelled. `keywords` are the mailbox's, by bit. INVALID_REQUEST for a tree that is nested too
// deep or has an empty condition.
absl::StatusOr<Producer<store::v1::SearchMessagesResponse>> NewSearch(
    std::shared_ptr<engine::Mailbox> mailbox, std::vector<engine::MessageRow> rows,
    std::vector<std::string> keywords, store::v1::SearchExpression expression);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_H_
