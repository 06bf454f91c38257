// IMAP URLs that name a message or a part of one (RFC 5092), and what URLAUTH adds to them (RFC
// 4467). Pure.
#ifndef RMAIL_GATEWAY_IMAP_IMAP_URL_H_
#define RMAIL_GATEWAY_IMAP_IMAP_URL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/imap/syntax/message_arguments.h"

namespace rmail::gateway::imap {

// Who may fetch what a URL names.
enum class UrlAccess {
  // The user named.
  kUser,
  // Mail submission on behalf of the user named.
  kSubmit,
  // Whoever has logged in.
  kAuthUser,
  kAnonymous,
};

struct UrlAuth {
  UrlAccess access = UrlAccess::kUser;
  // For kUser and kSubmit.
  std::string user;
  // In upper case; empty for a URL that has no token yet.
  std::string mechanism;
  std::string token;
  // The URL up to the mechanism, as it was given: what the token vouches for.
  std::string rump;
};

struct ImapUrl {
  // Both empty for a URL that is relative to the server; the user may be missing elsewhere too.
  std::string user;
  std::string host;
  // UTF-8. Unset: the selected one.
  std::optional<std::string> mailbox;
  std::optional<uint32_t> uid_validity;
  uint32_t uid = 0;
  Section section;
  // With length 0 for all up to the end.
  std::optional<Partial> partial;
  // After this moment nobody may fetch it.
  std::optional<absl::Time> expires;
  std::optional<UrlAuth> auth;
};

// Takes "imap://user@host/mailbox/;UID=1...", "//host/...", "/mailbox/;UID=1..." and "/;UID=1...".
// Names with a domain have '@' encoded as %40 in the user. nullopt when it names no message.
std::optional<ImapUrl> ParseImapUrl(std::string_view url);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_IMAP_URL_H_
