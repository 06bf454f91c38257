// A store for tests of the relay: a queue, accounts and inboxes in memory, failures to order.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_FAKE_QUEUE_H_
#define RMAIL_GATEWAY_RELAY_TESTING_FAKE_QUEUE_H_

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "gateway/relay/relay_store.h"
#include "gateway/relay/testing/virtual_clock.h"
#include "store/base/mutex.h"

namespace rmail::gateway::relay {

// The domain example.com is local. Thread-safe.
class FakeQueue : public RelayStore {
 public:
  // Listens to the clock, which outlives it.
  explicit FakeQueue(VirtualClock& clock);

  // Queues a message, due now; its name.
  std::string Add(store::v1::QueueEnvelope envelope, std::string text);
  void AddDomain(const std::string& domain);
  void AddAccount(const std::string& address);
  void AddAlias(const std::string& address, std::vector<std::string> targets);
  // A reason ("OVER_QUOTA") that copies for an account fail with from now on.
  void FailDelivery(const std::string& address, const std::string& reason);
  // Calls of this name ("Report", "Deliver") fail from now on; OK: no more.
  void FailCalls(const std::string& call, absl::Status status);
  // As if another relay had taken a message: its lease is void.
  void StealLease(const std::string& name);
  void Delete(const std::string& name);
  // Leases end their waits at once from now on.
  void EndWaits();

  // nullopt: it is gone.
  std::optional<store::v1::QueuedMessage> Get(const std::string& name) const;
  std::vector<store::v1::QueuedMessage> All() const;
  std::string Text(const std::string& name) const;
  // What stands in an account's inbox, mailbox fields included.
  std::vector<std::string> Inbox(const std::string& address) const;
  std::vector<store::v1::ReportDeliveryRequest> reports() const;
  int calls(const std::string& call) const;

  // Waits until `holds` or 10 s have passed; whether it holds. `holds` is called with no lock held,
  // after each call.
  bool WaitFor(const std::function<bool()>& holds) const;

  boost::asio::awaitable<absl::StatusOr<store::v1::LeaseMessagesResponse>> Lease(
      store::v1::LeaseMessagesRequest request) override;
  boost::asio::awaitable<absl::Status> Renew(store::v1::RenewLeaseRequest request) override;
  boost::asio::awaitable<absl::Status> Report(store::v1::ReportDeliveryRequest request) override;
  std::unique_ptr<MessageSource> Read(const std::string& name) override;
  boost::asio::awaitable<absl::StatusOr<store::v1::ResolveRecipientResponse>> Resolve(
      std::string address) override;
  boost::asio::awaitable<absl::StatusOr<store::v1::DeliverMessageResponse>> Deliver(
      store::v1::DeliverHeader header, std::unique_ptr<MessageSource> source) override;

 private:
  struct Queued {
    store::v1::QueuedMessage message;
    std::string text;
    std::string lease;  // empty: not leased
  };
  struct Account {
    std::vector<std::string> inbox;
    std::string failure;
  };
  struct Waiter {
    store::v1::LeaseMessagesRequest request;
    absl::AnyInvocable<void(absl::StatusOr<store::v1::LeaseMessagesResponse>)> done;
  };

  // Counts a call; its failure.
  absl::Status Begin(const std::string& call);
  void Changed();
  void ServeWaiters();
  store::v1::LeaseMessagesResponse Take(const store::v1::LeaseMessagesRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckLease(const std::string& name, const std::string& lease)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Commit(const store::v1::DeliverHeader& header, const std::string& text,
              store::v1::DeliverMessageResponse* response);

  VirtualClock& clock_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::map<std::string, Queued> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Account> accounts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> aliases_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> domains_ ABSL_GUARDED_BY(mutex_) = {"example.com"};
  std::map<std::string, absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> calls_ ABSL_GUARDED_BY(mutex_);
  std::vector<store::v1::ReportDeliveryRequest> reports_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  int next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  int next_lease_ ABSL_GUARDED_BY(mutex_) = 1;
  bool waits_end_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TESTING_FAKE_QUEUE_H_
