// Who gets a message: what RCPT has named, and where that leads.
#ifndef RMAIL_GATEWAY_SMTP_RECIPIENT_H_
#define RMAIL_GATEWAY_SMTP_RECIPIENT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/syntax/envelope.h"
#include "gateway/smtp/syntax/message_checker.h"
#include "rmail/store/v1/directory.pb.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::smtp {

// The account that an address names if it is one's own, whether it exists or not.
std::string AccountOf(std::string_view address);

// A forward-path and who gets its mail.
struct Recipient {
  // `user@domain` as the client wrote it.
  std::string address;
  // `accounts/{user@domain}`.
  std::vector<std::string> accounts;
  // `user@domain` on other servers.
  std::vector<std::string> external;
  // See RcptCommand.
  uint32_t notify = 0;
  // "type;address" of what the sender wrote; empty: `address`.
  std::string original_recipient;

  // The sender wants to hear when it is delivered, and when it will never be.
  bool wants_success() const { return (notify & kNotifySuccess) != 0; }
  bool wants_failure() const { return notify == 0 || (notify & kNotifyFailure) != 0; }
};

// A recipient that the store has resolved. An address that is not local is its own destination.
Recipient MakeRecipient(std::string address, const RcptCommand& rcpt,
                        const store::v1::ResolveRecipientResponse& resolved);

// "rfc822;address", or "utf-8;address" for one that is not ASCII (RFC 6533, 3).
std::string TypedAddress(std::string_view address);

// Each account of the recipients once, in order.
std::vector<std::string> AccountsOf(const std::vector<Recipient>& recipients);

// What is sent to other servers; no recipients: nothing is. Each address is there once, with what
// the first recipient that leads to it says. Which of SMTPUTF8, 8BITMIME and BINARYMIME it needs is
// as the client has declared; see RefineEnvelope. `id` and `account` (accounts/{user@domain}, may
// be empty) are the transaction's.
store::v1::QueueEnvelope EnvelopeFor(const MailCommand& mail,
                                     const std::vector<Recipient>& recipients, std::string_view id,
                                     std::string_view account);

// Says what the message really needs: clients declare 8BITMIME and SMTPUTF8 for most of what they
// send, and a server without would bounce it for nothing. `complete`: the facts are about all of
// it.
void RefineEnvelope(const MessageFacts& facts, bool complete, store::v1::QueueEnvelope& envelope);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_RECIPIENT_H_
