// The Exchange-style REST gateway: HTTP and, with TLS, HTTPS.
#ifndef RMAIL_GATEWAY_EXCHANGE_EXCHANGE_SERVER_H_
#define RMAIL_GATEWAY_EXCHANGE_EXCHANGE_SERVER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/exchange/exchange_options.h"

namespace rmail::gateway::exchange {

// Thread-safe.
class ExchangeServer {
 public:
  // Opens the listeners. All references outlive the server. With `tls`, passwords and tokens are
  // refused on the cleartext port; null: TLS is off, there is no secure port, and they are taken in
  // clear.
  static absl::StatusOr<std::unique_ptr<ExchangeServer>> Start(gateway::IoThreads& threads,
                                                               gateway::StoreAccess& store,
                                                               const gateway::TlsContext* tls,
                                                               ExchangeOptions options);
  // Drain(0 s).
  ~ExchangeServer();
  ExchangeServer(const ExchangeServer&) = delete;
  ExchangeServer& operator=(const ExchangeServer&) = delete;

  uint16_t port() const;
  // 0 without TLS.
  uint16_t secure_port() const;

  // See gateway::Server::Drain.
  void Drain(absl::Duration grace);

 private:
  struct Impl;
  explicit ExchangeServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_EXCHANGE_SERVER_H_
