// Bounds how many messages a gateway gives to the store at once.
#ifndef RMAIL_GATEWAY_SMTP_DELIVERY_SLOTS_H_
#define RMAIL_GATEWAY_SMTP_DELIVERY_SLOTS_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "store/base/mutex.h"

namespace rmail::gateway::smtp {

// Thread-safe; outlives its slots.
class DeliverySlots {
 public:
  // Gives its place back at its end.
  class Slot {
   public:
    explicit Slot(DeliverySlots& slots) : slots_(&slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->Leave();
    }

   private:
    DeliverySlots* slots_;
  };

  explicit DeliverySlots(size_t count) : free_(count) {}

  // Waits for a place, in the order of the callers. None: there was none until `deadline`.
  boost::asio::awaitable<std::optional<Slot>> Enter(std::chrono::steady_clock::time_point deadline);

 private:
  using Done = absl::AnyInvocable<void(bool)>;
  // Whoever takes the callback calls it: with true, and a place, or with false.
  class Waiter {
   public:
    void Set(Done done);
    // Empty: it is taken.
    Done Take();

   private:
    Mutex mutex_;
    Done done_ ABSL_GUARDED_BY(mutex_);
  };
  void Enter(const std::shared_ptr<Waiter>& waiter, Done done);
  void Leave();

  Mutex mutex_;
  size_t free_ ABSL_GUARDED_BY(mutex_);
  // Only while none is free. Those that have given up are still in it.
  std::deque<std::shared_ptr<Waiter>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_DELIVERY_SLOTS_H_
