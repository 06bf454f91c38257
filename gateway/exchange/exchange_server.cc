#include "gateway/exchange/exchange_server.h"

#include <utility>

#include "gateway/exchange/api.h"
#include "gateway/exchange/http/http_session.h"
#include "gateway/exchange/routes.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

constexpr std::string_view kRefusal =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
    "Connection: close\r\n\r\n";

}  // namespace

struct ExchangeServer::Impl {
  Impl(gateway::IoThreads& threads, gateway::StoreAccess& store, const ExchangeOptions& options,
       bool tls)
      : http(options.http),
        api(store, Routes(), options, tls),
        server(threads, {options.connections.total, options.connections.per_address}) {}

  absl::StatusOr<uint16_t> Listen(const ExchangeOptions& options, uint16_t port,
                                  const gateway::TlsContext* tls) {
    gateway::ListenerOptions listener;
    listener.name = tls == nullptr ? "http" : "https";
    listener.host = options.host;
    listener.port = port;
    listener.implicit_tls = tls;
    if (tls == nullptr) listener.refusal = kRefusal;
    return server.Listen(std::move(listener),
                         [this](std::shared_ptr<gateway::Connection> connection) {
                           return http::RunHttpSession(std::move(connection), http, api);
                         });
  }

  const HttpLimits http;
  Api api;
  uint16_t port = 0;
  uint16_t secure_port = 0;
  // Last: its sessions use what stands above.
  gateway::Server server;
};

absl::StatusOr<std::unique_ptr<ExchangeServer>> ExchangeServer::Start(
    gateway::IoThreads& threads, gateway::StoreAccess& store, const gateway::TlsContext* tls,
    ExchangeOptions options) {
  auto impl = std::make_unique<Impl>(threads, store, options, tls != nullptr);
  if (tls != nullptr) {
    RMAIL_ASSIGN_OR_RETURN(impl->secure_port, impl->Listen(options, options.secure_port, tls));
    impl->api.set_secure_port(impl->secure_port);
  }
  RMAIL_ASSIGN_OR_RETURN(impl->port, impl->Listen(options, options.port, nullptr));
  return std::unique_ptr<ExchangeServer>(new ExchangeServer(std::move(impl)));
}

ExchangeServer::ExchangeServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ExchangeServer::~ExchangeServer() = default;

uint16_t ExchangeServer::port() const { return impl_->port; }
uint16_t ExchangeServer::secure_port() const { return impl_->secure_port; }
void ExchangeServer::Drain(absl::Duration grace) { impl_->server.Drain(grace); }

}  // namespace rmail::gateway::exchange
