#include "services/config/config.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <utility>

#include "gateway/common/client_address.h"
#include "services/config/json_section.h"
#include "services/config/json_writer.h"
#include "services/config/relay_section.h"
#include "store/base/env.h"
#include "store/base/status.h"
#include "store/base/token.h"

namespace rmail::config {
namespace {

namespace json = boost::json;

constexpr size_t kMaxFile = 1 << 20;
constexpr uint64_t kMaxMessage = uint64_t{1} << 30;
constexpr uint64_t kMaxCount = 1'000'000;
constexpr size_t kMinSecret = 16;

absl::Status BadKey(std::string_view key, std::string_view reason) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, fmt::format("\"{}\" {}", key, reason));
}

absl::Status ReadSmtp(const json::object& object, SmtpConfig* smtp) {
  JsonSection section(object, "smtp.");
  section.Text("host", &smtp->host);
  section.Port("port", &smtp->port);
  section.Port("submission_port", &smtp->submission_port);
  section.Port("smtps_port", &smtp->smtps_port);
  section.Integer("max_message_size", 1024, kMaxMessage, &smtp->max_message_size);
  section.Integer("max_recipients", 1, 1000, &smtp->max_recipients);
  section.Integer("max_connections", 1, kMaxCount, &smtp->max_connections);
  section.Integer("max_connections_per_address", 1, kMaxCount, &smtp->max_connections_per_address);
  section.Integer("max_messages_per_connection", 1, kMaxCount, &smtp->max_messages_per_connection);
  section.Text("lmtp_host", &smtp->lmtp_host);
  section.Port("lmtp_port", &smtp->lmtp_port);
  section.Flag("reject_local_senders", &smtp->reject_local_senders);
  section.OneOf("bare_newlines", {"reject", "normalise"}, &smtp->bare_newlines);
  return section.Finish();
}

absl::Status ReadDelivery(const json::object& object, DeliveryConfig* delivery) {
  JsonSection section(object, "delivery.");
  section.Integer("workers", 1, kMaxCount, &delivery->workers);
  section.Integer("max_queue_size", 0, kMaxCount * 1000, &delivery->max_queue_size);
  return section.Finish();
}

absl::Status ReadImap(const json::object& object, ImapConfig* imap) {
  JsonSection section(object, "imap.");
  section.Text("host", &imap->host);
  section.Port("port", &imap->port);
  section.Port("imaps_port", &imap->imaps_port);
  section.Integer("max_connections", 1, kMaxCount, &imap->max_connections);
  section.Integer("max_connections_per_address", 1, kMaxCount, &imap->max_connections_per_address);
  return section.Finish();
}

absl::Status ReadLogin(const json::object& object, LoginConfig* login) {
  constexpr uint64_t kDay = 86'400;
  JsonSection section(object, "login.");
  section.Integer("max_failures", 0, 1000, &login->max_failures);
  section.Integer("window_seconds", 1, kDay, &login->window_seconds);
  section.Integer("lockout_seconds", 1, kDay, &login->lockout_seconds);
  section.Integer("max_lockout_seconds", 1, kDay, &login->max_lockout_seconds);
  section.Integer("max_network_failures", 0, kMaxCount, &login->max_network_failures);
  section.Integer("max_account_failures", 0, kMaxCount, &login->max_account_failures);
  section.Integer("max_account_lockout_seconds", 1, kDay, &login->max_account_lockout_seconds);
  section.Texts("trusted", &login->trusted);
  section.Flag("scram", &login->scram);
  for (const std::string& range : login->trusted) {
    if (gateway::AddressRange::Parse(range)) continue;
    section.Fail("trusted",
                 fmt::format("has \"{}\", which is neither an IP address nor a range", range));
  }
  return section.Finish();
}

absl::Status ReadRateLimit(const json::object& object, RateLimitConfig* limit) {
  JsonSection section(object, "rate_limit.");
  section.Flag("enabled", &limit->enabled);
  section.Integer("connections_per_minute", 0, kMaxCount, &limit->connections_per_minute);
  section.Integer("messages_per_hour", 0, kMaxCount, &limit->messages_per_hour);
  section.Integer("recipients_per_hour", 0, kMaxCount, &limit->recipients_per_hour);
  section.Integer("network_factor", 0, 1000, &limit->network_factor);
  section.Integer("account_messages_per_hour", 0, kMaxCount, &limit->account_messages_per_hour);
  section.Integer("account_recipients_per_hour", 0, kMaxCount, &limit->account_recipients_per_hour);
  return section.Finish();
}

absl::Status ReadExchange(const json::object& object, ExchangeConfig* exchange) {
  JsonSection section(object, "exchange_api.");
  section.Text("host", &exchange->host);
  section.Port("port", &exchange->port);
  section.Port("secure_port", &exchange->secure_port);
  section.Integer("max_connections", 1, kMaxCount, &exchange->max_connections);
  section.Integer("max_connections_per_address", 1, kMaxCount,
                  &exchange->max_connections_per_address);
  section.Text("token_secret", &exchange->token_secret);
  if (!exchange->token_secret.empty() && exchange->token_secret.size() < kMinSecret) {
    section.Fail("token_secret", "must have 16 characters at least");
  }
  return section.Finish();
}

absl::Status ReadStore(const json::object& object, StoreConfig* store) {
  JsonSection section(object, "store.");
  section.Text("listen", &store->listen);
  section.Texts("endpoints", &store->endpoints);
  section.OneOf("sync", {"fsync", "syncfs"}, &store->sync);
  JsonSection tls(section.Object("tls"), "store.tls.");
  RMAIL_RETURN_IF_ERROR(section.Finish());
  tls.Text("cert_file", &store->tls.cert_file);
  tls.Text("key_file", &store->tls.key_file);
  tls.Text("ca_file", &store->tls.ca_file);
  RMAIL_RETURN_IF_ERROR(tls.Finish());
  const int given =
      !store->tls.cert_file.empty() + !store->tls.key_file.empty() + !store->tls.ca_file.empty();
  if (given != 0 && given != 3) {
    return BadKey("store.tls", "needs cert_file, key_file and ca_file, or none of them");
  }
  return absl::OkStatus();
}

absl::Status ReadTls(const json::object& object, TlsConfig* tls) {
  JsonSection section(object, "tls.");
  section.Flag("enabled", &tls->enabled);
  section.Text("cert_file", &tls->cert_file);
  section.Text("key_file", &tls->key_file);
  RMAIL_RETURN_IF_ERROR(section.Finish());
  if (tls->cert_file.empty() != tls->key_file.empty()) {
    return BadKey("tls", "needs both cert_file and key_file, or none of them");
  }
  return absl::OkStatus();
}

std::string Resolve(const std::string& folder, const std::string& name) {
  if (name.empty()) return name;
  return (std::filesystem::path(folder) / name).lexically_normal().string();
}

absl::StatusOr<json::value> ParseJson(std::string_view text) {
  json::error_code failure;
  json::value value = json::parse({text.data(), text.size()}, failure);
  if (failure) return BadKey("config.json", "is not JSON: " + failure.message());
  if (!value.is_object()) return BadKey("config.json", "must be an object");
  return value;
}

std::string FolderOf(const std::string& path) {
  return std::filesystem::absolute(path).parent_path().string();
}

}  // namespace

absl::StatusOr<Config> Parse(std::string_view text, const std::string& folder) {
  RMAIL_ASSIGN_OR_RETURN(const json::value value, ParseJson(text));
  Config config;
  JsonSection section(value.get_object(), "");
  section.Text("hostname", &config.hostname);
  section.Text("mail_root", &config.mail_root);
  section.Texts("domains", &config.domains);
  section.OneOf("log_level", {"DEBUG", "INFO", "WARNING", "ERROR"}, &config.log_level);
  if (config.mail_root.empty()) section.Fail("mail_root", "must not be empty");
  if (config.hostname.empty()) section.Fail("hostname", "must not be empty");
  RMAIL_RETURN_IF_ERROR(ReadSmtp(section.Object("smtp"), &config.smtp));
  RMAIL_RETURN_IF_ERROR(ReadDelivery(section.Object("delivery"), &config.delivery));
  RMAIL_RETURN_IF_ERROR(ReadImap(section.Object("imap"), &config.imap));
  RMAIL_RETURN_IF_ERROR(ReadLogin(section.Object("login"), &config.login));
  RMAIL_RETURN_IF_ERROR(ReadRateLimit(section.Object("rate_limit"), &config.rate_limit));
  RMAIL_RETURN_IF_ERROR(ReadRelay(section.Object("relay"), &config.relay));
  RMAIL_RETURN_IF_ERROR(ReadExchange(section.Object("exchange_api"), &config.exchange_api));
  RMAIL_RETURN_IF_ERROR(ReadStore(section.Object("store"), &config.store));
  RMAIL_RETURN_IF_ERROR(ReadTls(section.Object("tls"), &config.tls));
  RMAIL_RETURN_IF_ERROR(section.Finish());
  for (std::string* const name :
       {&config.mail_root, &config.tls.cert_file, &config.tls.key_file, &config.store.tls.cert_file,
        &config.store.tls.key_file, &config.store.tls.ca_file, &config.relay.ca_file}) {
    *name = Resolve(folder, *name);
  }
  return config;
}

absl::StatusOr<Config> Load(const std::string& path) {
  RMAIL_ASSIGN_OR_RETURN(const std::string text, Env::Posix()->ReadFile(path, kMaxFile));
  absl::StatusOr<Config> config = Parse(text, FolderOf(path));
  if (!config.ok()) {
    return MakeStatus(config.status().code(),
                      fmt::format("{}: {}", path, FromAbsl(config.status().message())));
  }
  return config;
}

absl::Status WriteDefault(const std::string& path) {
  if (Env::Posix()->Stat(path).ok()) {
    return MakeStatus(absl::StatusCode::kAlreadyExists, fmt::format("{} is there", path));
  }
  const Config defaults;
  const json::object object{
      {"hostname", defaults.hostname},
      {"mail_root", defaults.mail_root},
      {"domains", json::array(defaults.domains.begin(), defaults.domains.end())},
      {"log_level", defaults.log_level},
      {"smtp",
       {{"host", defaults.smtp.host},
        {"port", defaults.smtp.port},
        {"submission_port", defaults.smtp.submission_port},
        {"smtps_port", defaults.smtp.smtps_port}}},
      {"imap",
       {{"host", defaults.imap.host},
        {"port", defaults.imap.port},
        {"imaps_port", defaults.imap.imaps_port}}},
      {"exchange_api",
       {{"host", defaults.exchange_api.host},
        {"port", defaults.exchange_api.port},
        {"secure_port", defaults.exchange_api.secure_port},
        {"token_secret", NewTokenSecret()}}},
      {"store", {{"listen", defaults.store.listen}, {"endpoints", json::array()}}},
      {"tls", {{"enabled", true}, {"cert_file", nullptr}, {"key_file", nullptr}}},
  };
  RMAIL_RETURN_IF_ERROR(Env::Posix()->CreateDirectories(FolderOf(path)));
  return Env::Posix()->ReplaceFile(std::filesystem::absolute(path).string(), WriteJson(object));
}

absl::StatusOr<Config> LoadWithTokenSecret(const std::string& path) {
  RMAIL_ASSIGN_OR_RETURN(Config config, Load(path));
  if (!config.exchange_api.token_secret.empty()) return config;
  RMAIL_ASSIGN_OR_RETURN(const std::string text, Env::Posix()->ReadFile(path, kMaxFile));
  RMAIL_ASSIGN_OR_RETURN(json::value value, ParseJson(text));
  json::value& exchange = value.get_object()["exchange_api"];
  if (!exchange.is_object()) exchange = json::object();
  config.exchange_api.token_secret = NewTokenSecret();
  exchange.get_object()["token_secret"] = config.exchange_api.token_secret;
  const std::string absolute = std::filesystem::absolute(path).string();
  RMAIL_RETURN_IF_ERROR(Env::Posix()->ReplaceFile(absolute, WriteJson(value.get_object())));
  return config;
}

}  // namespace rmail::config
