// A store for tests of the gateway: accounts, inboxes and a queue in memory, failures to order. It
// answers the calls that SMTP makes and no others.
#ifndef RMAIL_GATEWAY_SMTP_FAKE_STORE_H_
#define RMAIL_GATEWAY_SMTP_FAKE_STORE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/base/mutex.h"
#include "store/client/store_client.h"

namespace rmail::gateway::smtp {

// Serves the domain example.com. Thread-safe.
class FakeStore : public client::StoreClient {
 public:
  // Addresses are in lower case.
  void AddAccount(const std::string& address, const std::string& password);
  // `addresses` of other domains are external. None at all: the alias is a loop.
  void AddAlias(const std::string& address, std::vector<std::string> addresses);
  void Disable(const std::string& address);
  // A reason ("OVER_QUOTA") that its copies fail with from now on.
  void FailDelivery(const std::string& address, const std::string& reason);
  // Deliveries to the address alone get no answer until Release().
  void Hold(const std::string& address);
  void Release();
  // Events whose key starts with this are beyond their limit from now on.
  void RefuseEvents(const std::string& prefix);
  // Nothing can be queued, for this reason ("QUEUE_FULL"); empty: it can again.
  void FailQueue(const std::string& reason);
  // All calls fail with this.
  void FailCalls(absl::Status status);

  std::vector<std::string> Inbox(const std::string& address) const;
  struct Queued {
    store::v1::QueueEnvelope envelope;
    std::string message;
    uint64_t max_queued_messages = 0;
  };
  std::vector<Queued> queue() const;
  // DeliverMessage calls begun, and the largest request of any of them in octets of data.
  int delivers() const;
  size_t largest_chunk() const;
  // Authenticate calls.
  int authentications() const;
  // The accounts that calls were made for: ResolveRecipient and DeliverMessage, in order.
  std::vector<std::string> call_accounts() const;
  // The keys of all CountEvents calls that were allowed, in order.
  std::vector<std::string> counted() const;
  // Uploads dropped before their end. Waits up to 10 s for at least `count`.
  int WaitForDropped(int count) const;

  std::unique_ptr<client::Writer<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>>
  Append(const client::CallOptions& options) override;
  std::unique_ptr<
      client::Writer<store::v1::DeliverMessageRequest, store::v1::DeliverMessageResponse>>
  Deliver(const client::CallOptions& options) override;
  std::unique_ptr<client::Watcher> NewWatcher(
      absl::AnyInvocable<std::string()> gateway_token) override;

 private:
  class DeliverWriter;
  struct Account {
    std::string password;
    bool disabled = false;
    std::string delivery_failure;
    std::vector<std::string> inbox;
  };

#define RMAIL_OVERRIDE_START(Service, Name)                                               \
  void Start(const client::CallOptions& options, const store::v1::Name##Request& request, \
             client::Callback<store::v1::Name##Response> done) override;
  RMAIL_STORE_UNARY_METHODS(RMAIL_OVERRIDE_START)
#undef RMAIL_OVERRIDE_START
#define RMAIL_OVERRIDE_READ(Service, Name)                              \
  std::unique_ptr<client::Reader<store::v1::Name##Response>> StartRead( \
      const client::CallOptions& options, const store::v1::Name##Request& request) override;
  RMAIL_STORE_READ_METHODS(RMAIL_OVERRIDE_READ)
#undef RMAIL_OVERRIDE_READ

  absl::StatusOr<store::v1::ResolveRecipientResponse> Resolve(std::string address) const;
  absl::StatusOr<store::v1::AuthenticateResponse> Authenticate(std::string address,
                                                               const std::string& password);
  absl::StatusOr<store::v1::DeliverMessageResponse> Commit(const store::v1::DeliverHeader& header,
                                                           const std::string& message);
  absl::Status failure() const;

  mutable Mutex mutex_;
  mutable CondVar dropped_changed_;
  std::map<std::string, Account> accounts_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> aliases_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<Queued> queue_ ABSL_GUARDED_BY(mutex_);
  std::string queue_failure_ ABSL_GUARDED_BY(mutex_);
  int delivers_ ABSL_GUARDED_BY(mutex_) = 0;
  int authentications_ ABSL_GUARDED_BY(mutex_) = 0;
  int dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string refused_events_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> counted_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> call_accounts_ ABSL_GUARDED_BY(mutex_);
  std::string held_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::AnyInvocable<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t largest_chunk_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_FAKE_STORE_H_
