// What APPEND and REPLACE have in common: the messages go to the store as they come, chunk by
// chunk.
#ifndef RMAIL_GATEWAY_IMAP_APPEND_TRANSFER_H_
#define RMAIL_GATEWAY_IMAP_APPEND_TRANSFER_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "gateway/imap/reply.h"
#include "gateway/imap/syntax/append_arguments.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

class Session;

struct AppendResult {
  // Set when nothing was stored: what the client is told.
  std::optional<Reply> refusal;
  // The store's name of the mailbox.
  std::string mailbox;
  // "APPENDUID 38505 3955:3957" (RFC 4315, 3; RFC 3502).
  std::string code;
};

// Reads the command to its end and stores what it brings. Ends the session when the connection
// breaks. `replaces`: a message that goes when the new one, which must be the only one, is stored.
boost::asio::awaitable<AppendResult> RunAppend(
    Session& session, const AppendArguments& arguments,
    const std::optional<store::v1::ReplacedMessage>& replaces = std::nullopt);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_APPEND_TRANSFER_H_
