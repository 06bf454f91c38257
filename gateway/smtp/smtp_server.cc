#include "gateway/smtp/smtp_server.h"

#include <string>
#include <utility>

#include "gateway/smtp/own_address_filter.h"
#include "gateway/smtp/session.h"
#include "gateway/smtp/syntax/reply.h"
#include "store/base/status.h"

namespace rmail::gateway::smtp {
namespace {

boost::asio::awaitable<void> Serve(std::shared_ptr<gateway::Connection> connection,
                                   const SessionContext* context, Service service) {
  Session session(std::move(connection), *context, service);
  co_await session.Run();
}

}  // namespace

struct SmtpServer::Impl {
  Impl(gateway::IoThreads& threads, gateway::StoreAccess& store, const gateway::TlsContext* tls,
       SmtpOptions smtp_options, std::vector<std::unique_ptr<MessageFilter>> more_filters)
      : addresses(store),
        slots(smtp_options.max_deliveries),
        own_addresses(addresses),
        filters(std::move(more_filters)),
        context{std::move(smtp_options), &store, tls, &addresses, &slots, {&own_addresses}},
        server(threads, context.options.limits) {
    for (const auto& filter : filters) context.filters.push_back(filter.get());
  }

  absl::StatusOr<uint16_t> Listen(std::string name, uint16_t port, Service service,
                                  const gateway::TlsContext* implicit_tls) {
    gateway::ListenerOptions listener;
    listener.name = std::move(name);
    listener.host = service == Service::kLmtp ? context.options.lmtp_host : context.options.host;
    listener.port = port;
    listener.implicit_tls = implicit_tls;
    listener.refusal =
        FormatReply({421, "4.3.2", context.options.hostname + " Too many connections"});
    return server.Listen(std::move(listener),
                         [this, service](std::shared_ptr<gateway::Connection> connection) {
                           return Serve(std::move(connection), &context, service);
                         });
  }

  // Before the server: all this outlives the sessions.
  AddressLookup addresses;
  DeliverySlots slots;
  OwnAddressFilter own_addresses;
  const std::vector<std::unique_ptr<MessageFilter>> filters;
  SessionContext context;
  gateway::Server server;
  uint16_t port = 0;
  uint16_t submission_port = 0;
  uint16_t smtps_port = 0;
  uint16_t lmtp_port = 0;
};

absl::StatusOr<std::unique_ptr<SmtpServer>> SmtpServer::Start(
    gateway::IoThreads& threads, gateway::StoreAccess& store, const gateway::TlsContext* tls,
    SmtpOptions options, std::vector<std::unique_ptr<MessageFilter>> filters) {
  auto impl = std::make_unique<Impl>(threads, store, tls, std::move(options), std::move(filters));
  const SmtpOptions& set = impl->context.options;
  RMAIL_ASSIGN_OR_RETURN(impl->port, impl->Listen("smtp", set.port, Service::kReceiving, nullptr));
  RMAIL_ASSIGN_OR_RETURN(impl->submission_port, impl->Listen("submission", set.submission_port,
                                                             Service::kSubmission, nullptr));
  if (tls != nullptr) {
    RMAIL_ASSIGN_OR_RETURN(impl->smtps_port,
                           impl->Listen("smtps", set.smtps_port, Service::kSubmission, tls));
  }
  if (set.lmtp_port.has_value()) {
    RMAIL_ASSIGN_OR_RETURN(impl->lmtp_port,
                           impl->Listen("lmtp", *set.lmtp_port, Service::kLmtp, nullptr));
  }
  return std::unique_ptr<SmtpServer>(new SmtpServer(std::move(impl)));
}

SmtpServer::SmtpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SmtpServer::~SmtpServer() = default;

uint16_t SmtpServer::port() const { return impl_->port; }
uint16_t SmtpServer::submission_port() const { return impl_->submission_port; }
uint16_t SmtpServer::smtps_port() const { return impl_->smtps_port; }
uint16_t SmtpServer::lmtp_port() const { return impl_->lmtp_port; }

void SmtpServer::Drain(absl::Duration grace) { impl_->server.Drain(grace); }

}  // namespace rmail::gateway::smtp
