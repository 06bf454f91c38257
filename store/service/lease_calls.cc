#include "store/service/lease_calls.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/queue.h"
#include "store/engine/queue_file.h"
#include "store/service/reactors.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using engine::Queue;

constexpr absl::Duration kPollInterval = absl::Seconds(1);
constexpr size_t kMaxHolder = 255;
constexpr uint32_t kMaxMessages = 1000;
constexpr uint32_t kMaxWaitSeconds = 60;
constexpr int kMaxExceptDomains = 10'000;

absl::Status Invalid(std::string_view why) { return Error(pb::ERROR_REASON_INVALID_REQUEST, why); }

absl::Status CheckRequest(const pb::LeaseMessagesRequest& request) {
  const std::string& holder = request.holder();
  if (holder.empty() || engine::Harmless(holder, kMaxHolder) != holder) {
    return Invalid("a holder has 1 to 255 octets and no control characters");
  }
  if (request.max_messages() < 1 || request.max_messages() > kMaxMessages) {
    return Invalid("max_messages is 1 to 1,000");
  }
  if (!IsLeaseLength(request.lease_seconds())) return Invalid("lease_seconds is 10 to 3,600");
  if (request.wait_seconds() > kMaxWaitSeconds) return Invalid("wait_seconds is 0 to 60");
  if (request.except_domains_size() > kMaxExceptDomains) {
    return Invalid("except_domains are 10,000 at most");
  }
  return absl::OkStatus();
}

}  // namespace

// Used by whoever took it out of `waiting_`, but for `cancelled`.
class LeaseCalls::Call : public grpc::ServerUnaryReactor {
 public:
  Call(LeaseCalls& calls, const pb::LeaseMessagesRequest& request,
       pb::LeaseMessagesResponse* response)
      : calls_(calls),
        response_(response),
        deadline_(absl::Now() + absl::Seconds(request.wait_seconds())) {
    options_.holder = request.holder();
    options_.max_messages = request.max_messages();
    options_.length = absl::Seconds(request.lease_seconds());
    options_.except_domains.insert(request.except_domains().begin(),
                                   request.except_domains().end());
  }

  void OnCancel() override { calls_.Cancel(this); }
  void OnDone() override { delete this; }

  // Takes what is due into the answer; when there is nothing, `wake` is when to look again.
  absl::Status Take(Queue& queue) {
    RMAIL_ASSIGN_OR_RETURN(Queue::Leased leased, queue.Lease(options_));
    for (pb::QueuedMessage& message : leased.messages) {
      *response_->add_messages() = std::move(message);
    }
    for (std::string& key : leased.keys) *response_->add_leases() = std::move(key);
    const absl::Time now = absl::Now();
    wake = std::min({deadline_, now + kPollInterval, now + (leased.next - queue.now())});
    done = response_->messages_size() > 0 || now >= deadline_;
    return absl::OkStatus();
  }

  // Nobody hears the answer.
  void GiveBack(Queue& queue) {
    for (int i = 0; i < response_->messages_size(); ++i) {
      const auto id = engine::ParseQueueName(response_->messages(i).name());
      // When it fails, the lease runs out by itself.
      if (id) (void)queue.Release(*id, response_->leases(i));
    }
  }

  bool done = false;
  absl::Time wake;
  bool cancelled = false;  // guarded by LeaseCalls::mutex_

 private:
  LeaseCalls& calls_;
  pb::LeaseMessagesResponse* const response_;
  const absl::Time deadline_;
  Queue::LeaseOptions options_;
};

LeaseCalls::LeaseCalls(ServiceContext context) : context_(context) {
  context_.engine.queue().SetListener([this] {
    MutexLock lock(&mutex_);
    ++events_;
    changed_.Signal();
  });
  thread_ = std::thread([this] { Loop(); });
}

LeaseCalls::~LeaseCalls() {
  context_.engine.queue().SetListener(nullptr);
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

grpc::ServerUnaryReactor* LeaseCalls::Start(grpc::CallbackServerContext* call,
                                            const pb::LeaseMessagesRequest* request,
                                            pb::LeaseMessagesResponse* response) {
  auto* const started = new Call(*this, *request, response);
  context_.pool.Run([this, call, request, started] {
    absl::Status allowed = Guard([&] {
      return context_.authorizer.Require(*call, {TokenScope::kQueue, TokenScope::kAdmin});
    });
    if (allowed.ok()) allowed = CheckRequest(*request);
    if (allowed.ok()) {
      Attempt(started);
    } else {
      started->Finish(client::ToGrpcStatus(allowed));
    }
  });
  return started;
}

void LeaseCalls::Attempt(Call* call) {
  uint64_t events;
  {
    MutexLock lock(&mutex_);
    events = events_;
  }
  const absl::Status taken = Guard([&] { return call->Take(context_.engine.queue()); });
  grpc::Status answer = client::ToGrpcStatus(taken);
  bool cancelled;
  {
    MutexLock lock(&mutex_);
    cancelled = call->cancelled;
    if (taken.ok() && !call->done && !cancelled) {
      if (!ended_) {
        // Something happened while it looked.
        if (events != events_) call->wake = absl::InfinitePast();
        waiting_.push_back(call);
        changed_.Signal();
        return;
      }
      answer = grpc::Status(grpc::StatusCode::UNAVAILABLE, "the store is stopping");
    }
  }
  if (cancelled) {
    call->GiveBack(context_.engine.queue());
    answer = grpc::Status::CANCELLED;
  }
  call->Finish(answer);
}

void LeaseCalls::Cancel(Call* call) {
  {
    MutexLock lock(&mutex_);
    call->cancelled = true;
    const auto found = std::find(waiting_.begin(), waiting_.end(), call);
    // Somebody works on it, and will see.
    if (found == waiting_.end()) return;
    waiting_.erase(found);
  }
  call->Finish(grpc::Status::CANCELLED);
}

void LeaseCalls::EndAll() {
  std::list<Call*> ended;
  {
    MutexLock lock(&mutex_);
    ended_ = true;
    ended.swap(waiting_);
  }
  for (Call* const call : ended) {
    call->Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the store is stopping"));
  }
}

void LeaseCalls::Loop() {
  uint64_t seen = 0;
  while (true) {
    std::list<Call*> due;
    {
      MutexLock lock(&mutex_);
      while (!stopping_) {
        const absl::Time now = absl::Now();
        absl::Time next = absl::InfiniteFuture();
        const bool all = seen != events_;
        seen = events_;
        for (auto place = waiting_.begin(); place != waiting_.end();) {
          const auto call = place++;
          if (all || (*call)->wake <= now) {
            due.splice(due.end(), waiting_, call);
          } else {
            next = std::min(next, (*call)->wake);
          }
        }
        if (!due.empty()) break;
        if (next == absl::InfiniteFuture()) {
          changed_.Wait(&mutex_);
        } else {
          changed_.WaitFor(&mutex_, next - now);
        }
      }
      if (stopping_) return;
    }
    for (Call* const call : due) Attempt(call);
  }
}

}  // namespace rmail::service
