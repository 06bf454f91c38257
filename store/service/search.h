// SearchMessages, SortMessages and ThreadMessages: messages are looked at one by one, what is cheap
// first.
#ifndef RMAIL_STORE_SERVICE_SEARCH_H_
#define RMAIL_STORE_SERVICE_SEARCH_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"
#include "store/engine/mailbox.h"
#include "store/service/reactors.h"

namespace rmail::service {

// Where messages are looked for.
struct SearchedMailbox {
  Env* env;
  std::shared_ptr<engine::Mailbox> mailbox;
  // Its keywords, by bit.
  std::vector<std::string> keywords;
};

// Each looks at a part of the messages for an answer, which may be empty: so a long search can be
// cancelled. Messages that are expunged meanwhile match nothing, nor do damaged ones that must be
// read to tell. Those that match all the same are put in order as if they had an empty header.
// INVALID_REQUEST for an expression or criteria that make no sense.

absl::StatusOr<Producer<store::v1::SearchMessagesResponse>> NewSearch(
    SearchedMailbox where, const store::v1::SearchMessagesRequest& request);

absl::StatusOr<Producer<store::v1::SortMessagesResponse>> NewSort(
    SearchedMailbox where, const store::v1::SortMessagesRequest& request);

absl::StatusOr<Producer<store::v1::ThreadMessagesResponse>> NewThread(
    SearchedMailbox where, const store::v1::ThreadMessagesRequest& request);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_SEARCH_H_
