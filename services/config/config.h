// config.json: what an administrator sets. Every key has a default (docs/configuration.md).
#ifndef RMAIL_SERVICES_CONFIG_CONFIG_H_
#define RMAIL_SERVICES_CONFIG_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rmail::config {

struct SmtpConfig {
  std::string host = "0.0.0.0";
  uint16_t port = 25;
  uint16_t submission_port = 587;
  uint16_t smtps_port = 465;
  uint64_t max_message_size = 52'428'800;  // octets; IMAP's APPEND has the same limit
  uint32_t max_recipients = 50;
  uint32_t max_connections = 100;
  uint32_t max_connections_per_address = 50;
  uint32_t max_messages_per_connection = 50;
  // LMTP, for the host's own servers: whoever connects is trusted. Without a port there is none.
  std::string lmtp_host = "127.0.0.1";
  std::optional<uint16_t> lmtp_port;
  // On port 25 nobody may use an address of a domain that is served here as the reverse-path.
  bool reject_local_senders = true;
  // Bare CR and LF in messages: "reject", or "normalise" to CRLF.
  std::string bare_newlines = "reject";
};

// How messages go into the store.
struct DeliveryConfig {
  // Messages that a gateway gives to the store at once; more wait.
  uint32_t workers = 64;
  // Messages for other servers that may wait in the queue; 0: no limit.
  uint64_t max_queue_size = 100'000;
};

struct ImapConfig {
  std::string host = "0.0.0.0";
  uint16_t port = 143;
  uint16_t imaps_port = 993;
  uint32_t max_connections = 100;
  uint32_t max_connections_per_address = 50;
};

// Who fails to log in too often is locked out, in all protocols and gateways.
struct LoginConfig {
  // Failures of one client address within `window_seconds`; 0: never locked out.
  uint32_t max_failures = 10;
  uint32_t window_seconds = 600;
  // The first time; each further time twice as long, up to the second.
  uint32_t lockout_seconds = 60;
  uint32_t max_lockout_seconds = 3600;
  // Failures of a network (an IPv4 /24, an IPv6 /48), and to log in to one account from wherever;
  // 0: no number matters. An account's lock-out is shorter.
  uint32_t max_network_failures = 100;
  uint32_t max_account_failures = 100;
  uint32_t max_account_lockout_seconds = 300;
  // Addresses and ranges ("192.0.2.0/24") that are never locked out.
  std::vector<std::string> trusted = {"127.0.0.0/8", "::1"};
  // SCRAM-SHA-256 and -PLUS are offered.
  bool scram = false;
};

// How much mail comes in, counted by all gateways together; 0: no limit. Clients at
// `login.trusted` have none.
struct RateLimitConfig {
  bool enabled = true;
  // Of a client address that has not authenticated, and how many times as much its network may do
  // (0: no limit).
  uint32_t connections_per_minute = 300;
  uint32_t messages_per_hour = 3'000;
  uint32_t recipients_per_hour = 10'000;
  uint32_t network_factor = 4;
  // Of a user.
  uint32_t account_messages_per_hour = 500;
  uint32_t account_recipients_per_hour = 2'000;
};

// Mail for other servers.
struct RelayConfig {
  // False: none is taken, and none that is queued is sent.
  bool enabled = true;
  // All mail goes to this server, a host name or an address; empty: to the recipients' own.
  std::string smarthost;
  // 465: TLS from the start.
  uint16_t smarthost_port = 587;
  // Empty: without logging in.
  std::string smarthost_username;
  std::string smarthost_password;
  // "none": never; "may": where a server offers it; "encrypt": always; "verify": always, with a
  // certificate that is valid and the server's.
  std::string tls = "may";
  // What certificates are verified against, PEM; empty: the system's.
  std::string ca_file;
  // Messages on their way at once, in all and to one domain (or the smarthost).
  uint32_t workers = 50;
  uint32_t max_per_destination = 10;
  // Seconds from each failed attempt to the next; the last is repeated.
  std::vector<uint32_t> retry = {60, 300, 900, 1800, 3600, 14'400, 28'800, 86'400};
  // From when a message was queued until its last attempt, and until its sender is told that it
  // takes long (0: never).
  uint32_t max_age_hours = 120;
  uint32_t delay_notice_hours = 4;
  // An address to connect from; empty: the system's choice.
  std::string source_address;
  // "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; empty: the system's.
  std::vector<std::string> dns_servers;
};

struct ExchangeConfig {
  std::string host = "0.0.0.0";
  uint16_t port = 9002;
  uint16_t secure_port = 9003;
  uint32_t max_connections = 1000;
  uint32_t max_connections_per_address = 200;
  // Signs the tokens of all services; empty: `rmail serve` makes one.
  std::string token_secret;
};

// Mutual TLS between gateways and stores; PEM files. All three or none.
struct StoreTlsConfig {
  std::string cert_file;
  std::string key_file;
  std::string ca_file;
};

struct StoreConfig {
  // Where a store listens, "host:port"; empty: nowhere (only `rmail serve` makes sense then).
  std::string listen = "127.0.0.1:9010";
  // The stores that gateways use, "host:port"; empty: the one at `listen`.
  std::vector<std::string> endpoints;
  // "fsync": each file by itself; "syncfs": the whole file system at once.
  std::string sync = "fsync";
  StoreTlsConfig tls;
};

struct TlsConfig {
  bool enabled = true;
  // PEM; both empty: a self-signed pair in mail_root/tls.
  std::string cert_file;
  std::string key_file;
};

struct Config {
  std::string hostname = "mail.example.com";
  std::string mail_root = "./mailstore";
  std::vector<std::string> domains = {"example.com"};
  std::string log_level = "INFO";
  SmtpConfig smtp;
  DeliveryConfig delivery;
  ImapConfig imap;
  LoginConfig login;
  RateLimitConfig rate_limit;
  RelayConfig relay;
  ExchangeConfig exchange_api;
  StoreConfig store;
  TlsConfig tls;
};

// Reads a configuration. File names in it become relative to the file's folder. An error names the
// key and the reason; a key that is not known is one.
absl::StatusOr<Config> Load(const std::string& path);
// The same for the file's text. `folder` is what file names are relative to.
absl::StatusOr<Config> Parse(std::string_view text, const std::string& folder);

// Writes a configuration with the most important keys and a new token secret, mode 0600; a folder
// that is missing is made. kAlreadyExists when there is a file.
absl::Status WriteDefault(const std::string& path);

// Makes a token secret when the file has none, writes it there (every other key stays as it is),
// and returns the configuration.
absl::StatusOr<Config> LoadWithTokenSecret(const std::string& path);

}  // namespace rmail::config

#endif  // RMAIL_SERVICES_CONFIG_CONFIG_H_
