// Work that nobody waits for, such as checkpoints: one thread, in order.
#ifndef RMAIL_STORE_ENGINE_BACKGROUND_H_
#define RMAIL_STORE_ENGINE_BACKGROUND_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "store/base/mutex.h"

namespace rmail::engine {

// Thread-safe.
class Background {
 public:
  Background();
  // Waits for the work under way; what has not begun is dropped.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void Run(std::function<void()> work);

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_BACKGROUND_H_
