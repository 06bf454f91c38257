// The commands that an envelope makes, for what a server can do. Pure.
#ifndef RMAIL_GATEWAY_RELAY_MAIL_COMMANDS_H_
#define RMAIL_GATEWAY_RELAY_MAIL_COMMANDS_H_

#include <optional>
#include <string>
#include <vector>

#include "gateway/relay/server_features.h"
#include "gateway/relay/transport.h"
#include "gateway/smtp/syntax/path.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::relay {

// An address of an envelope, or the refusal (5yz) of one that no server could be given: an envelope
// comes from elsewhere, and nothing but an address may get into a command. `<>` for "".
smtp::Parsed<smtp::Path> ParseSender(const std::string& address);
smtp::Parsed<smtp::Path> ParseRecipient(const std::string& address);

// One transaction.
struct Mail {
  const store::v1::QueueEnvelope* envelope = nullptr;
  smtp::Path sender;
  struct Recipient {
    // Its place in the envelope.
    int index = 0;
    smtp::Path path;
  };
  std::vector<Recipient> recipients;
  // Octets.
  uint64_t size = 0;
  // A field of the header is not ASCII; matters only when the envelope says `utf8`.
  bool utf8_header = false;
};

// Why this server can't take the message; nullopt: it can.
//   552 5.3.4   larger than it says it takes (RFC 1870, 6.1)
//   550 5.6.1   it is BINARYMIME (RFC 3030, 3)
//   550 5.6.3   it has 8-bit octets, and nothing here rewrites a message into 7 bits, which would
//               break its signatures (RFC 6152, 3)
//   550 5.6.7   it needs SMTPUTF8 (RFC 6531, 3.5)
std::optional<smtp::Reply> Obstacle(const Mail& mail, const ServerFeatures& features);
// Whether the header must be read to know about RFC 6531: everything else can be put into ASCII.
bool HeaderDecides(const Mail& mail, const ServerFeatures& features);

// The commands, with CRLF. Domains become A-labels for a server without SMTPUTF8.
std::string MailCommand(const Mail& mail, const ServerFeatures& features);
std::string RcptCommand(const Mail& mail, const Mail::Recipient& recipient,
                        const ServerFeatures& features);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_MAIL_COMMANDS_H_
