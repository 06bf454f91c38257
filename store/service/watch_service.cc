#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "rmail/store/v1/watch.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {

namespace pb = ::rmail::store::v1;

// Mailboxes with an event that a reader has not taken.
constexpr size_t kMaxPending = 100'000;

class WatchStream;

// The streams that are open.
class WatchStreams {
 public:
  // False: no new stream may start.
  bool Add(WatchStream* stream) {
    MutexLock lock(&mutex_);
    if (ended_) return false;
    streams_.insert(stream);
    return true;
  }
  void Remove(WatchStream* stream) {
    MutexLock lock(&mutex_);
    streams_.erase(stream);
  }
  void EndAll();

 private:
  Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<WatchStream*> streams_ ABSL_GUARDED_BY(mutex_);
};

// One gateway's stream. What it has to say waits in `pending_`, one entry a mailbox: a slow reader
// gets the latest state of each mailbox it watches, and costs no more memory than its subscriptions
// do.
//
// Lock order: the feed's lock, then `mutex_`. So the feed is never called with `mutex_` held.
class WatchStream : public grpc::ServerBidiReactor<pb::WatchRequest, pb::WatchResponse> {
 public:
  WatchStream(ServiceContext context, grpc::CallbackServerContext* call,
              std::shared_ptr<WatchStreams> streams)
      : context_(context), streams_(std::move(streams)) {
    const absl::Status allowed = context_.authorizer.Caller(*call).status();
    if (!allowed.ok()) {
      End(client::ToGrpcStatus(allowed));
    } else if (!streams_->Add(this)) {
      End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the store is stopping"));
    } else {
      StartRead(&request_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      End(grpc::Status::OK);
      return;
    }
    {
      MutexLock lock(&mutex_);
      // Finish has been called, or is about to be: nothing may be begun.
      if (ended_) return;
      handling_ = true;
    }
    context_.pool.Run([this] {
      Handle();
      MutexLock lock(&mutex_);
      handling_ = false;
      if (!ended_ && pending_.size() > kMaxPending) {
        ended_ = true;
        status_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too much is unread");
      }
      if (ended_) {
        FinishIfIdle();
      } else {
        StartRead(&request_);
      }
    });
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (ok) WriteNext();
    FinishIfIdle();
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    // Whoever called Finish may still hold the lock.
    {
      MutexLock lock(&mutex_);
    }
    streams_->Remove(this);
    for (const auto& [mailbox, id] : subscriptions_) {
      context_.engine.feed().Unsubscribe(mailbox, id);
    }
    delete this;
  }

  // Ends the stream once what is under way is done.
  void End(grpc::Status status) {
    MutexLock lock(&mutex_);
    if (ended_) return;
    ended_ = true;
    status_ = std::move(status);
    FinishIfIdle();
  }

 private:
  void Handle() {
    if (request_.has_subscribe()) {
      Subscribe(request_.subscribe());
    } else if (request_.has_unsubscribe()) {
      Unsubscribe(request_.unsubscribe().mailbox());
    }
  }

  void Subscribe(const pb::Subscribe& subscribe) {
    const std::string& name = subscribe.mailbox();
    if (!engine::ParseResourceName(name)) {
      End(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not the name of a mailbox"));
      return;
    }
    Unsubscribe(name);
    const absl::Status status = Guard([&]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const Token token, context_.authorizer.Verify(subscribe.token()));
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(token, name));
      RMAIL_ASSIGN_OR_RETURN(const uint64_t modseq, resource.mailbox_id.empty()
                                                        ? SubscribeAccount(name, resource.account)
                                                        : SubscribeMailbox(name, resource));
      if (modseq > subscribe.known_modseq()) Changed(name, modseq);
      return absl::OkStatus();
    });
    if (status.ok()) return;
    Unsubscribe(name);
    Ended(name, ReasonOf(AsStoreError(status)));
  }

  // Both return the modseq, which is read after the subscription: what comes between is told twice
  // rather than not at all.
  absl::StatusOr<uint64_t> SubscribeMailbox(const std::string& name,
                                            const AccountResource& resource) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox,
                           resource.account->OpenMailbox(resource.mailbox_id));
    subscriptions_[name] = context_.engine.feed().Subscribe(
        name, mailbox, Listener(name, pb::ERROR_REASON_MAILBOX_NOT_FOUND));
    RMAIL_ASSIGN_OR_RETURN(const engine::IndexCounts counts, mailbox->Counts());
    return counts.highest_modseq;
  }

  absl::StatusOr<uint64_t> SubscribeAccount(const std::string& name,
                                            const std::shared_ptr<engine::Account>& account) {
    subscriptions_[name] = context_.engine.feed().Subscribe(
        name, [account] { return account->Poll(); },
        Listener(name, pb::ERROR_REASON_ACCOUNT_NOT_FOUND));
    return account->ChangeNumber();
  }

  engine::Feed::Listener Listener(const std::string& name, ErrorReason gone) {
    return [this, name, gone](uint64_t modseq) {
      if (modseq != 0) {
        Changed(name, modseq);
      } else {
        Ended(name, gone);
      }
    };
  }

  void Ended(const std::string& name, ErrorReason reason) {
    pb::WatchResponse event;
    event.mutable_ended()->set_mailbox(name);
    event.mutable_ended()->set_reason(ReasonName(reason));
    Send(name, std::move(event));
  }

  void Unsubscribe(const std::string& name) {
    const auto found = subscriptions_.find(name);
    if (found == subscriptions_.end()) return;
    context_.engine.feed().Unsubscribe(name, found->second);
    subscriptions_.erase(found);
  }

  // Of two changes made at once, the earlier may be told last; so may what Subscribe has read. It
  // must not hide a later one that still waits.
  void Changed(const std::string& name, uint64_t modseq) {
    MutexLock lock(&mutex_);
    pb::WatchResponse& event = pending_[name];
    const uint64_t highest = std::max<uint64_t>(modseq, event.changed().highest_modseq());
    event.mutable_changed()->set_mailbox(name);
    event.mutable_changed()->set_highest_modseq(highest);
    if (!writing_) WriteNext();
  }

  void Send(const std::string& name, pb::WatchResponse event) {
    MutexLock lock(&mutex_);
    pending_[name] = std::move(event);
    if (!writing_) WriteNext();
  }

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (ended_ || pending_.empty()) return;
    const auto first = pending_.begin();
    response_ = std::move(first->second);
    pending_.erase(first);
    writing_ = true;
    StartWrite(&response_);
  }

  // After Finish, gRPC may call OnDone at any time: nothing may be under way then.
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ended_ || finished_ || writing_ || handling_) return;
    finished_ = true;
    Finish(status_);
  }

  const ServiceContext context_;
  const std::shared_ptr<WatchStreams> streams_;
  pb::WatchRequest request_;
  // Only touched between a read and the next, and at the end.
  absl::flat_hash_map<std::string, uint64_t> subscriptions_;

  Mutex mutex_;
  pb::WatchResponse response_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, pb::WatchResponse> pending_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool handling_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

void WatchStreams::EndAll() {
  MutexLock lock(&mutex_);
  ended_ = true;
  for (WatchStream* const stream : streams_) {
    stream->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the store is stopping"));
  }
}

std::shared_ptr<WatchStreams> NewWatchStreams() { return std::make_shared<WatchStreams>(); }

void EndAll(WatchStreams& streams) { streams.EndAll(); }

namespace {

class WatchServicer : public pb::WatchService::CallbackService {
 public:
  WatchServicer(ServiceContext context, std::shared_ptr<WatchStreams> streams)
      : context_(context), streams_(std::move(streams)) {}

  grpc::ServerBidiReactor<pb::WatchRequest, pb::WatchResponse>* Watch(
      grpc::CallbackServerContext* call) override {
    return new WatchStream(context_, call, streams_);
  }

 private:
  const ServiceContext context_;
  const std::shared_ptr<WatchStreams> streams_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewWatchService(ServiceContext context,
                                               std::shared_ptr<WatchStreams> streams) {
  return std::make_unique<WatchServicer>(context, std::move(streams));
}

}  // namespace rmail::service
