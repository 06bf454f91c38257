// The tagged answer that a command handler returns.
#ifndef RMAIL_GATEWAY_IMAP_REPLY_H_
#define RMAIL_GATEWAY_IMAP_REPLY_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace rmail::gateway::imap {

struct Reply {
  // "OK [READ-WRITE] SELECT completed": what follows the tag, without the line's ending.
  std::string text;
  // The command was malformed or out of place.
  bool bad = false;
  // The store does not know the session any more: the client has to log in anew, on a new
  // connection.
  bool ends_session = false;
};

Reply Ok(std::string_view text);
// `code` is a response code without brackets ("NONEXISTENT"), or empty.
Reply No(std::string_view code, std::string_view text);
Reply Bad(std::string_view text);

// NO with the code (RFC 5530) that belongs to the store's reason.
Reply NoBecause(const absl::Status& error);

// The same for APPEND, where a missing mailbox is TRYCREATE (RFC 9051, 6.3.12).
Reply NoBecauseOfTarget(const absl::Status& error);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_REPLY_H_
