// How the relay speaks to other servers.
#ifndef RMAIL_GATEWAY_RELAY_TRANSPORT_OPTIONS_H_
#define RMAIL_GATEWAY_RELAY_TRANSPORT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace rmail::gateway::relay {

enum class TlsLevel {
  kNone,     // never
  kMay,      // where the server offers it and it works; any certificate
  kEncrypt,  // always; any certificate
  kVerify,   // always; the certificate must be valid and the server's
};

// RFC 5321, 4.5.3.2, each for one step.
struct TransportTimeouts {
  absl::Duration connect = absl::Seconds(30);
  absl::Duration greeting = absl::Minutes(5);
  // EHLO, STARTTLS, AUTH.
  absl::Duration hello = absl::Minutes(5);
  absl::Duration tls_handshake = absl::Minutes(1);
  absl::Duration mail = absl::Minutes(5);
  absl::Duration rcpt = absl::Minutes(5);
  absl::Duration data = absl::Minutes(2);
  // 256 KiB of the message.
  absl::Duration data_block = absl::Minutes(3);
  // The answer to the message's end.
  absl::Duration data_end = absl::Minutes(10);
  // All of a shipment up to its message's end, and a second more for each 16 KiB of it.
  absl::Duration shipment = absl::Minutes(30);
  absl::Duration reset = absl::Seconds(20);
  absl::Duration quit = absl::Seconds(5);
};

struct TransportOptions {
  // Our name in EHLO. A server that calls itself the same is taken for ourselves.
  std::string hostname = "mail.example.com";
  TlsLevel tls = TlsLevel::kMay;
  // What certificates are verified against (PEM); empty: the system's.
  std::string ca_file;
  // The port of servers that MX records name.
  uint16_t port = 25;

  // All mail goes to this host (a name without MX lookup, or an address); empty: to the recipients'
  // own servers.
  std::string smarthost;
  uint16_t smarthost_port = 25;
  // TLS from the start, rather than STARTTLS: port 465 (RFC 8314).
  bool smarthost_implicit_tls = false;
  // Empty: no AUTH. A password is sent over TLS only, but for loopback and TlsLevel::kNone.
  std::string smarthost_user;
  std::string smarthost_password;

  // The address to connect from, for servers of its family; empty: the system's choice.
  std::string source_address;
  // "192.0.2.1", "127.0.0.1:5353", "[2001:db8::1]:53"; empty: those of the system.
  std::vector<std::string> dns_servers;
  // For the first attempt at a DNS server, of three; each takes twice as long as the one before.
  absl::Duration dns_timeout = absl::Seconds(3);
  // Names are looked up in the system's hosts file first.
  bool hosts_file = true;

  TransportTimeouts timeouts;
  // Connections to one destination (a domain, or the smarthost) at once.
  size_t max_per_destination = 10;
  // Servers' addresses that are tried for a shipment.
  size_t max_addresses = 10;
  // Recipients in one transaction; a server may ask for less (RFC 9422).
  size_t max_recipients = 100;
  // A connection is used again for this many messages, when it is idle for no longer than that.
  size_t max_messages_per_connection = 100;
  absl::Duration max_idle = absl::Seconds(5);
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TRANSPORT_OPTIONS_H_
