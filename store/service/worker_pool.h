// Threads for work that blocks on files. gRPC's own threads must not.
#ifndef RMAIL_STORE_SERVICE_WORKER_POOL_H_
#define RMAIL_STORE_SERVICE_WORKER_POOL_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "store/base/mutex.h"

namespace rmail::service {

// Thread-safe.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  // Finishes what was given to it.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Run(absl::AnyInvocable<void()> work);
  // Work that no thread has begun.
  size_t waiting();

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_WORKER_POOL_H_
