// Identifiers that the API shows. They are opaque to clients and safe in a URL's path as they are.
#ifndef RMAIL_GATEWAY_EXCHANGE_MESSAGE_ID_H_
#define RMAIL_GATEWAY_EXCHANGE_MESSAGE_ID_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway::exchange {

struct MessageId {
  // The id in `accounts/{user@domain}/mailboxes/{mailbox_id}`.
  std::string mailbox_id;
  // At least 1.
  uint32_t uid = 0;
};

// base64url without padding of the UID's four octets, big-endian, and the mailbox id.
std::string EncodeMessageId(const MessageId& id);

// nullopt for whatever EncodeMessageId cannot have made, so a message has one id only.
std::optional<MessageId> DecodeMessageId(std::string_view text);

// Whether the text can be a mailbox id: 1 to 64 letters and digits.
bool IsMailboxId(std::string_view text);

// `accounts/{user@domain}/mailboxes/{mailbox_id}`; `account` is `accounts/{user@domain}`.
std::string MailboxName(std::string_view account, std::string_view mailbox_id);

// The mailbox id of such a name.
std::string_view MailboxIdOf(std::string_view mailbox_name);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_MESSAGE_ID_H_
