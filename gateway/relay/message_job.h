// One leased message: sends it, tells its sender, reports to the queue.
//
// Invariants. A recipient that has failed is reported only when the notice that it is owed is on
// disk: a crash between the two leads to a second notice, never to none. Nothing is sent, told or
// reported under a lease that is known to be lost.
#ifndef RMAIL_GATEWAY_RELAY_MESSAGE_JOB_H_
#define RMAIL_GATEWAY_RELAY_MESSAGE_JOB_H_

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/relay/attempt_outcome.h"
#include "gateway/relay/clock.h"
#include "gateway/relay/gather.h"
#include "gateway/relay/local_delivery.h"
#include "gateway/relay/relay_options.h"
#include "gateway/relay/relay_store.h"
#include "gateway/relay/report_delivery.h"
#include "gateway/relay/transport.h"

namespace rmail::gateway::relay {

// What all jobs use; outlives them.
struct JobContext {
  RelayStore& store;
  Transport& transport;
  Clock& clock;
  LocalDomains& domains;
  const RelayOptions& options;
};

class MessageJob {
 public:
  // What it is to do.
  struct Task {
    // With reports that could not be given under an earlier lease applied.
    store::v1::QueuedMessage message;
    std::string lease;
    // The lease counts from then.
    absl::Time leased_at;
    std::vector<Destination> destinations;
    // Those reports.
    std::vector<store::v1::RecipientReport> settled;
  };

  // Runs on `executor`. `destination_done` is called there when a destination has been dealt with.
  MessageJob(JobContext& context, boost::asio::any_io_executor executor, Task task,
             std::function<void(const std::string& domain)> destination_done);

  // Once. Returns the reports that could not be given: what they say has happened all the same. It
  // never throws.
  boost::asio::awaitable<std::vector<store::v1::RecipientReport>> Run();

  // Begins no further destination, and no longer waits for a store that can't be reached.
  void Stop();

 private:
  using Reports = std::vector<store::v1::RecipientReport>;

  boost::asio::awaitable<void> KeepLease();
  boost::asio::awaitable<void> Conclude();
  boost::asio::awaitable<void> RunDestination(const Destination& destination);
  boost::asio::awaitable<std::vector<Delivered>> Attempt(const Destination& destination,
                                                         bool* local);
  boost::asio::awaitable<std::vector<Delivered>> AttemptOrThrow(const Destination& destination,
                                                                bool* local);
  void Settle(const Destination& destination, const std::vector<Delivered>& answers, bool local);

  // Settles what is certain although the sender can't be told any more: that it is delivered.
  void KeepCertain(const std::vector<Outcome>& outcomes);
  // Tells the sender of all outcomes that share an action, and settles them.
  boost::asio::awaitable<void> Tell(ReportAction action, const std::vector<Outcome>& outcomes);
  boost::asio::awaitable<ReportFate> StoreNotice(DeliveryReport notice);
  boost::asio::awaitable<ReturnedContent> ReadReturned(ReportAction action);

  // One attempt to report what is settled.
  boost::asio::awaitable<absl::Status> ReportSettled(bool release);
  boost::asio::awaitable<void> ReportLast();

  // Waits before the store is asked again; false: it is not worth it.
  boost::asio::awaitable<bool> PauseBeforeRetry(int failures);
  // Thread-safe.
  bool LeaseIsGood() const;
  void NoteLost(const absl::Status& status);

  JobContext& context_;
  const boost::asio::any_io_executor executor_;
  Task task_;
  const std::function<void(const std::string&)> destination_done_;
  std::unique_ptr<Timer> renewal_;
  std::unique_ptr<Timer> pause_;
  Gather destinations_;
  Gather keeper_;
  size_t open_destinations_ = 0;
  // Outcomes that the sender is still to be told of.
  std::map<ReportAction, std::vector<Outcome>> untold_;
  // To be reported.
  Reports settled_;
  // A transport may ask for these on another thread. Microseconds since 1970.
  std::atomic<int64_t> lease_ends_;
  std::atomic<bool> lost_ = false;
  bool ended_ = false;
  bool stopping_ = false;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_MESSAGE_JOB_H_
