// Counts events, so that a flood of them does not flood the log.
#ifndef RMAIL_GATEWAY_COMMON_LOG_LIMIT_H_
#define RMAIL_GATEWAY_COMMON_LOG_LIMIT_H_

#include <chrono>
#include <cstddef>
#include <utility>

namespace rmail::gateway {

// Not thread-safe.
class LogLimit {
 public:
  // How often to tell of events.
  explicit LogLimit(std::chrono::seconds interval) : interval_(interval) {}

  // How many events to tell of now; 0: wait with it.
  size_t Count() {
    ++count_;
    const auto now = std::chrono::steady_clock::now();
    if (last_ != std::chrono::steady_clock::time_point() && now - last_ < interval_) return 0;
    last_ = now;
    return std::exchange(count_, 0);
  }

 private:
  const std::chrono::seconds interval_;
  size_t count_ = 0;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_LOG_LIMIT_H_
