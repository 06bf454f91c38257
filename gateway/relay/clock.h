// Time as the relay sees it. A test's stands still until it is moved.
#ifndef RMAIL_GATEWAY_RELAY_CLOCK_H_
#define RMAIL_GATEWAY_RELAY_CLOCK_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "absl/time/time.h"

namespace rmail::gateway::relay {

// Waits of one coroutine at a time. Used on its executor only.
class Timer {
 public:
  virtual ~Timer() = default;
  // Waits until `when`, or until Cancel().
  virtual boost::asio::awaitable<void> WaitUntil(absl::Time when) = 0;
  // Ends the wait under way, or else the next one.
  virtual void Cancel() = 0;
};

// Thread-safe. Outlives its timers.
class Clock {
 public:
  virtual ~Clock() = default;
  // The system's.
  static Clock& System();

  virtual absl::Time Now() = 0;
  virtual std::unique_ptr<Timer> NewTimer(boost::asio::any_io_executor executor) = 0;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_CLOCK_H_
