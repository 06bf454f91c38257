// What the IMAP gateway is configured with.
#ifndef RMAIL_GATEWAY_IMAP_IMAP_OPTIONS_H_
#define RMAIL_GATEWAY_IMAP_IMAP_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gateway/common/server.h"

namespace rmail::gateway::imap {

struct ImapOptions {
  std::string hostname;
  std::string host = "0.0.0.0";
  // 0: any free port.
  uint16_t port = 143;
  // With TLS from the start. Not opened when there is no TLS.
  uint16_t imaps_port = 993;
  ConnectionLimits limits;
  // Octets of a message that APPEND takes.
  uint64_t max_message_size = 52'428'800;
  // Octets of a literal that is an argument, of a line of a command without its literals, and of a
  // whole command.
  uint64_t max_literal = 64 * 1024;
  uint64_t max_line = 64 * 1024;
  uint64_t max_command = 256 * 1024;
  // After the first failed login; doubled by each further one, up to 16 times as much.
  absl::Duration login_delay = absl::Seconds(1);
  // Failed logins, and malformed commands in a row before login, that end a session.
  int max_login_failures = 5;
  int max_bad_commands = 10;
  // Mailboxes that one session may watch by NOTIFY.
  size_t max_notify_mailboxes = 1000;
  // How long a search takes before the client is told that it lasts.
  absl::Duration progress_delay = absl::Seconds(1);
  // How long a client may take from the connection to its login, and for a command after it (RFC
  // 9051, 5.4: at least 30 minutes).
  absl::Duration login_timeout = absl::Seconds(60);
  absl::Duration idle_timeout = absl::Minutes(30);
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_IMAP_OPTIONS_H_
