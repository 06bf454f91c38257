#include "services/run/relay_part.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "gateway/relay/clock.h"
#include "gateway/relay/relay.h"
#include "gateway/relay/relay_options.h"
#include "gateway/relay/relay_store.h"
#include "gateway/relay/smtp_transport.h"
#include "gateway/relay/transport_options.h"
#include "store/base/status.h"

namespace rmail::run {
namespace {

namespace relay = ::rmail::gateway::relay;

// RFC 8314, 7.3.
constexpr uint16_t kSubmissionsPort = 465;

relay::TlsLevel TlsLevelOf(const std::string& name) {
  if (name == "none") return relay::TlsLevel::kNone;
  if (name == "encrypt") return relay::TlsLevel::kEncrypt;
  if (name == "verify") return relay::TlsLevel::kVerify;
  return relay::TlsLevel::kMay;
}

relay::TransportOptions TransportOptionsOf(const config::Config& config) {
  const config::RelayConfig& from = config.relay;
  relay::TransportOptions options;
  options.hostname = config.hostname;
  options.tls = TlsLevelOf(from.tls);
  options.ca_file = from.ca_file;
  options.smarthost = from.smarthost;
  options.smarthost_port = from.smarthost_port;
  options.smarthost_implicit_tls = from.smarthost_port == kSubmissionsPort;
  options.smarthost_user = from.smarthost_username;
  options.smarthost_password = from.smarthost_password;
  options.source_address = from.source_address;
  options.dns_servers = from.dns_servers;
  options.max_per_destination = from.max_per_destination;
  return options;
}

relay::RelayOptions RelayOptionsOf(const config::Config& config) {
  const config::RelayConfig& from = config.relay;
  relay::RelayOptions options;
  options.hostname = config.hostname;
  options.holder = fmt::format("{}/{}", config.hostname, getpid());
  options.workers = from.workers;
  options.max_per_destination = from.max_per_destination;
  options.smarthost = !from.smarthost.empty();
  options.retry.delays.clear();
  for (const uint32_t seconds : from.retry) options.retry.delays.push_back(absl::Seconds(seconds));
  options.retry.max_age = absl::Hours(from.max_age_hours);
  options.retry.delay_notice = absl::Hours(from.delay_notice_hours);
  return options;
}

}  // namespace

struct RelayPart::Impl {
  // Destroyed from the last: each uses what stands above it.
  std::unique_ptr<relay::RelayStore> store;
  std::unique_ptr<relay::SmtpTransport> transport;
  std::unique_ptr<relay::Relay> relay;
};

absl::StatusOr<std::unique_ptr<RelayPart>> RelayPart::Start(const config::Config& config,
                                                            gateway::IoThreads& threads,
                                                            gateway::StoreAccess& access) {
  auto impl = std::make_unique<Impl>();
  impl->store = relay::MakeRelayStore(access);
  RMAIL_ASSIGN_OR_RETURN(impl->transport,
                         relay::SmtpTransport::Create(TransportOptionsOf(config), threads));
  impl->relay = std::make_unique<relay::Relay>(threads, *impl->store, *impl->transport,
                                               relay::Clock::System(), RelayOptionsOf(config));
  return std::unique_ptr<RelayPart>(new RelayPart(std::move(impl)));
}

RelayPart::RelayPart(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RelayPart::~RelayPart() = default;

void RelayPart::Drain(absl::Duration grace) { impl_->relay->Drain(grace); }

}  // namespace rmail::run
