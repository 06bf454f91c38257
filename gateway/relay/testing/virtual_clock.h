// A clock that a test moves.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_VIRTUAL_CLOCK_H_
#define RMAIL_GATEWAY_RELAY_TESTING_VIRTUAL_CLOCK_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gateway/relay/clock.h"
#include "store/base/mutex.h"

namespace rmail::gateway::relay {

// Thread-safe.
class VirtualClock : public Clock {
 public:
  explicit VirtualClock(absl::Time now) : now_(now) {}
  VirtualClock(const VirtualClock&) = delete;
  VirtualClock& operator=(const VirtualClock&) = delete;

  // Moves time on: waits that are over by then end, and `OnAdvance` is called.
  void Advance(absl::Duration by);
  // Called by each Advance, on its thread. Set before others use the clock.
  void OnAdvance(std::function<void()> called) { on_advance_ = std::move(called); }

  absl::Time Now() override;
  std::unique_ptr<Timer> NewTimer(boost::asio::any_io_executor executor) override;

 private:
  class VirtualTimer;
  struct Wait;

  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Wait>> waits_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_advance_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TESTING_VIRTUAL_CLOCK_H_
