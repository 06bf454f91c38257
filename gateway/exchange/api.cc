#include "gateway/exchange/api.h"

#include <utility>

#include "gateway/exchange/failure.h"
#include "gateway/exchange/http/negotiation.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;

std::vector<http::Endpoint> Endpoints(const std::vector<Route>& routes) {
  std::vector<http::Endpoint> endpoints;
  for (const Route& route : routes) endpoints.push_back({route.method, route.path});
  return endpoints;
}

http::Response NoRoute(std::string_view method, const std::string& allow) {
  if (allow.empty()) {
    return ToResponse({404, "NO_SUCH_RESOURCE", "there is nothing at this path", ""});
  }
  http::Response response;
  if (method == "OPTIONS") {
    response.status = 204;
  } else {
    response = ToResponse({405, "METHOD_NOT_ALLOWED", "this path does not have this method", ""});
  }
  response.headers.push_back({"Allow", allow});
  return response;
}

}  // namespace

Api::Api(gateway::StoreAccess& store, const std::vector<Route>& routes, ExchangeOptions options,
         bool tls)
    : store_(store),
      routes_(routes),
      options_(std::move(options)),
      tls_(tls),
      router_(Endpoints(routes)) {}

asio::awaitable<http::Response> Api::Handle(const http::Request& request, http::BodySource& body,
                                            const http::Peer& peer) {
  absl::StatusOr<http::Response> response = co_await Dispatch(request, body, peer);
  if (response.ok()) co_return *std::move(response);
  const Failure failure = FailureOf(response.status());
  if (failure.status >= 500) {
    LogWarning("exchange: {} {}: {}", request.method,
               std::string_view(request.target).substr(0, request.target.find('?')),
               ToText(response.status()));
  }
  co_return ToResponse(failure);
}

asio::awaitable<absl::StatusOr<http::Response>> Api::Dispatch(const http::Request& request,
                                                              http::BodySource& body,
                                                              const http::Peer& peer) {
  std::optional<http::Target> target = http::ParseTarget(request.target);
  if (!target.has_value()) co_return InvalidField("path", "the path or query cannot be decoded");
  http::Router::Match match = router_.Find(request.method, target->segments);
  if (!match.endpoint.has_value()) co_return NoRoute(request.method, match.allow);
  const Route& route = routes_[*match.endpoint];

  RMAIL_CO_RETURN_IF_ERROR(CheckTransport(route, peer));
  if (!http::Accepts(request.Find("accept").value_or(""), route.produces)) {
    co_return ToStatus(
        {406, "NOT_ACCEPTABLE", "this path answers with " + std::string(route.produces), "accept"});
  }
  Call call{store_,
            folders_,
            options_,
            peer,
            std::nullopt,
            std::move(match.parameters),
            *std::move(target),
            ""};
  RMAIL_CO_RETURN_IF_ERROR(Authorize(route, request, call));
  if (route.content == Content::kJson) {
    RMAIL_CO_RETURN_IF_ERROR(co_await ReadJson(request, body, call));
  }
  absl::StatusOr<http::Response> response = co_await route.handler(call);
  // No route names an account, so it is the token's own.
  if (call.session.has_value() &&
      ReasonOf(response.status()) == ErrorReason::ERROR_REASON_ACCOUNT_NOT_FOUND) {
    co_return Error(ErrorReason::ERROR_REASON_BAD_TOKEN, "the token's account is gone");
  }
  co_return response;
}

absl::Status Api::CheckTransport(const Route& route, const http::Peer& peer) const {
  if (route.access == Access::kOpen || peer.secure || !tls_) return absl::OkStatus();
  return ToStatus({403, "TLS_REQUIRED",
                   "passwords and tokens are taken over TLS only: use https on port " +
                       std::to_string(secure_port_),
                   ""});
}

absl::Status Api::Authorize(const Route& route, const http::Request& request, Call& call) const {
  if (route.access != Access::kAccount) return absl::OkStatus();
  const std::string_view token = http::BearerToken(request.Find("authorization").value_or(""));
  if (token.empty()) {
    return ToStatus({401, "TOKEN_MISSING", "this path needs Authorization: Bearer and a token",
                     "authorization"});
  }
  RMAIL_ASSIGN_OR_RETURN(call.session, store_.FromToken(token));
  return absl::OkStatus();
}

asio::awaitable<absl::Status> Api::ReadJson(const http::Request& request, http::BodySource& body,
                                            Call& call) const {
  const size_t limit = options_.http.json_size;
  const Failure too_large{413, "BODY_TOO_LARGE",
                          "the body has more than " + std::to_string(limit) + " octets", "body"};
  if (!http::IsMediaType(request.Find("content-type").value_or(kJson), kJson)) {
    co_return ToStatus(
        {415, "UNSUPPORTED_MEDIA_TYPE", "the body has to be application/json", "content-type"});
  }
  // RFC 9110, 8.4: the body is taken as it is only.
  if (const auto coding = request.Find("content-encoding");
      coding.has_value() && *coding != "identity") {
    co_return ToStatus(
        {415, "UNSUPPORTED_MEDIA_TYPE", "content codings are not taken", "content-encoding"});
  }
  if (request.content_length.value_or(0) > limit) co_return ToStatus(too_large);
  for (;;) {
    RMAIL_CO_ASSIGN_OR_RETURN(std::string piece, co_await body.Next());
    if (piece.empty()) co_return absl::OkStatus();
    if (call.json.size() + piece.size() > limit) co_return ToStatus(too_large);
    call.json += piece;
  }
}

}  // namespace rmail::gateway::exchange
