// Calls of LeaseMessages that wait for something to come due. None of them holds a thread.
#ifndef RMAIL_STORE_SERVICE_LEASE_CALLS_H_
#define RMAIL_STORE_SERVICE_LEASE_CALLS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <list>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "rmail/store/v1/queue.pb.h"
#include "store/base/mutex.h"
#include "store/service/services.h"

namespace rmail::service {

// Whether a lease may last so long.
inline bool IsLeaseLength(uint32_t seconds) { return seconds >= 10 && seconds <= 3600; }

// Thread-safe. One thread of its own looks at the queue for all that wait: when this store has
// queued something, when something comes due, and once a second for what other stores did.
class LeaseCalls {
 public:
  explicit LeaseCalls(ServiceContext context);
  // All calls have ended.
  ~LeaseCalls();
  LeaseCalls(const LeaseCalls&) = delete;
  LeaseCalls& operator=(const LeaseCalls&) = delete;

  // Answers a call.
  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* call,
                                  const store::v1::LeaseMessagesRequest* request,
                                  store::v1::LeaseMessagesResponse* response);
  // Ends the calls that wait, now and later (UNAVAILABLE).
  void EndAll();

 private:
  class Call;

  void Loop();
  // Answers a call that does not stand in `waiting_`, or puts it there.
  void Attempt(Call* call);
  void Cancel(Call* call);

  const ServiceContext context_;
  Mutex mutex_;
  CondVar changed_;
  // Whoever takes a call out of it is the only one to work on it. The longest waiting is in front.
  std::list<Call*> waiting_ ABSL_GUARDED_BY(mutex_);
  // Counts what may have made something due.
  uint64_t events_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_LEASE_CALLS_H_
