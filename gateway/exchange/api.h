// The API: what is the same for all routes of its one table (routes.cc).
//
// A handler is a small function from a typed request (requests.h) to a typed answer (answers.h).
// Dispatch has made sure before it runs that the path and method exist, that secrets come over TLS
// where there is TLS, that the client takes what the route makes, that its token is right, and that
// the body is of the right type and size.
#ifndef RMAIL_GATEWAY_EXCHANGE_API_H_
#define RMAIL_GATEWAY_EXCHANGE_API_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/common/store_session.h"
#include "gateway/exchange/answers.h"
#include "gateway/exchange/exchange_options.h"
#include "gateway/exchange/folder_state.h"
#include "gateway/exchange/http/application.h"
#include "gateway/exchange/http/router.h"
#include "gateway/exchange/http/url.h"

namespace rmail::gateway::exchange {

inline constexpr std::string_view kJson = "application/json";

// One request under way, as handlers see it. Everything outlives the handler.
struct Call {
  gateway::StoreAccess& store;
  FolderCache& folders;
  const ExchangeOptions& options;
  const http::Peer& peer;
  // The client's; unset on routes that need no token.
  std::optional<gateway::StoreSession> session;
  http::PathParameters path;
  http::Target target;
  // Of routes with Content::kJson.
  std::string json;
};

using Handler = boost::asio::awaitable<absl::StatusOr<http::Response>> (*)(Call&);

// Who may call.
enum class Access {
  // Everybody, and nothing secret passes.
  kOpen,
  // Everybody, but the request or the answer has a secret: TLS is needed where there is TLS.
  kSecret,
  // Who brings a token of an account; TLS as for kSecret.
  kAccount,
};

// What body a route takes.
enum class Content { kNone, kJson };

struct Route {
  std::string_view method;
  // See http::Endpoint.
  std::string_view path;
  Access access;
  Content content;
  // The media type of its answers.
  std::string_view produces;
  Handler handler;
};

class Api final : public http::Application {
 public:
  // `store` and `routes` outlive it. `tls`: whether this server speaks TLS at all; the port that
  // clients are told to use then is set by set_secure_port before the first request.
  Api(gateway::StoreAccess& store, const std::vector<Route>& routes, ExchangeOptions options,
      bool tls);

  void set_secure_port(uint16_t port) { secure_port_ = port; }

  boost::asio::awaitable<http::Response> Handle(const http::Request& request,
                                                http::BodySource& body,
                                                const http::Peer& peer) override;

 private:
  boost::asio::awaitable<absl::StatusOr<http::Response>> Dispatch(const http::Request& request,
                                                                  http::BodySource& body,
                                                                  const http::Peer& peer);
  absl::Status CheckTransport(const Route& route, const http::Peer& peer) const;
  absl::Status Authorize(const Route& route, const http::Request& request, Call& call) const;
  boost::asio::awaitable<absl::Status> ReadJson(const http::Request& request,
                                                http::BodySource& body, Call& call) const;

  gateway::StoreAccess& store_;
  const std::vector<Route>& routes_;
  const ExchangeOptions options_;
  const bool tls_;
  uint16_t secure_port_ = 0;
  http::Router router_;
  FolderCache folders_;
};

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_API_H_
