#include "gateway/relay/clock.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "absl/time/clock.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;

class SystemTimer : public Timer {
 public:
  explicit SystemTimer(asio::any_io_executor executor) : timer_(std::move(executor)) {}

  asio::awaitable<void> WaitUntil(absl::Time when) override {
    if (!std::exchange(cancelled_, false)) {
      const absl::Duration left = std::max(when - absl::Now(), absl::ZeroDuration());
      timer_.expires_after(absl::ToChronoNanoseconds(left));
      waiting_ = true;
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
      waiting_ = false;
    }
  }

  void Cancel() override {
    cancelled_ = !waiting_;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  bool waiting_ = false;
  bool cancelled_ = false;
};

class SystemClock : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
  std::unique_ptr<Timer> NewTimer(asio::any_io_executor executor) override {
    return std::make_unique<SystemTimer>(std::move(executor));
  }
};

}  // namespace

Clock& Clock::System() {
  static SystemClock clock;
  return clock;
}

}  // namespace rmail::gateway::relay
