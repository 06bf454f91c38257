// Searches that the client's view of the mailbox can answer without the store.
#ifndef RMAIL_GATEWAY_IMAP_VIEW_SEARCH_H_
#define RMAIL_GATEWAY_IMAP_VIEW_SEARCH_H_

#include <optional>
#include <vector>

#include "gateway/imap/message_runs.h"
#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/search_arguments.h"

namespace rmail::gateway::imap {

// Messages that match all keys, ascending. nullopt when the store must be asked: a key is about
// more than flags and numbers, a number is too high, messages are gone that the client still
// counts, or it would take the event loop longer than a round trip.
std::optional<MessageRuns> SearchView(const std::vector<SearchKey>& keys,
                                      const SelectedMailbox& mailbox);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_VIEW_SEARCH_H_
