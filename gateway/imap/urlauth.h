// URLAUTH's INTERNAL mechanism (RFC 4467): a URL carries a code made with its mailbox's key, which
// lets others read that one message. The key is an annotation of the mailbox that no client sees.
#ifndef RMAIL_GATEWAY_IMAP_URLAUTH_H_
#define RMAIL_GATEWAY_IMAP_URLAUTH_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/common/store_session.h"
#include "gateway/imap/imap_url.h"

namespace rmail::gateway::imap {

inline constexpr std::string_view kUrlMechanism = "INTERNAL";

// A mailbox with the right to read it.
struct MailboxAccess {
  StoreSession store;
  // The store's name of it.
  std::string mailbox;
};

// The mailbox of a URL, in the account that the session is of. NOT_FOUND also when UIDVALIDITY is
// another one; else the store's errors.
boost::asio::awaitable<absl::StatusOr<std::string>> FindUrlMailbox(const StoreSession& store,
                                                                   const ImapUrl& url);

// The URL completed with its token, its mailbox being the session's own. The mailbox gets a key
// when it has none.
boost::asio::awaitable<absl::StatusOr<std::string>> SignUrl(const StoreSession& store,
                                                            const std::string& mailbox,
                                                            std::string rump);

// Makes the tokens made for a mailbox so far worthless.
boost::asio::awaitable<absl::Status> ResetUrlKey(const StoreSession& store,
                                                 const std::string& mailbox);

// Access to the mailbox of a URL with a token, which may be another account's: only once the token
// was checked, for `reader`, the account that asks. NOT_FOUND for whatever is wrong with it, so
// that nobody learns what exists; else the store's errors.
boost::asio::awaitable<absl::StatusOr<MailboxAccess>> OpenSignedUrl(StoreAccess& access,
                                                                    const StoreSession& reader,
                                                                    const ImapUrl& url);

// Whether the account (`accounts/{user@domain}`) is the one that a URL's user names.
bool IsUser(std::string_view account, std::string_view user);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_URLAUTH_H_
