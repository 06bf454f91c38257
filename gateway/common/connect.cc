#include "gateway/common/connect.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>

#include "store/base/status.h"

namespace rmail::gateway {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Shared with the timer, which may fire when the connection stands already.
struct Attempt {
  explicit Attempt(const asio::any_io_executor& executor) : socket(executor) {}
  tcp::socket socket;
  bool over = false;
  bool timed_out = false;
};

absl::Status CannotReach(const boost::system::error_code& error) {
  return MakeStatus(absl::StatusCode::kUnavailable, error.message());
}

absl::Status Prepare(tcp::socket& socket, const tcp::endpoint& server,
                     const std::optional<asio::ip::address>& source) {
  boost::system::error_code error;
  socket.open(server.protocol(), error);
  if (error) return CannotReach(error);
  if (source.has_value() && source->is_v4() == server.address().is_v4()) {
    socket.bind(tcp::endpoint(*source, 0), error);
    if (error) return CannotReach(error);
  }
  return absl::OkStatus();
}

}  // namespace

asio::awaitable<absl::StatusOr<std::shared_ptr<Connection>>> Connect(
    tcp::endpoint server, std::optional<asio::ip::address> source, absl::Duration timeout) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto attempt = std::make_shared<Attempt>(executor);
  RMAIL_CO_RETURN_IF_ERROR(Prepare(attempt->socket, server, source));
  asio::steady_timer timer(executor, absl::ToChronoNanoseconds(timeout));
  timer.async_wait([attempt](const boost::system::error_code& error) {
    if (error || attempt->over) return;
    attempt->timed_out = true;
    boost::system::error_code ignored;
    attempt->socket.close(ignored);
  });
  const auto [error] =
      co_await attempt->socket.async_connect(server, asio::as_tuple(asio::use_awaitable));
  attempt->over = true;
  timer.cancel();
  if (attempt->timed_out) {
    co_return MakeStatus(absl::StatusCode::kDeadlineExceeded, "connection timed out");
  }
  if (error) co_return CannotReach(error);
  co_return std::make_shared<Connection>(std::move(attempt->socket), server.address().to_string());
}

}  // namespace rmail::gateway
