// What SEARCH and SORT have in common.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_COMMAND_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_COMMAND_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/imap/reply.h"
#include "gateway/imap/syntax/command.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

class Session;

// What is looked for, or why there is nothing to look for.
struct PreparedSearch {
  std::optional<Reply> refusal;
  // In UTF-8.
  std::vector<SearchKey> keys;
  store::v1::SearchExpression expression;
  // A key asks for modseqs: so does the answer tell one.
  bool modseq = false;
};

// Keys as the store takes them. Switches CONDSTORE on when a key is about modseqs (RFC
// 7162, 3.1.5).
boost::asio::awaitable<PreparedSearch> PrepareSearch(Session& session, const Command& command,
                                                     const SearchArguments& arguments);

// SEARCH, or SORT when there are sort keys.
boost::asio::awaitable<Reply> RunSearchCommand(Session& session, const Command& command,
                                               const SearchArguments& arguments,
                                               const std::vector<SortKey>& sort_keys);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_COMMAND_H_
