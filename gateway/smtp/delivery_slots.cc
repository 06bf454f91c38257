#include "gateway/smtp/delivery_slots.h"

#include "gateway/common/await_callback.h"

namespace rmail::gateway::smtp {

boost::asio::awaitable<DeliverySlots::Slot> DeliverySlots::Enter() {
  static_cast<void>(
      co_await gateway::AwaitCallback<bool>([this](auto done) { Enter(std::move(done)); }));
  co_return Slot(*this);
}

void DeliverySlots::Enter(Done done) {
  {
    MutexLock lock(&mutex_);
    if (free_ == 0) {
      waiting_.push_back(std::move(done));
      return;
    }
    --free_;
  }
  done(true);
}

void DeliverySlots::Leave() {
  Done next;
  {
    MutexLock lock(&mutex_);
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    // It takes over the place.
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next(true);
}

}  // namespace rmail::gateway::smtp
