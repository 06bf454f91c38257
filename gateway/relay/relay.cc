#include "gateway/relay/relay.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"
#include "gateway/relay/attempt_outcome.h"
#include "gateway/relay/destination_limits.h"
#include "gateway/relay/message_job.h"
#include "gateway/relay/unreported.h"
#include "store/base/logging.h"
#include "store/base/mutex.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;
namespace pb = ::rmail::store::v1;

using Reports = std::vector<pb::RecipientReport>;

// While a destination is full, and nothing else is due, the store is asked again after as long:
// there may be new messages for others.
constexpr absl::Duration kAskAgain = absl::Milliseconds(200);

constexpr absl::Duration kLongestPause = absl::Seconds(30);

// Messages whose reports are kept for a store that can't be reached, and for how long.
constexpr size_t kMaxUnreported = 10'000;
constexpr absl::Duration kUnreportedFor = absl::Hours(24);

struct Lease {
  pb::QueuedMessage message;
  std::string key;
  // When it was asked for, or somewhat earlier than it was given: it counts from then.
  absl::Time asked;
};

// A job under way.
struct Live {
  std::shared_ptr<MessageJob> job;
  asio::any_io_executor executor;
  // The job has lost its lease, which came back: what to do when it has ended.
  std::optional<Lease> next;
};

}  // namespace

// Lives on `home`: all of it is used there only, but for what the mutex guards.
struct Relay::Impl : std::enable_shared_from_this<Impl> {
  Impl(gateway::IoThreads& threads, RelayStore& store, Transport& transport, Clock& clock,
       RelayOptions given)
      : threads(threads),
        options(std::move(given)),
        home(threads.Next()),
        domains(store),
        context{store, transport, clock, domains, options},
        limits(options.max_per_destination),
        wake(Clock::System().NewTimer(home)),
        pause(clock.NewTimer(home)) {}

  void Start();
  asio::awaitable<void> Loop();
  // Asks the store once and begins what comes.
  asio::awaitable<void> Round();
  pb::LeaseMessagesRequest NextRequest() const;
  // What a domain's messages are counted by.
  std::string CountedBy(const std::string& domain) const { return options.smarthost ? "" : domain; }
  // Nothing can begin, wherever it goes.
  bool IsFull() const;
  asio::awaitable<void> PauseAfterFailure();

  // Begins what can be begun of a message; the rest stays in the queue. False: nothing.
  bool Begin(Lease lease);
  void Launch(MessageJob::Task task);
  void EndDestination(const std::string& domain);
  void EndJob(const std::string& name, Reports unreported);

  void Stop();
  void NoteIfEnded();
  // False: not within `patience`.
  bool WaitForEnd(absl::Duration patience);

  gateway::IoThreads& threads;
  const RelayOptions options;
  const asio::any_io_executor home;
  LocalDomains domains;
  JobContext context;
  DestinationLimits limits;
  std::unique_ptr<Timer> wake;   // ends when there is room again
  std::unique_ptr<Timer> pause;  // while the store fails
  absl::flat_hash_map<std::string, Live> live;
  Unreported unreported{kMaxUnreported, kUnreportedFor};
  int failures = 0;
  bool stopping = false;
  bool loop_ended = false;
  bool drained = false;  // Used by the owner's thread.

  Mutex mutex;
  CondVar changed;
  bool ended ABSL_GUARDED_BY(mutex) = false;
};

void Relay::Impl::Start() {
  asio::co_spawn(home, Loop(), [self = shared_from_this()](const std::exception_ptr&) mutable {
    self->loop_ended = true;
    self->NoteIfEnded();
  });
}

asio::awaitable<void> Relay::Impl::Loop() {
  while (!stopping) {
    bool failed = false;
    try {
      co_await Round();
    } catch (const std::exception& error) {
      LogError("relay: {}", error.what());
      failed = true;
    }
    if (failed) co_await PauseAfterFailure();
  }
}

pb::LeaseMessagesRequest Relay::Impl::NextRequest() const {
  pb::LeaseMessagesRequest request;
  request.set_holder(options.holder);
  const size_t room = std::min(options.workers - live.size(), limits.Headroom());
  request.set_max_messages(static_cast<uint32_t>(std::min<size_t>(room, 1000)));
  request.set_lease_seconds(static_cast<uint32_t>(absl::ToInt64Seconds(options.lease)));
  for (std::string& domain : limits.Full()) request.add_except_domains(std::move(domain));
  // A wait can't be told of a destination that is full no longer.
  if (request.except_domains().empty()) {
    request.set_wait_seconds(static_cast<uint32_t>(absl::ToInt64Seconds(options.lease_wait)));
  }
  return request;
}

bool Relay::Impl::IsFull() const {
  if (live.size() >= options.workers) return true;
  return options.smarthost && !limits.Full().empty();
}

asio::awaitable<void> Relay::Impl::Round() {
  if (IsFull()) {
    co_await wake->WaitUntil(absl::Now() + absl::Hours(1));
    co_return;
  }
  const absl::Time asked = absl::Now();
  pb::LeaseMessagesRequest request = NextRequest();
  const bool waits = request.wait_seconds() > 0;
  absl::StatusOr<pb::LeaseMessagesResponse> leased =
      co_await context.store.Lease(std::move(request));
  if (!leased.ok()) {
    LogWarning("relay: the queue can't be read: {}", ToText(leased.status()));
    co_await PauseAfterFailure();
    co_return;
  }
  failures = 0;
  // The store waits by the system's clock.
  const absl::Time counts_from = context.clock.Now() - (absl::Now() - asked);
  bool begun = false;
  for (int i = 0; i < std::min(leased->messages_size(), leased->leases_size()); ++i) {
    begun |= Begin({std::move(*leased->mutable_messages(i)), leased->leases(i), counts_from});
  }
  // Not in a circle without a rest.
  const bool waited = waits && absl::Now() - asked >= options.lease_wait / 2;
  if (!begun && !waited && !stopping) co_await wake->WaitUntil(absl::Now() + kAskAgain);
}

asio::awaitable<void> Relay::Impl::PauseAfterFailure() {
  if (stopping) co_return;
  const absl::Duration time = absl::Seconds(1) * (1 << std::min(failures++, 5));
  co_await pause->WaitUntil(context.clock.Now() + std::min(time, kLongestPause));
}

bool Relay::Impl::Begin(Lease lease) {
  const std::string name = lease.message.name();
  const auto running = live.find(name);
  if (running != live.end()) {
    running->second.next = std::move(lease);
    return true;
  }
  MessageJob::Task task;
  task.message = std::move(lease.message);
  task.lease = std::move(lease.key);
  task.leased_at = lease.asked;
  task.settled = unreported.Take(name);
  for (const pb::RecipientReport& report : task.settled) ApplyReport(report, task.message);
  for (Destination& destination : DueDestinations(task.message, context.clock.Now())) {
    if (limits.Begin(CountedBy(destination.domain)))
      task.destinations.push_back(std::move(destination));
  }
  const bool begun = !task.destinations.empty() || !task.settled.empty();
  Launch(std::move(task));
  return begun;
}

void Relay::Impl::Launch(MessageJob::Task task) {
  const std::string name = task.message.name();
  const asio::any_io_executor executor = threads.Next();
  auto job = std::make_shared<MessageJob>(
      context, executor, std::move(task), [self = shared_from_this()](const std::string& domain) {
        asio::post(self->home, [self, domain] { self->EndDestination(domain); });
      });
  live[name] = Live{job, executor, std::nullopt};
  if (stopping) job->Stop();
  asio::co_spawn(
      executor, job->Run(),
      [self = shared_from_this(), job, name](const std::exception_ptr&, Reports reports) mutable {
        // The last reference goes on `home`, before the end is noted.
        auto& impl = *self;
        asio::post(impl.home, [self = std::move(self), job = std::move(job), name,
                               reports = std::move(reports)]() mutable {
          job = nullptr;
          self->EndJob(name, std::move(reports));
        });
      });
}

void Relay::Impl::EndDestination(const std::string& domain) {
  limits.End(CountedBy(domain));
  wake->Cancel();
}

void Relay::Impl::EndJob(const std::string& name, Reports reports) {
  std::optional<Lease> next = std::move(live[name].next);
  live.erase(name);
  if (!reports.empty()) {
    const std::string forgotten = unreported.Keep(name, std::move(reports), context.clock.Now());
    if (!forgotten.empty()) {
      LogError("relay: what became of {} is not remembered: it may be sent again", forgotten);
    }
  }
  // Nobody has renewed it. What has run out comes again, here or to another relay.
  if (next.has_value() && context.clock.Now() < next->asked + options.lease) {
    Begin(*std::move(next));
  }
  wake->Cancel();
  NoteIfEnded();
}

void Relay::Impl::Stop() {
  stopping = true;
  wake->Cancel();
  pause->Cancel();
  for (const auto& [name, running] : live) {
    asio::post(running.executor, [job = running.job] { job->Stop(); });
  }
}

void Relay::Impl::NoteIfEnded() {
  if (!loop_ended || !live.empty()) return;
  wake = nullptr;
  pause = nullptr;
  MutexLock lock(&mutex);
  ended = true;
  changed.SignalAll();
}

bool Relay::Impl::WaitForEnd(absl::Duration patience) {
  const absl::Time until = absl::Now() + patience;
  MutexLock lock(&mutex);
  while (!ended) {
    const absl::Duration left = until - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    changed.WaitFor(&mutex, std::min(left, absl::Hours(1)));
  }
  return true;
}

Relay::Relay(gateway::IoThreads& threads, RelayStore& store, Transport& transport, Clock& clock,
             RelayOptions options)
    : impl_(std::make_shared<Impl>(threads, store, transport, clock, std::move(options))) {
  asio::post(impl_->home, [impl = impl_] { impl->Start(); });
}

Relay::~Relay() { Drain(absl::ZeroDuration()); }

void Relay::Drain(absl::Duration grace) {
  if (std::exchange(impl_->drained, true)) return;
  asio::post(impl_->home, [impl = impl_] { impl->Stop(); });
  if (impl_->WaitForEnd(grace)) return;
  impl_->context.transport.Stop();
  impl_->WaitForEnd(absl::InfiniteDuration());
}

}  // namespace rmail::gateway::relay
