// config.json: what an administrator sets. Every key has a default (docs/configuration.md).
#ifndef RMAIL_SERVICES_CONFIG_CONFIG_H_
#define RMAIL_SERVICES_CONFIG_CONFIG_H_

#include <cstdint>
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
};

struct ImapConfig {
  std::string host = "0.0.0.0";
  uint16_t port = 143;
  uint16_t imaps_port = 993;
  uint32_t max_connections = 100;
  uint32_t max_connections_per_address = 50;
};

// Who fails to log in too often is locked out, in all protocols of a process.
struct LoginConfig {
  // Failures of one client address within `window_seconds`; 0: never locked out.
  uint32_t max_failures = 10;
  uint32_t window_seconds = 600;
  // The first time; each further time twice as long, up to the second.
  uint32_t lockout_seconds = 60;
  uint32_t max_lockout_seconds = 3600;
  // Addresses and ranges ("192.0.2.0/24") that are never locked out.
  std::vector<std::string> trusted = {"127.0.0.0/8", "::1"};
  // SCRAM-SHA-256 and -PLUS are offered.
  bool scram = false;
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
  ImapConfig imap;
  LoginConfig login;
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
