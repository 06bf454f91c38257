// gRPC calls behind the callbacks of store_client.h. Each call object lives until gRPC is done with
// it.
//
// Invariant of the streaming calls: a hold is kept on the reactor while the handle (Reader, Writer)
// may still start an operation; so OnDone, after which nothing may be started, comes only once the
// hold is given up.
#ifndef RMAIL_STORE_CLIENT_CALLS_H_
#define RMAIL_STORE_CLIENT_CALLS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "store/base/mutex.h"
#include "store/client/grpc_status.h"
#include "store/client/store_client.h"

namespace rmail::client {

// Counts calls under way. A ClientContext holds its channel, and the channel's last owner must not
// be one of gRPC's own threads (it would wait for itself): so a StoreClient goes only after its
// calls have.
class CallTracker {
 public:
  void Begin() {
    MutexLock lock(&mutex_);
    ++calls_;
  }
  void End() {
    MutexLock lock(&mutex_);
    if (--calls_ == 0) none_.SignalAll();
  }
  void WaitForNone() {
    MutexLock lock(&mutex_);
    while (calls_ > 0) none_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar none_;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The first member of a call, so that it goes after the context.
class TrackedCall {
 public:
  explicit TrackedCall(CallTracker& tracker) : tracker_(tracker) { tracker_.Begin(); }
  ~TrackedCall() { tracker_.End(); }
  TrackedCall(const TrackedCall&) = delete;
  TrackedCall& operator=(const TrackedCall&) = delete;

 private:
  CallTracker& tracker_;
};

inline void Prepare(const CallOptions& options, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() +
                        absl::ToChronoNanoseconds(options.timeout));
  context->AddMetadata("authorization", "Bearer " + options.token);
}

// A unary call: `start` is called with the context, request, response and completion.
template <typename Request, typename Response, typename Start>
void StartUnary(CallTracker& tracker, const CallOptions& options, const Request& request,
                Callback<Response> done, Start start) {
  struct State {
    explicit State(CallTracker& tracker) : tracked(tracker) {}
    TrackedCall tracked;
    grpc::ClientContext context;
    Request request;
    Response response;
    Callback<Response> done;
  };
  auto state = std::make_shared<State>(tracker);
  Prepare(options, &state->context);
  state->request = request;
  state->done = std::move(done);
  State* const raw = state.get();
  start(&raw->context, &raw->request, &raw->response,
        [state = std::move(state)](const grpc::Status& status) {
          if (status.ok()) {
            state->done(std::move(state->response));
          } else {
            state->done(FromGrpcStatus(status));
          }
        });
}

template <typename Response>
class ReadCall : public grpc::ClientReadReactor<Response> {
 public:
  // `start` binds the reactor to a stub's call.
  template <typename Start>
  static std::shared_ptr<ReadCall> Begin(CallTracker& tracker, const CallOptions& options,
                                         Start start) {
    std::shared_ptr<ReadCall> call(new ReadCall(tracker));
    Prepare(options, &call->context_);
    call->self_ = call;
    start(&call->context_, call.get());
    call->AddHold();
    call->StartCall();
    return call;
  }

  void Next(Callback<std::optional<Response>> done) {
    {
      MutexLock lock(&mutex_);
      done_ = std::move(done);
      reading_ = true;
    }
    this->StartRead(&response_);
  }

  // gRPC parses the next answer into it.
  void Recycle(Response response) { response_ = std::move(response); }

  // The handle goes away.
  void Abandon() {
    context_.TryCancel();
    bool release;
    {
      MutexLock lock(&mutex_);
      abandoned_ = true;
      release = !reading_ && !ended_;
      if (release) ended_ = true;
    }
    if (release) this->RemoveHold();
  }

  void OnReadDone(bool ok) override {
    bool release;
    Callback<std::optional<Response>> done;
    {
      MutexLock lock(&mutex_);
      reading_ = false;
      release = !ended_ && (!ok || abandoned_);
      if (release) ended_ = true;
      if (ok) {
        done = std::move(done_);
        done_ = nullptr;
      }
    }
    // The callback may start the next read, which fills response_ anew: it is moved out first.
    if (ok) {
      std::optional<Response> response(std::move(response_));
      response_.Clear();
      done(std::move(response));
    }
    if (release) this->RemoveHold();
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<ReadCall> keep = std::move(self_);
    Callback<std::optional<Response>> done;
    {
      MutexLock lock(&mutex_);
      done = std::move(done_);
      done_ = nullptr;
    }
    if (!done) return;
    if (status.ok()) {
      done(std::optional<Response>());
    } else {
      done(FromGrpcStatus(status));
    }
  }

 private:
  explicit ReadCall(CallTracker& tracker) : tracked_(tracker) {}

  TrackedCall tracked_;
  grpc::ClientContext context_;
  Response response_;
  std::shared_ptr<ReadCall> self_;  // Until OnDone.
  Mutex mutex_;
  // Set while a Next is under way.
  Callback<std::optional<Response>> done_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // The hold was given up.
};

template <typename Response>
class ReadHandle : public Reader<Response> {
 public:
  explicit ReadHandle(std::shared_ptr<ReadCall<Response>> call) : call_(std::move(call)) {}
  ~ReadHandle() override { call_->Abandon(); }
  void Next(Callback<std::optional<Response>> done) override { call_->Next(std::move(done)); }
  void Recycle(Response response) override { call_->Recycle(std::move(response)); }

 private:
  std::shared_ptr<ReadCall<Response>> call_;
};

// An upload: the request has `data` and `end` (message.proto).
template <typename Request, typename Response>
class WriteCall : public grpc::ClientWriteReactor<Request> {
 public:
  template <typename Start>
  static std::shared_ptr<WriteCall> Begin(CallTracker& tracker, const CallOptions& options,
                                          Start start) {
    std::shared_ptr<WriteCall> call(new WriteCall(tracker));
    Prepare(options, &call->context_);
    call->self_ = call;
    start(&call->context_, &call->response_, call.get());
    call->AddHold();
    call->StartCall();
    return call;
  }

  void Write(Request request, absl::AnyInvocable<void(bool)> done) {
    request_ = std::move(request);
    sent_ += request_.data().size();
    if (request_.has_end()) {
      // The end of a message (AppendMessage): the upload's is what Finish says.
      request_.mutable_end()->set_size(std::exchange(sent_, 0));
      request_.mutable_end()->set_more(true);
    }
    written_ = std::move(done);
    {
      MutexLock lock(&mutex_);
      writing_ = true;
    }
    this->StartWrite(&request_);
  }

  void Finish(Callback<Response> done) {
    finished_ = std::move(done);
    {
      MutexLock lock(&mutex_);
      released_ = true;
    }
    // The store takes a message only when its end has been said.
    request_.Clear();
    request_.mutable_end()->set_size(sent_);
    this->StartWriteLast(&request_, grpc::WriteOptions());
    this->RemoveHold();
  }

  void Cancel() { context_.TryCancel(); }

  void Abandon() {
    bool release;
    {
      MutexLock lock(&mutex_);
      if (released_) return;
      abandoned_ = true;
      release = !writing_;
      if (release) released_ = true;
    }
    context_.TryCancel();
    if (release) this->RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    bool release;
    {
      MutexLock lock(&mutex_);
      writing_ = false;
      release = abandoned_ && !released_;
      if (release) released_ = true;
    }
    // None for the last one, which Finish sends.
    if (absl::AnyInvocable<void(bool)> written = std::exchange(written_, nullptr)) written(ok);
    if (release) this->RemoveHold();
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<WriteCall> keep = std::move(self_);
    if (!finished_) return;
    if (status.ok()) {
      finished_(std::move(response_));
    } else {
      finished_(FromGrpcStatus(status));
    }
  }

 private:
  explicit WriteCall(CallTracker& tracker) : tracked_(tracker) {}

  TrackedCall tracked_;
  grpc::ClientContext context_;
  Request request_;
  Response response_;
  uint64_t sent_ = 0;  // octets of the message under way
  absl::AnyInvocable<void(bool)> written_;
  Callback<Response> finished_;
  std::shared_ptr<WriteCall> self_;  // Until OnDone.
  Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;  // The hold was given up.
};

template <typename Request, typename Response>
class WriteHandle : public Writer<Request, Response> {
 public:
  explicit WriteHandle(std::shared_ptr<WriteCall<Request, Response>> call)
      : call_(std::move(call)) {}
  ~WriteHandle() override { call_->Abandon(); }
  void Write(Request request, absl::AnyInvocable<void(bool)> done) override {
    call_->Write(std::move(request), std::move(done));
  }
  void Finish(Callback<Response> done) override { call_->Finish(std::move(done)); }
  void Cancel() override { call_->Cancel(); }

 private:
  std::shared_ptr<WriteCall<Request, Response>> call_;
};

}  // namespace rmail::client

#endif  // RMAIL_STORE_CLIENT_CALLS_H_
