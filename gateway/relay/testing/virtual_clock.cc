#include "gateway/relay/testing/virtual_clock.h"

#include <algorithm>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "gateway/common/await_callback.h"

namespace rmail::gateway::relay {

// Ended by whoever takes `done` out of it, under the clock's mutex.
struct VirtualClock::Wait {
  absl::Time until;
  absl::AnyInvocable<void(bool)> done;
};

class VirtualClock::VirtualTimer : public Timer {
 public:
  explicit VirtualTimer(VirtualClock& clock) : clock_(clock) {}
  ~VirtualTimer() override { End(); }

  boost::asio::awaitable<void> WaitUntil(absl::Time when) override {
    co_await AwaitCallback<bool>([this, when](auto done) {
      bool over = false;
      {
        MutexLock lock(&clock_.mutex_);
        over = cancelled_ || when <= clock_.now_;
        cancelled_ = false;
        if (!over) {
          wait_ = std::make_shared<Wait>(Wait{when, std::move(done)});
          clock_.waits_.push_back(wait_);
        }
      }
      if (over) done(true);
    });
  }

  void Cancel() override {
    if (End()) return;
    MutexLock lock(&clock_.mutex_);
    cancelled_ = true;
  }

 private:
  // Ends the wait under way, if there is one.
  bool End() {
    absl::AnyInvocable<void(bool)> done;
    {
      MutexLock lock(&clock_.mutex_);
      if (wait_ == nullptr) return false;
      std::erase(clock_.waits_, wait_);
      done = std::exchange(wait_->done, nullptr);
      wait_ = nullptr;
    }
    if (done == nullptr) return false;
    done(true);
    return true;
  }

  VirtualClock& clock_;
  std::shared_ptr<Wait> wait_;  // Guarded by the clock's mutex.
  bool cancelled_ = false;      // So is this.
};

void VirtualClock::Advance(absl::Duration by) {
  std::vector<absl::AnyInvocable<void(bool)>> over;
  {
    MutexLock lock(&mutex_);
    now_ += by;
    std::erase_if(waits_, [&](const std::shared_ptr<Wait>& wait) {
      mutex_.AssertHeld();
      if (wait->until > now_) return false;
      over.push_back(std::exchange(wait->done, nullptr));
      return true;
    });
  }
  for (auto& done : over) done(true);
  if (on_advance_) on_advance_();
}

absl::Time VirtualClock::Now() {
  MutexLock lock(&mutex_);
  return now_;
}

std::unique_ptr<Timer> VirtualClock::NewTimer(boost::asio::any_io_executor) {
  return std::make_unique<VirtualTimer>(*this);
}

}  // namespace rmail::gateway::relay
