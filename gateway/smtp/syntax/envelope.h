// The commands that make an envelope: MAIL and RCPT with their parameters (RFC
// 5321, 4.1.1.2, 4.1.1.3 and 4.1.2).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_ENVELOPE_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/smtp/syntax/path.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

// Octets of ENVID's and ORCPT's values (RFC 3461, 4.4 and 4.2).
inline constexpr size_t kMaxEnvelopeId = 100;
inline constexpr size_t kMaxOriginalRecipient = 500;

// RFC 6152, RFC 3030.
enum class Body { k7Bit, k8BitMime, kBinaryMime };

// What a notice brings back (RFC 3461, 4.3).
enum class Returned { kUnspecified, kFull, kHeaders };

// Which notices a sender wants (RFC 3461, 4.1): a mask, with the values of QueueRecipient.Notify.
// 0: not said.
inline constexpr uint32_t kNotifyNever = 1;
inline constexpr uint32_t kNotifySuccess = 2;
inline constexpr uint32_t kNotifyFailure = 4;
inline constexpr uint32_t kNotifyDelay = 8;

struct MailCommand {
  Path reverse_path;
  // As declared (RFC 1870), octets; 0 when it is not.
  uint64_t size = 0;
  Body body = Body::k7Bit;
  // RFC 6531.
  bool utf8 = false;
  Returned returned = Returned::kUnspecified;
  // ENVID, decoded: printable ASCII.
  std::string envelope_id;
  // RFC 8689.
  bool require_tls = false;
};

// Parameters that are not offered everywhere.
struct MailExtensions {
  // AUTH=, which says nothing that is acted on (RFC 4954, 5).
  bool auth = false;
  // REQUIRETLS: the connection has TLS.
  bool require_tls = false;
};

// `argument` follows the verb.
Parsed<MailCommand> ParseMail(std::string_view argument, MailExtensions offered);

struct RcptCommand {
  Path forward_path;
  // A mask, see kNotifyNever.
  uint32_t notify = 0;
  // ORCPT as "type;address", decoded: printable ASCII, or UTF-8 for the type "utf-8".
  std::string original_recipient;
};

// `utf8`: the transaction's MAIL had SMTPUTF8.
Parsed<RcptCommand> ParseRcpt(std::string_view argument, bool utf8);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_ENVELOPE_H_
