// Addresses of accounts and names of resources.
#ifndef RMAIL_STORE_ENGINE_ADDRESS_H_
#define RMAIL_STORE_ENGINE_ADDRESS_H_

#include <optional>
#include <string>
#include <string_view>

namespace rmail::engine {

// An account's address, in lower case. Both parts are safe as names of folders: no '/', no control
// character, not "." or "..", no leading dot.
struct Address {
  std::string user;    // up to 64 octets
  std::string domain;  // up to 253 octets
  std::string ToString() const { return user + "@" + domain; }
};

// nullopt for what cannot be an account's address. ASCII is put in lower case.
std::optional<Address> ParseAddress(std::string_view text);

// `user` for `user+detail`; nullopt when there is no detail.
std::optional<std::string> WithoutDetail(std::string_view user);

// Letters and digits, 1 to 64: also the name of the mailbox's folder.
bool IsMailboxId(std::string_view id);

// "accounts/a@b" or "accounts/a@b/mailboxes/id", taken apart. `mailbox` is empty for an account.
struct ResourceName {
  std::string account;  // the address
  std::string mailbox;  // the id
};
std::optional<ResourceName> ParseResourceName(std::string_view name);
std::string AccountName(std::string_view address);
std::string MailboxName(std::string_view address, std::string_view mailbox_id);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ADDRESS_H_
