#include "gateway/smtp/delivery_slots.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "gateway/common/await_callback.h"

namespace rmail::gateway::smtp {

void DeliverySlots::Waiter::Set(Done done) {
  MutexLock lock(&mutex_);
  done_ = std::move(done);
}

DeliverySlots::Done DeliverySlots::Waiter::Take() {
  MutexLock lock(&mutex_);
  return std::exchange(done_, Done());
}

boost::asio::awaitable<std::optional<DeliverySlots::Slot>> DeliverySlots::Enter(
    std::chrono::steady_clock::time_point deadline) {
  const auto waiter = std::make_shared<Waiter>();
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, deadline);
  timer.async_wait([waiter](const boost::system::error_code& stopped) {
    if (stopped) return;
    Done done = waiter->Take();
    if (done) done(false);
  });
  const bool entered = co_await gateway::AwaitCallback<bool>(
      [this, waiter](auto done) { Enter(waiter, std::move(done)); });
  if (!entered) co_return std::nullopt;
  co_return Slot(*this);
}

void DeliverySlots::Enter(const std::shared_ptr<Waiter>& waiter, Done done) {
  {
    MutexLock lock(&mutex_);
    if (free_ == 0) {
      waiter->Set(std::move(done));
      waiting_.push_back(waiter);
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
    while (!next && !waiting_.empty()) {
      next = waiting_.front()->Take();
      waiting_.pop_front();
    }
    if (!next) {
      ++free_;
      return;
    }
  }
  // It takes over the place.
  next(true);
}

}  // namespace rmail::gateway::smtp
