// Runs coroutines side by side and waits for all of them.
#ifndef RMAIL_GATEWAY_RELAY_GATHER_H_
#define RMAIL_GATEWAY_RELAY_GATHER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

namespace rmail::gateway::relay {

// Used on its executor, on which all of them run. It must not go before Wait has returned.
class Gather {
 public:
  explicit Gather(const boost::asio::any_io_executor& executor) : ended_(executor) {}

  // What it throws is logged.
  void Spawn(boost::asio::awaitable<void> work);
  // Returns when all have ended.
  boost::asio::awaitable<void> Wait();

 private:
  boost::asio::steady_timer ended_;
  int running_ = 0;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_GATHER_H_
