#include <utility>

#include "gateway/exchange/handlers.h"
#include "store/base/status.h"

namespace rmail::exchange {

boost::asio::awaitable<absl::StatusOr<LoginAnswer>> Login(Call& call, LoginRequest request) {
  RMAIL_CO_ASSIGN_OR_RETURN(
      gateway::StoreAccess::Login login,
      co_await call.store.Authenticate(std::move(request.address), std::move(request.password)));
  co_return LoginAnswer{std::move(login.token), std::move(login.account), login.expires_in};
}

}  // namespace rmail::exchange
