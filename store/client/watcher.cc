// One WatchService stream a replica. A thread reads it and connects again when it breaks; another
// writes to it, so that a session that subscribes never waits for the network.
//
// Callbacks run under `mutex_`: that is why they must not block or call back, and why Unwatch can
// promise that they have ended.
#include "store/client/watcher.h"

#include <grpcpp/client_context.h>

#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "rmail/store/v1/watch.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/mutex.h"

namespace rmail::client {
namespace {

namespace pb = ::rmail::store::v1;

constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(5);

class ReplicaWatcher {
 public:
  ReplicaWatcher(const std::shared_ptr<grpc::Channel>& channel,
                 absl::AnyInvocable<std::string()>* gateway_token, Mutex* token_mutex)
      : stub_(pb::WatchService::NewStub(channel)),
        gateway_token_(gateway_token),
        token_mutex_(token_mutex),
        reader_([this] { ReadLoop(); }),
        writer_([this] { WriteLoop(); }) {}

  ~ReplicaWatcher() {
    {
      MutexLock lock(&mutex_);
      stopping_ = true;
      if (context_ != nullptr) context_->TryCancel();
      changed_.SignalAll();
    }
    reader_.join();
    writer_.join();
  }

  void Watch(uint64_t id, const std::string& mailbox, TokenSource token, uint64_t known_modseq,
             absl::AnyInvocable<void(uint64_t)> on_change) {
    MutexLock lock(&mutex_);
    Subscription& subscription = subscriptions_[mailbox];
    subscription.token = std::move(token);
    subscription.callbacks.emplace(id, std::move(on_change));
    if (stream_ != nullptr) Queue(SubscribeRequest(mailbox, subscription, known_modseq));
  }

  bool Unwatch(uint64_t id, const std::string& mailbox) {
    MutexLock lock(&mutex_);
    const auto found = subscriptions_.find(mailbox);
    if (found == subscriptions_.end() || found->second.callbacks.erase(id) == 0) return false;
    if (!found->second.callbacks.empty()) return true;
    subscriptions_.erase(found);
    if (stream_ != nullptr) {
      pb::WatchRequest request;
      request.mutable_unsubscribe()->set_mailbox(mailbox);
      Queue(std::move(request));
    }
    return true;
  }

 private:
  struct Subscription {
    TokenSource token;
    std::map<uint64_t, absl::AnyInvocable<void(uint64_t)>> callbacks;
  };
  using WatchStream = grpc::ClientReaderWriter<pb::WatchRequest, pb::WatchResponse>;

  static pb::WatchRequest SubscribeRequest(const std::string& mailbox,
                                           const Subscription& subscription,
                                           uint64_t known_modseq) {
    pb::WatchRequest request;
    request.mutable_subscribe()->set_mailbox(mailbox);
    request.mutable_subscribe()->set_token(subscription.token());
    request.mutable_subscribe()->set_known_modseq(known_modseq);
    return request;
  }

  void Queue(pb::WatchRequest request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    queue_.push_back(std::move(request));
    changed_.SignalAll();
  }

  void ReadLoop() {
    absl::Duration retry = kFirstRetry;
    while (true) {
      if (RunStream()) retry = kFirstRetry;
      MutexLock lock(&mutex_);
      const absl::Time until = absl::Now() + retry;
      while (!stopping_ && absl::Now() < until) changed_.WaitFor(&mutex_, until - absl::Now());
      if (stopping_) return;
      retry = std::min(retry * 2, kLongestRetry);
    }
  }

  // Opens a stream and reads it to its end. Whether it ever worked.
  bool RunStream() {
    grpc::ClientContext context;
    {
      MutexLock lock(token_mutex_);
      context.AddMetadata("authorization", "Bearer " + (*gateway_token_)());
    }
    {
      // Before the call, which waits for a connection: so that stopping can end that wait.
      MutexLock lock(&mutex_);
      if (stopping_) return false;
      context_ = &context;
    }
    std::shared_ptr<WatchStream> stream = stub_->Watch(&context);
    {
      MutexLock lock(&mutex_);
      stream_ = stream;
      queue_.clear();
      retries_.clear();
      // Modseq 0: whatever happened while there was no stream, each mailbox gets an event.
      for (const auto& [mailbox, subscription] : subscriptions_) {
        Queue(SubscribeRequest(mailbox, subscription, 0));
      }
    }
    bool worked = false;
    pb::WatchResponse event;
    while (stream->Read(&event)) {
      worked = true;
      Dispatch(event);
    }
    {
      MutexLock lock(&mutex_);
      context_ = nullptr;
      stream_ = nullptr;
      queue_.clear();
      while (writing_) changed_.Wait(&mutex_);
    }
    const grpc::Status status = stream->Finish();
    LogDebug("watch stream ended: {}", status.error_message());
    return worked;
  }

  void Dispatch(const pb::WatchResponse& event) {
    MutexLock lock(&mutex_);
    if (event.has_changed()) {
      Notify(event.changed().mailbox(), event.changed().highest_modseq());
    } else if (event.has_ended()) {
      const std::string& mailbox = event.ended().mailbox();
      const ErrorReason reason = ReasonFromName(event.ended().reason());
      if (reason == pb::ERROR_REASON_STORE_UNAVAILABLE || reason == pb::ERROR_REASON_BAD_TOKEN) {
        // That passes.
        retries_[mailbox] = absl::Now() + kLongestRetry;
        changed_.SignalAll();
      }
      Notify(mailbox, 0);
    }
  }

  void Notify(const std::string& mailbox, uint64_t modseq) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = subscriptions_.find(mailbox);
    if (found == subscriptions_.end()) return;
    for (auto& [id, on_change] : found->second.callbacks) on_change(modseq);
  }

  // Subscribes anew where a subscription ended for a passing reason.
  void QueueRetries() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (stream_ == nullptr) return;
    const absl::Time now = absl::Now();
    for (auto it = retries_.begin(); it != retries_.end();) {
      const auto next = std::next(it);
      if (it->second <= now) {
        const auto found = subscriptions_.find(it->first);
        if (found != subscriptions_.end()) Queue(SubscribeRequest(it->first, found->second, 0));
        retries_.erase(it);
      }
      it = next;
    }
  }

  void WriteLoop() {
    while (true) {
      pb::WatchRequest request;
      std::shared_ptr<WatchStream> stream;
      {
        MutexLock lock(&mutex_);
        while (!stopping_ && (queue_.empty() || stream_ == nullptr)) {
          if (retries_.empty()) {
            changed_.Wait(&mutex_);
          } else {
            changed_.WaitFor(&mutex_, kLongestRetry);
          }
          QueueRetries();
        }
        if (stopping_) return;
        request = std::move(queue_.front());
        queue_.pop_front();
        stream = stream_;
        writing_ = true;
      }
      // A write that fails belongs to a stream that has ended: the reader finds out and starts
      // over.
      stream->Write(request);
      MutexLock lock(&mutex_);
      writing_ = false;
      changed_.SignalAll();
    }
  }

  const std::unique_ptr<pb::WatchService::Stub> stub_;
  absl::AnyInvocable<std::string()>* const gateway_token_;
  Mutex* const token_mutex_;

  Mutex mutex_;
  CondVar changed_;
  absl::flat_hash_map<std::string, Subscription> subscriptions_ ABSL_GUARDED_BY(mutex_);
  // When to subscribe anew, by mailbox.
  std::map<std::string, absl::Time> retries_ ABSL_GUARDED_BY(mutex_);
  std::deque<pb::WatchRequest> queue_ ABSL_GUARDED_BY(mutex_);
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::shared_ptr<WatchStream> stream_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // Last: they use all of the above.
  std::thread reader_;
  std::thread writer_;
};

class GrpcWatcher : public Watcher {
 public:
  GrpcWatcher(Replicas replicas, absl::AnyInvocable<std::string()> gateway_token)
      : replicas_(std::move(replicas)), gateway_token_(std::move(gateway_token)) {
    for (size_t i = 0; i < replicas_.size(); ++i) {
      watchers_.push_back(
          std::make_unique<ReplicaWatcher>(replicas_.channel(i), &gateway_token_, &token_mutex_));
    }
  }

  uint64_t Watch(const std::string& mailbox, TokenSource token, uint64_t known_modseq,
                 absl::AnyInvocable<void(uint64_t)> on_change) override {
    const size_t replica = replicas_.Pick(mailbox);
    uint64_t id;
    {
      MutexLock lock(&mutex_);
      id = next_id_++;
      places_.emplace(id, Place{replica, mailbox});
    }
    watchers_[replica]->Watch(id, mailbox, std::move(token), known_modseq, std::move(on_change));
    return id;
  }

  void Unwatch(uint64_t id) override {
    Place place;
    {
      MutexLock lock(&mutex_);
      const auto found = places_.find(id);
      if (found == places_.end()) return;
      place = std::move(found->second);
      places_.erase(found);
    }
    watchers_[place.replica]->Unwatch(id, place.mailbox);
  }

 private:
  struct Place {
    size_t replica = 0;
    std::string mailbox;
  };

  Replicas replicas_;
  absl::AnyInvocable<std::string()> gateway_token_;
  Mutex token_mutex_;
  Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::flat_hash_map<uint64_t, Place> places_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<ReplicaWatcher>> watchers_;
};

}  // namespace

std::unique_ptr<Watcher> MakeWatcher(Replicas replicas,
                                     absl::AnyInvocable<std::string()> gateway_token) {
  return std::make_unique<GrpcWatcher>(std::move(replicas), std::move(gateway_token));
}

}  // namespace rmail::client
