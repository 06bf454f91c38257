// The trace fields that a server puts before a message (RFC 5321, 4.4).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_TRACE_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_TRACE_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace rmail::gateway::smtp {

struct Trace {
  // What the client called itself; IsHelloName holds.
  std::string hello;
  // Its address: "192.0.2.1", "2001:db8::1".
  std::string peer;
  // This server.
  std::string hostname;
  // EHLO rather than HELO.
  bool extended = false;
  // RFC 2033.
  bool lmtp = false;
  bool tls = false;
  bool authenticated = false;
  // The transaction has SMTPUTF8.
  bool utf8 = false;
  // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without TLS.
  std::string tls_description;
  // This server's name for the message.
  std::string id;
  // The only recipient; empty when there are several, who shall not read of each other.
  std::string recipient;
  absl::Time time;
};

// "ESMTPSA", "LMTP" (RFC 3848), "UTF8SMTPS" (RFC 6531, 4.3).
std::string WithProtocol(const Trace& trace);

// The field with its CRLF, folded.
std::string ReceivedField(const Trace& trace);

// `address` is empty for the null reverse-path.
std::string ReturnPathField(std::string_view address);

// "Tue, 24 Nov 2026 23:06:04 +0000" (RFC 5322, 3.3).
std::string MessageDate(absl::Time time);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_TRACE_H_
