#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "absl/time/time.h"
#include "gateway/exchange/failure.h"
#include "gateway/exchange/handlers.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> Sleep(absl::Duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(duration));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

asio::awaitable<absl::StatusOr<LoginAnswer>> Login(Call& call, LoginRequest request) {
  absl::StatusOr<gateway::StoreAccess::Login> login = co_await call.store.Authenticate(
      std::move(request.address), std::move(request.password), call.peer.address);
  if (absl::IsUnauthenticated(login.status()) || absl::IsPermissionDenied(login.status())) {
    // Who guesses is made slow: one guess a connection, and each waits.
    co_await Sleep(call.options.auth_failure_delay);
    co_return ThenClose(login.status());
  }
  RMAIL_CO_RETURN_IF_ERROR(login.status());
  co_return LoginAnswer{std::move(login->token), std::move(login->account), login->expires_in};
}

}  // namespace rmail::gateway::exchange
