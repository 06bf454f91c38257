#include "gateway/imap/reply.h"

#include <fmt/format.h>

#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

Reply Ok(std::string_view text) { return {.text = fmt::format("OK {}", text)}; }

Reply No(std::string_view code, std::string_view text) {
  if (code.empty()) return {.text = fmt::format("NO {}", text)};
  return {.text = fmt::format("NO [{}] {}", code, text)};
}

Reply Bad(std::string_view text) { return {.text = fmt::format("BAD {}", text), .bad = true}; }

// Never the store's own text: it may quote what the client sent, line endings included.
Reply NoBecause(const absl::Status& error) {
  switch (ReasonOf(error)) {
    case store::v1::ERROR_REASON_MAILBOX_NOT_FOUND:
      return No("NONEXISTENT", "No such mailbox");
    case store::v1::ERROR_REASON_OVER_QUOTA:
      return No("OVERQUOTA", "Quota exceeded");
    case store::v1::ERROR_REASON_MAILBOX_EXISTS:
      return No("ALREADYEXISTS", "The mailbox exists already");
    case store::v1::ERROR_REASON_BAD_CREDENTIALS:
      return No("AUTHENTICATIONFAILED", "Invalid address or password");
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
      return No("AUTHORIZATIONFAILED", "The account is disabled");
    case store::v1::ERROR_REASON_STORE_UNAVAILABLE:
      return No("UNAVAILABLE", "The mail store cannot be reached, try again later");
    case store::v1::ERROR_REASON_BAD_TOKEN: {
      Reply reply = No("EXPIRED", "The session has expired, log in again");
      reply.ends_session = true;
      return reply;
    }
    case store::v1::ERROR_REASON_NOT_PERMITTED:
      return No("NOPERM", "Not permitted");
    case store::v1::ERROR_REASON_INVALID_PATH:
      return No("CANNOT", "Invalid mailbox name");
    case store::v1::ERROR_REASON_INVALID_REQUEST:
      return No("CANNOT", "The request is not possible");
    case store::v1::ERROR_REASON_MESSAGE_TOO_LARGE:
      return No("TOOBIG", "The message is too large");
    case store::v1::ERROR_REASON_TOO_MANY_KEYWORDS:
      return No("LIMIT", "The mailbox can have no more keywords");
    default:
      LogWarning("imap: store call failed: {}", ToText(error));
      return No("SERVERBUG", "Internal error, see the server's log");
  }
}

Reply NoBecauseOfTarget(const absl::Status& error) {
  if (ReasonOf(error) == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) {
    return No("TRYCREATE", "No such mailbox");
  }
  return NoBecause(error);
}

}  // namespace rmail::gateway::imap
