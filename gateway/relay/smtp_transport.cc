#include "gateway/relay/smtp_transport.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "gateway/common/await_callback.h"
#include "gateway/common/tls_client_context.h"
#include "gateway/relay/ares_resolver.h"
#include "gateway/relay/caching_resolver.h"
#include "gateway/relay/connection_pool.h"
#include "gateway/relay/shipment_sender.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;

// More than a machine's threads are of no use.
constexpr size_t kLanes = 16;

// An event loop, and the connections that belong to it.
struct Lane {
  asio::any_io_executor executor;
  std::shared_ptr<ConnectionPool> pool;
};

asio::awaitable<std::vector<Delivered>> Run(const SenderContext& context,
                                            std::shared_ptr<ConnectionPool> pool,
                                            Shipment shipment) {
  ShipmentSender sender(context, std::move(pool), std::move(shipment));
  co_return co_await sender.Run();
}

absl::Status CheckOptions(const TransportOptions& options) {
  if (options.source_address.empty()) return absl::OkStatus();
  boost::system::error_code error;
  asio::ip::make_address(options.source_address, error);
  if (!error) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    "not an address to connect from: " + options.source_address);
}

}  // namespace

struct SmtpTransport::Impl {
  SenderContext context;
  std::vector<Lane> lanes;
};

SmtpTransport::SmtpTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SmtpTransport::~SmtpTransport() = default;

absl::StatusOr<std::unique_ptr<SmtpTransport>> SmtpTransport::Create(TransportOptions options,
                                                                     IoThreads& threads) {
  AresOptions dns;
  dns.servers = options.dns_servers;
  dns.timeout = options.dns_timeout;
  dns.hosts_file = options.hosts_file;
  RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<AresResolver> resolver,
                         AresResolver::Create(threads.Next(), dns));
  return Create(std::move(options), threads,
                std::make_shared<CachingResolver>(std::move(resolver)));
}

absl::StatusOr<std::unique_ptr<SmtpTransport>> SmtpTransport::Create(
    TransportOptions options, IoThreads& threads, std::shared_ptr<Resolver> resolver) {
  RMAIL_RETURN_IF_ERROR(CheckOptions(options));
  auto impl = std::make_unique<Impl>();
  RMAIL_ASSIGN_OR_RETURN(impl->context.tls, TlsClientContext::Create(options.ca_file));
  for (size_t i = 0; i < kLanes; ++i) {
    const asio::any_io_executor executor = threads.Next();
    impl->lanes.push_back({executor, std::make_shared<ConnectionPool>(executor, options)});
  }
  impl->context.options = std::move(options);
  impl->context.resolver = std::move(resolver);
  return std::unique_ptr<SmtpTransport>(new SmtpTransport(std::move(impl)));
}

asio::awaitable<std::vector<Delivered>> SmtpTransport::Send(Shipment shipment) {
  const size_t recipients = shipment.recipients.size();
  const std::string destination = DestinationOf(impl_->context.options, shipment);
  const Lane& lane = impl_->lanes[std::hash<std::string>{}(destination) % impl_->lanes.size()];
  const auto start = [this, &lane, &shipment](auto done) {
    asio::co_spawn(lane.executor, Run(impl_->context, lane.pool, std::move(shipment)),
                   [done = std::move(done)](const std::exception_ptr& error,
                                            std::vector<Delivered> delivered) mutable {
                     if (error != nullptr) delivered.clear();
                     done(std::move(delivered));
                   });
  };
  std::vector<Delivered> delivered = co_await AwaitCallback<std::vector<Delivered>>(start);
  if (delivered.size() != recipients) {  // Something threw: no memory, most likely.
    LogError("relay: sending to {} failed unexpectedly", destination);
    delivered.assign(recipients, Delivered{{451, "4.3.0", "Internal trouble"}, "", false});
  }
  co_return delivered;
}

void SmtpTransport::Stop() {
  for (const Lane& lane : impl_->lanes) {
    asio::post(lane.executor, [pool = lane.pool] { pool->Close(); });
  }
}

}  // namespace rmail::gateway::relay
