// What can be configured of the SMTP gateway.
#ifndef RMAIL_GATEWAY_SMTP_OPTIONS_H_
#define RMAIL_GATEWAY_SMTP_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/smtp/rate_limits.h"

namespace rmail::gateway::smtp {

// How long a client may take (RFC 5321, 4.5.3.2.7 for the first).
struct SmtpTimeouts {
  // For a command line, and for a reply to be taken.
  absl::Duration command = absl::Minutes(5);
  // For the next octets of a message.
  absl::Duration data_block = absl::Minutes(3);
  // For a whole DATA or BDAT chunk, so that one octet every three minutes does not hold a session
  // for ever.
  absl::Duration data_total = absl::Minutes(30);
  absl::Duration tls_handshake = absl::Seconds(30);
  // For a notice of non-delivery to be stored before the reply to the message.
  absl::Duration notice = absl::Seconds(30);
};

struct SmtpOptions {
  // In the greeting and in trace fields.
  std::string hostname = "localhost";
  // Where <Postmaster> without a domain lives; empty: at `hostname`.
  std::string postmaster_domain;
  std::string host = "0.0.0.0";
  // 0: any free port.
  uint16_t port = 25;
  uint16_t submission_port = 587;
  // Listened on only with TLS.
  uint16_t smtps_port = 465;
  // LMTP trusts whoever connects: it is for the host's own servers. Not set: there is none.
  std::string lmtp_host = "127.0.0.1";
  std::optional<uint16_t> lmtp_port;
  gateway::ConnectionLimits limits;
  RateLimits rate_limits;

  // Octets, as received.
  uint64_t max_message_size = 52428800;
  // RFC 5321, 4.5.3.1.8 asks for 100; the configuration of rmail has always said 50.
  uint32_t max_recipients = 50;
  uint32_t max_messages_per_connection = 50;
  // Octets of a line of text without CRLF. RFC 5321, 4.5.3.1.6 lets a server refuse more than 998.
  // Real mail (HTML on one line) passes that, Postfix, Exim and mox take it, and nothing here holds
  // a line in memory, so the default only stops what is no text at all.
  uint64_t max_text_line = 65536;
  // Received fields (RFC 5321, 6.3): more is a loop.
  uint32_t max_hops = 50;

  // Bare CR and LF in a message become CRLF; else such a message is refused.
  bool normalise_newlines = false;
  // Mail for other servers is queued: of users who have authenticated, and through aliases.
  bool relay = true;
  // On port 25 nobody may use an address of ours as the reverse-path: who has one authenticates.
  bool reject_local_senders = true;
  // Messages given to the store at once; more wait.
  uint32_t max_deliveries = 64;
  // How many messages the queue may hold; 0: no limit.
  uint64_t max_queued_messages = 0;

  // On port 25 a client that talks before the greeting is refused (RFC 5321, 3.1); this is how long
  // it is given to do so. A millisecond catches what came with the connection and costs nobody
  // anything.
  absl::Duration greeting_delay = absl::Milliseconds(1);
  // Before the reply to a wrong password.
  absl::Duration auth_failure_delay = absl::Seconds(1);
  uint32_t max_auth_failures = 3;
  // In a row.
  uint32_t max_bad_commands = 10;
  // Commands since the last message was stored that did not carry one on: most of all RCPTs that
  // were refused.
  uint32_t max_idle_commands = 100;
  // Recipients that a session may guess wrong before each further refusal is delayed.
  uint32_t free_refusals = 10;
  absl::Duration refusal_delay = absl::Seconds(1);
  SmtpTimeouts timeouts;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_OPTIONS_H_
