// The untagged answers to searching commands, written in pieces that the connection takes.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_ANSWER_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_ANSWER_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/imap/message_runs.h"
#include "gateway/imap/search_contexts.h"
#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

class Session;

// "* SEARCH 2 84 (MODSEQ 7)": `name` is SEARCH or SORT. A modseq of 0 is left out.
boost::asio::awaitable<void> WriteNumbers(Session& session, const Command& command,
                                          const MessageRuns& messages, uint64_t modseq);

// "* ESEARCH (TAG "A1") UID MIN 2 COUNT 3" (RFC 4731, RFC 9394).
boost::asio::awaitable<void> WriteExtended(Session& session, const Command& command,
                                           const SearchReturn& returns, const MessageRuns& messages,
                                           uint64_t modseq);

// "* ESEARCH (TAG "A1") UID ADDTO (1 2731:2733)": `item` is ADDTO or REMOVEFROM (RFC 5267). Nothing
// when there are no changes.
boost::asio::awaitable<void> WriteContextChanges(Session& session, const SearchContext& context,
                                                 std::string_view item,
                                                 const std::vector<ContextChange>& changes);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_ANSWER_H_
