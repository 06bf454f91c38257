#include "services/run/components.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/certificate.h"
#include "gateway/common/client_address.h"
#include "gateway/common/login_guard.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/exchange/exchange_server.h"
#include "gateway/imap/imap_server.h"
#include "gateway/smtp/rate_limits.h"
#include "gateway/smtp/smtp_server.h"
#include "services/run/relay_part.h"
#include "services/run/store_access.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/service/store_server.h"

namespace rmail::run {
namespace {

void ApplyLogLevel(const std::string& level) {
  if (level == "DEBUG") SetLogLevel(LogLevel::kDebug);
  if (level == "INFO") SetLogLevel(LogLevel::kInfo);
  if (level == "WARNING") SetLogLevel(LogLevel::kWarning);
  if (level == "ERROR") SetLogLevel(LogLevel::kError);
}

struct CertificateFiles {
  std::string cert;
  std::string key;
};

// The configured files, or the self-signed pair, which is made when it is missing.
absl::StatusOr<CertificateFiles> FindCertificate(const config::Config& config) {
  if (!config.tls.cert_file.empty()) {
    return CertificateFiles{config.tls.cert_file, config.tls.key_file};
  }
  CertificateFiles files{config.mail_root + "/tls/cert.pem", config.mail_root + "/tls/key.pem"};
  RMAIL_RETURN_IF_ERROR(
      gateway::EnsureSelfSignedCertificate(config.hostname, files.cert, files.key));
  return files;
}

std::vector<gateway::AddressRange> TrustedOf(const config::LoginConfig& from) {
  std::vector<gateway::AddressRange> trusted;
  for (const std::string& text : from.trusted) {
    if (const auto range = gateway::AddressRange::Parse(text)) trusted.push_back(*range);
  }
  return trusted;
}

gateway::LoginGuardOptions GuardOf(const config::LoginConfig& from) {
  gateway::LoginGuardOptions guard;
  guard.max_failures = from.max_failures;
  guard.window = absl::Seconds(from.window_seconds);
  guard.lockout = absl::Seconds(from.lockout_seconds);
  guard.max_lockout = absl::Seconds(from.max_lockout_seconds);
  guard.max_network_failures = from.max_network_failures;
  guard.max_account_failures = from.max_account_failures;
  guard.max_account_lockout = absl::Seconds(from.max_account_lockout_seconds);
  guard.trusted = TrustedOf(from);
  return guard;
}

gateway::smtp::RateLimits RateLimitsOf(const config::Config& config) {
  const config::RateLimitConfig& from = config.rate_limit;
  gateway::smtp::RateLimits limits;
  limits.enabled = from.enabled;
  limits.connections_per_minute = from.connections_per_minute;
  limits.messages_per_hour = from.messages_per_hour;
  limits.recipients_per_hour = from.recipients_per_hour;
  limits.network_factor = from.network_factor;
  limits.account_messages_per_hour = from.account_messages_per_hour;
  limits.account_recipients_per_hour = from.account_recipients_per_hour;
  limits.exempt = TrustedOf(config.login);
  return limits;
}

std::string GatewayToken(const std::string& secret) {
  Token token;
  token.scope = TokenScope::kGateway;
  token.expires = absl::Now() + absl::Hours(1);
  return SignToken(secret, token);
}

}  // namespace

struct Components::Impl {
  absl::Status StartStore();
  absl::Status StartGateways();
  absl::Status StartSmtp();
  absl::Status StartImap();
  absl::Status StartExchange();
  void AddListener(std::string_view name, const std::string& host, int port) {
    listeners.push_back(fmt::format("{} {}:{}", name, host, port));
  }

  config::Config config;
  Parts parts;
  std::vector<std::string> listeners;

  // Destroyed from the last: each uses what stands above it.
  std::unique_ptr<service::StoreServer> store;
  std::unique_ptr<client::StoreClient> client;
  std::unique_ptr<client::Watcher> watcher;
  std::unique_ptr<gateway::StoreAccess> access;
  std::unique_ptr<gateway::TlsContext> tls;
  std::unique_ptr<gateway::IoThreads> threads;
  std::unique_ptr<RelayPart> relay;
  std::unique_ptr<gateway::smtp::SmtpServer> smtp;
  std::unique_ptr<gateway::imap::ImapServer> imap;
  std::unique_ptr<gateway::exchange::ExchangeServer> exchange;
  bool drained = false;
};

absl::Status Components::Impl::StartStore() {
  RMAIL_ASSIGN_OR_RETURN(service::StoreOptions options, ToStoreOptions(config));
  if (options.listen.empty() && !parts.any_gateway()) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "\"store.listen\" must not be empty for a store of its own");
  }
  const std::string host = options.listen.substr(0, options.listen.rfind(':'));
  if (!host.empty() && host != "127.0.0.1" && host != "localhost" && host != "[::1]" &&
      options.tls.cert.empty()) {
    LogWarning("the store listens on {} without TLS: set \"store.tls\"", options.listen);
  }
  RMAIL_ASSIGN_OR_RETURN(store, service::StoreServer::Start(std::move(options)));
  if (store->port() != 0) AddListener("store", host, store->port());
  return absl::OkStatus();
}

absl::Status Components::Impl::StartGateways() {
  if (store != nullptr) {
    client = client::StoreClient::Create({store->InProcessChannel()});
  } else {
    RMAIL_ASSIGN_OR_RETURN(auto channels, StoreChannels(config));
    client = client::StoreClient::Create(std::move(channels));
  }
  const std::string secret = config.exchange_api.token_secret;
  watcher = client->NewWatcher([secret] { return GatewayToken(secret); });
  access = std::make_unique<gateway::StoreAccess>(*client, *watcher, secret, GuardOf(config.login),
                                                  config.login.scram);
  if (config.tls.enabled) {
    RMAIL_ASSIGN_OR_RETURN(const CertificateFiles files, FindCertificate(config));
    RMAIL_ASSIGN_OR_RETURN(tls, gateway::TlsContext::Load(files.cert, files.key));
  } else {
    LogWarning("TLS is off: passwords and mail cross the network in clear");
  }
  threads = std::make_unique<gateway::IoThreads>();
  if (parts.smtp) RMAIL_RETURN_IF_ERROR(StartSmtp());
  if (parts.imap) RMAIL_RETURN_IF_ERROR(StartImap());
  if (parts.exchange) RMAIL_RETURN_IF_ERROR(StartExchange());
  return absl::OkStatus();
}

absl::Status Components::Impl::StartSmtp() {
  const config::SmtpConfig& from = config.smtp;
  gateway::smtp::SmtpOptions options;
  options.hostname = config.hostname;
  if (!config.domains.empty()) options.postmaster_domain = config.domains[0];
  options.host = from.host;
  options.port = from.port;
  options.submission_port = from.submission_port;
  options.smtps_port = from.smtps_port;
  options.limits.total = from.max_connections;
  options.limits.per_address = from.max_connections_per_address;
  options.rate_limits = RateLimitsOf(config);
  options.max_message_size = from.max_message_size;
  options.max_recipients = from.max_recipients;
  options.max_messages_per_connection = from.max_messages_per_connection;
  options.lmtp_host = from.lmtp_host;
  options.lmtp_port = from.lmtp_port;
  options.reject_local_senders = from.reject_local_senders;
  options.normalise_newlines = from.bare_newlines == "normalise";
  options.max_deliveries = config.delivery.workers;
  options.max_queued_messages = config.delivery.max_queue_size;
  options.relay = config.relay.enabled;
  RMAIL_ASSIGN_OR_RETURN(smtp,
                         gateway::smtp::SmtpServer::Start(*threads, *access, tls.get(), options));
  if (config.relay.enabled) {
    RMAIL_ASSIGN_OR_RETURN(relay, RelayPart::Start(config, *threads, *access));
  }
  AddListener("smtp", from.host, smtp->port());
  AddListener("submission", from.host, smtp->submission_port());
  if (smtp->smtps_port() != 0) AddListener("smtps", from.host, smtp->smtps_port());
  if (smtp->lmtp_port() != 0) AddListener("lmtp", from.lmtp_host, smtp->lmtp_port());
  return absl::OkStatus();
}

absl::Status Components::Impl::StartImap() {
  const config::ImapConfig& from = config.imap;
  gateway::imap::ImapOptions options;
  options.hostname = config.hostname;
  options.host = from.host;
  options.port = from.port;
  options.imaps_port = from.imaps_port;
  options.limits.total = from.max_connections;
  options.limits.per_address = from.max_connections_per_address;
  options.max_message_size = config.smtp.max_message_size;
  RMAIL_ASSIGN_OR_RETURN(imap,
                         gateway::imap::ImapServer::Start(*threads, *access, tls.get(), options));
  AddListener("imap", from.host, imap->port());
  if (imap->imaps_port() != 0) AddListener("imaps", from.host, imap->imaps_port());
  return absl::OkStatus();
}

absl::Status Components::Impl::StartExchange() {
  const config::ExchangeConfig& from = config.exchange_api;
  gateway::exchange::ExchangeOptions options;
  options.host = from.host;
  options.port = from.port;
  options.secure_port = from.secure_port;
  options.connections.total = from.max_connections;
  options.connections.per_address = from.max_connections_per_address;
  RMAIL_ASSIGN_OR_RETURN(
      exchange, gateway::exchange::ExchangeServer::Start(*threads, *access, tls.get(), options));
  AddListener("http", from.host, exchange->port());
  if (exchange->secure_port() != 0) AddListener("https", from.host, exchange->secure_port());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Components>> Components::Start(const config::Config& config,
                                                              Parts parts) {
  ApplyLogLevel(config.log_level);
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->parts = parts;
  if (parts.store) RMAIL_RETURN_IF_ERROR(impl->StartStore());
  if (parts.any_gateway()) RMAIL_RETURN_IF_ERROR(impl->StartGateways());
  return std::unique_ptr<Components>(new Components(std::move(impl)));
}

Components::Components(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Components::~Components() { Drain(absl::ZeroDuration()); }

const std::vector<std::string>& Components::listeners() const { return impl_->listeners; }

absl::Status Components::Reload(const config::Config& config) {
  if (impl_->tls != nullptr) {
    RMAIL_ASSIGN_OR_RETURN(const CertificateFiles files, FindCertificate(config));
    RMAIL_RETURN_IF_ERROR(impl_->tls->Reload(files.cert, files.key));
  }
  ApplyLogLevel(config.log_level);
  return absl::OkStatus();
}

void Components::Drain(absl::Duration grace) {
  if (impl_->drained) return;
  impl_->drained = true;
  const absl::Time end = absl::Now() + grace;
  // All at once: one slow session must not use up the others' time.
  std::vector<std::thread> drains;
  if (impl_->smtp != nullptr) drains.emplace_back([&] { impl_->smtp->Drain(grace); });
  if (impl_->relay != nullptr) drains.emplace_back([&] { impl_->relay->Drain(grace); });
  if (impl_->imap != nullptr) drains.emplace_back([&] { impl_->imap->Drain(grace); });
  if (impl_->exchange != nullptr) drains.emplace_back([&] { impl_->exchange->Drain(grace); });
  for (std::thread& drain : drains) drain.join();
  // gRPC's in-process channel must not be used once its server has shut down: whoever may use it
  // goes first.
  impl_->exchange = nullptr;
  impl_->imap = nullptr;
  impl_->smtp = nullptr;
  impl_->relay = nullptr;
  impl_->access = nullptr;
  impl_->watcher = nullptr;
  impl_->client = nullptr;
  if (impl_->store != nullptr) {
    impl_->store->Drain(std::max(absl::ZeroDuration(), end - absl::Now()));
  }
}

}  // namespace rmail::run
