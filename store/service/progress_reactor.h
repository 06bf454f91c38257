// A call that works for long and tells how far it is.
#ifndef RMAIL_STORE_SERVICE_PROGRESS_REACTOR_H_
#define RMAIL_STORE_SERVICE_PROGRESS_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "store/base/mutex.h"
#include "store/client/grpc_status.h"
#include "store/service/reactors.h"
#include "store/service/worker_pool.h"

namespace rmail::service {

// Told how much is done of how much. False: nobody waits for the result any more, give up.
using ProgressFunction = std::function<bool(uint32_t done, uint32_t total)>;

// Runs work on a pool, sends progress a few times a second, and the result at the end. `Response`
// has a field `progress`. A client that reads slowly is told less often; the work does not wait.
template <typename Response>
class ProgressReactor : public grpc::ServerWriteReactor<Response> {
 public:
  // Fills the last answer.
  using Work = absl::AnyInvocable<absl::Status(const ProgressFunction& progress, Response* last)>;

  static ProgressReactor* Start(WorkerPool& pool, Work work) {
    auto* const reactor = new ProgressReactor(std::move(work));
    pool.Run([reactor] { reactor->Run(); });
    return reactor;
  }

  void OnWriteDone(bool ok) override {
    if (!ok) cancelled_ = true;
    bool last_sent;
    {
      MutexLock lock(&mutex_);
      writing_ = false;
      if (!ended_) return;
      last_sent = std::exchange(concluded_, true);
    }
    if (last_sent) {
      this->Finish(ok ? grpc::Status::OK : grpc::Status::CANCELLED);
    } else {
      Conclude();
    }
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  // Between two answers.
  static constexpr absl::Duration kInterval = absl::Milliseconds(250);

  explicit ProgressReactor(Work work) : work_(std::move(work)) {}

  void Run() {
    Response last;
    const absl::Status status = Guard([&]() -> absl::Status {
      if (cancelled_) return absl::CancelledError("the caller has gone");
      return work_([this](uint32_t done, uint32_t total) { return Tell(done, total); }, &last);
    });
    {
      MutexLock lock(&mutex_);
      status_ = status;
      if (total_ > 0) SetProgress(total_, total_, &last);
      last_ = std::move(last);
      ended_ = true;
      // An answer is on its way: OnWriteDone goes on.
      if (writing_) return;
      concluded_ = true;
    }
    Conclude();
  }

  bool Tell(uint32_t done, uint32_t total) {
    if (cancelled_) return false;
    {
      MutexLock lock(&mutex_);
      total_ = total;
      const absl::Time now = absl::Now();
      if (writing_ || now - told_ < kInterval) return true;
      told_ = now;
      writing_ = true;
      SetProgress(done, total, &answer_);
    }
    this->StartWrite(&answer_);
    return true;
  }

  static void SetProgress(uint32_t done, uint32_t total, Response* response) {
    response->mutable_progress()->set_shards_done(done);
    response->mutable_progress()->set_shards_total(total);
  }

  // Once, when the work has ended and no answer is on its way: sends the last. (Not together with
  // the status: gRPC's in-process channel then loses an answer that nobody has asked for yet.)
  void Conclude() {
    absl::Status status;
    const Response* last;
    {
      // Nobody else touches these any more; the lock is for who can't see that (reactors.h).
      MutexLock lock(&mutex_);
      status = status_;
      last = &last_;
    }
    if (status.ok()) {
      this->StartWrite(last);
    } else {
      this->Finish(client::ToGrpcStatus(status));
    }
  }

  Work work_;
  std::atomic<bool> cancelled_ = false;
  // Sent while `writing_`.
  Response answer_;

  Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool concluded_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time told_ ABSL_GUARDED_BY(mutex_) = absl::Now();
  uint32_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  Response last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_PROGRESS_REACTOR_H_
