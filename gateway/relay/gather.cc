#include "gateway/relay/gather.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "store/base/logging.h"

namespace rmail::gateway::relay {
namespace {

void LogThrown(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    LogError("relay: {}", error.what());
  } catch (...) {
    LogError("relay: something unknown was thrown");
  }
}

}  // namespace

void Gather::Spawn(boost::asio::awaitable<void> work) {
  ++running_;
  boost::asio::co_spawn(ended_.get_executor(), std::move(work),
                        [this](const std::exception_ptr& thrown) {
                          if (thrown != nullptr) LogThrown(thrown);
                          if (--running_ == 0) ended_.cancel();
                        });
}

boost::asio::awaitable<void> Gather::Wait() {
  while (running_ > 0) {
    ended_.expires_at(boost::asio::steady_timer::time_point::max());
    co_await ended_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

}  // namespace rmail::gateway::relay
