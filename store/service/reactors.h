// The three kinds of calls, as plain functions that run on the worker pool: a servicer says what to
// do, these move it over gRPC's callback API. No thread waits for a slow client.
#ifndef RMAIL_STORE_SERVICE_REACTORS_H_
#define RMAIL_STORE_SERVICE_REACTORS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <exception>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/base/status.h"
#include "store/client/grpc_status.h"
#include "store/service/worker_pool.h"

namespace rmail::service {

// The contract's errors have a reason: what the file system reports without one means that the
// store cannot do its work.
inline absl::Status AsStoreError(absl::Status status) {
  if (status.ok() || ReasonOf(status) != store::v1::ERROR_REASON_UNSPECIFIED) return status;
  return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, FromAbsl(status.message()));
}

// A fault in one call never touches another: what is thrown becomes that call's error.
template <typename Work>
absl::Status Guard(Work&& work) {
  try {
    return AsStoreError(work());
  } catch (const std::exception& e) {
    return MakeStatus(absl::StatusCode::kInternal, e.what());
  }
}

// `work` returns a Status and fills the response.
template <typename Work>
grpc::ServerUnaryReactor* RunUnary(WorkerPool& pool, grpc::CallbackServerContext* context,
                                   Work work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  pool.Run([reactor, work = std::move(work)]() mutable {
    reactor->Finish(client::ToGrpcStatus(Guard(work)));
  });
  return reactor;
}

// Fills the next answer; false at the end.
template <typename Response>
using Producer = absl::AnyInvocable<absl::StatusOr<bool>(Response*)>;

// Sends what a producer makes. The next answer is made when the last one has been taken.
template <typename Response>
class StreamReactor : public grpc::ServerWriteReactor<Response> {
 public:
  // `make` runs on the pool.
  static StreamReactor* Start(WorkerPool& pool,
                              absl::AnyInvocable<absl::StatusOr<Producer<Response>>()> make) {
    auto* const reactor = new StreamReactor(pool, std::move(make));
    pool.Run([reactor] { reactor->Step(); });
    return reactor;
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      this->Finish(grpc::Status::CANCELLED);
    } else {
      pool_.Run([this] { Step(); });
    }
  }
  void OnDone() override { delete this; }

 private:
  StreamReactor(WorkerPool& pool, absl::AnyInvocable<absl::StatusOr<Producer<Response>>()> make)
      : pool_(pool), make_(std::move(make)) {}

  void Step() {
    bool more = false;
    absl::Status produced;
    {
      // As in UploadReactor: for who can't see that gRPC puts one step after the other.
      MutexLock lock(&mutex_);
      produced = Guard([&]() -> absl::Status {
        if (!producer_) {
          RMAIL_ASSIGN_OR_RETURN(producer_, make_());
        }
        response_.Clear();
        RMAIL_ASSIGN_OR_RETURN(more, producer_(&response_));
        return absl::OkStatus();
      });
    }
    if (!produced.ok()) {
      this->Finish(client::ToGrpcStatus(produced));
    } else if (!more) {
      this->Finish(grpc::Status::OK);
    } else {
      this->StartWrite(&response_);
    }
  }

  WorkerPool& pool_;
  Mutex mutex_;
  absl::AnyInvocable<absl::StatusOr<Producer<Response>>()> make_;
  Producer<Response> producer_;
  Response response_;
};

// What an upload's messages go to.
template <typename Request, typename Response>
class Receiver {
 public:
  virtual ~Receiver() = default;
  // Takes a message. True: it was the last; Finish follows.
  virtual absl::StatusOr<bool> Take(Request* request) = 0;
  virtual absl::Status Finish(Response* response) = 0;
};

template <typename Request, typename Response>
class UploadReactor : public grpc::ServerReadReactor<Request> {
 public:
  // `allowed`: whether the caller may upload at all.
  UploadReactor(WorkerPool& pool, const absl::Status& allowed, Response* response,
                std::unique_ptr<Receiver<Request, Response>> receiver)
      : pool_(pool), response_(response), receiver_(std::move(receiver)) {
    if (allowed.ok()) {
      this->StartRead(&request_);
    } else {
      this->Finish(client::ToGrpcStatus(allowed));
    }
  }

  void OnReadDone(bool ok) override {
    // The stream broke, or ended without its end being said: nothing is stored.
    if (!ok) {
      this->Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the upload ended too soon"));
      return;
    }
    pool_.Run([this] { Take(); });
  }
  void OnDone() override { delete this; }

 private:
  void Take() {
    bool last = false;
    absl::Status status;
    {
      // One read at a time is under way: nobody waits here. But a thread sanitizer that does not
      // see into gRPC learns from it that what this thread wrote, the next one may read.
      MutexLock lock(&mutex_);
      status = Guard([&]() -> absl::Status {
        RMAIL_ASSIGN_OR_RETURN(last, receiver_->Take(&request_));
        return last ? receiver_->Finish(response_) : absl::OkStatus();
      });
    }
    if (last || !status.ok()) {
      this->Finish(client::ToGrpcStatus(status));
    } else {
      request_.Clear();
      this->StartRead(&request_);
    }
  }

  WorkerPool& pool_;
  Response* const response_;
  const std::unique_ptr<Receiver<Request, Response>> receiver_;
  Mutex mutex_;
  Request request_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_REACTORS_H_
