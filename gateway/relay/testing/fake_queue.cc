#include "gateway/relay/testing/fake_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "gateway/common/await_callback.h"
#include "gateway/relay/attempt_outcome.h"
#include "store/base/error.h"

namespace rmail::gateway::relay {

namespace pb = ::rmail::store::v1;
using boost::asio::awaitable;
using LeaseAnswer = absl::StatusOr<pb::LeaseMessagesResponse>;

namespace {

std::string DomainOf(const std::string& address) { return address.substr(address.rfind('@') + 1); }

// Whether a message has something to be sent to a domain that is not in `except`.
bool IsDue(const pb::QueuedMessage& message, const pb::LeaseMessagesRequest& request, int64_t now) {
  for (const pb::QueueRecipient& recipient : message.envelope().recipients()) {
    if (recipient.state() != pb::QueueRecipient::STATE_WAITING || recipient.next_attempt() > now) {
      continue;
    }
    const auto& except = request.except_domains();
    if (std::find(except.begin(), except.end(), DomainOf(recipient.address())) == except.end()) {
      return true;
    }
  }
  return false;
}

bool IsFinished(const pb::QueuedMessage& message) {
  const auto& recipients = message.envelope().recipients();
  return std::none_of(recipients.begin(), recipients.end(), [](const pb::QueueRecipient& r) {
    return r.state() == pb::QueueRecipient::STATE_WAITING;
  });
}

}  // namespace

FakeQueue::FakeQueue(VirtualClock& clock) : clock_(clock) {
  clock.OnAdvance([this] { ServeWaiters(); });
}

std::string FakeQueue::Add(pb::QueueEnvelope envelope, std::string text) {
  std::string name;
  {
    MutexLock lock(&mutex_);
    name = fmt::format("queue/{:020}", next_id_++);
    Queued& queued = queue_[name];
    queued.message.set_name(name);
    queued.message.set_queued_at(absl::ToUnixMicros(clock_.Now()));
    queued.message.set_size(text.size());
    *queued.message.mutable_envelope() = std::move(envelope);
    for (pb::QueueRecipient& r : *queued.message.mutable_envelope()->mutable_recipients()) {
      r.set_state(pb::QueueRecipient::STATE_WAITING);
      r.set_next_attempt(queued.message.queued_at());
    }
    queued.text = std::move(text);
  }
  ServeWaiters();
  return name;
}

void FakeQueue::AddDomain(const std::string& domain) {
  MutexLock lock(&mutex_);
  domains_.insert(domain);
}

void FakeQueue::AddAccount(const std::string& address) {
  MutexLock lock(&mutex_);
  accounts_[address];
}

void FakeQueue::AddAlias(const std::string& address, std::vector<std::string> targets) {
  MutexLock lock(&mutex_);
  aliases_[address] = std::move(targets);
}

void FakeQueue::FailDelivery(const std::string& address, const std::string& reason) {
  MutexLock lock(&mutex_);
  accounts_[address].failure = reason;
}

void FakeQueue::FailCalls(const std::string& call, absl::Status status) {
  MutexLock lock(&mutex_);
  failures_[call] = std::move(status);
}

void FakeQueue::StealLease(const std::string& name) {
  MutexLock lock(&mutex_);
  queue_[name].lease = "somebody else's";
}

void FakeQueue::Delete(const std::string& name) {
  MutexLock lock(&mutex_);
  queue_.erase(name);
}

void FakeQueue::EndWaits() {
  {
    MutexLock lock(&mutex_);
    waits_end_ = true;
  }
  ServeWaiters();
}

std::optional<pb::QueuedMessage> FakeQueue::Get(const std::string& name) const {
  MutexLock lock(&mutex_);
  const auto found = queue_.find(name);
  if (found == queue_.end()) return std::nullopt;
  return found->second.message;
}

std::vector<pb::QueuedMessage> FakeQueue::All() const {
  MutexLock lock(&mutex_);
  std::vector<pb::QueuedMessage> all;
  for (const auto& [name, queued] : queue_) all.push_back(queued.message);
  return all;
}

std::string FakeQueue::Text(const std::string& name) const {
  MutexLock lock(&mutex_);
  const auto found = queue_.find(name);
  return found == queue_.end() ? "" : found->second.text;
}

std::vector<std::string> FakeQueue::Inbox(const std::string& address) const {
  MutexLock lock(&mutex_);
  const auto found = accounts_.find(address);
  return found == accounts_.end() ? std::vector<std::string>() : found->second.inbox;
}

std::vector<pb::ReportDeliveryRequest> FakeQueue::reports() const {
  MutexLock lock(&mutex_);
  return reports_;
}

int FakeQueue::calls(const std::string& call) const {
  MutexLock lock(&mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

bool FakeQueue::WaitFor(const std::function<bool()>& holds) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!holds()) {
    if (absl::Now() > deadline) return false;
    // What it looks at may change elsewhere, too.
    MutexLock lock(&mutex_);
    changed_.WaitFor(&mutex_, absl::Milliseconds(10));
  }
  return true;
}

absl::Status FakeQueue::Begin(const std::string& call) {
  MutexLock lock(&mutex_);
  ++calls_[call];
  const auto failure = failures_.find(call);
  changed_.SignalAll();
  return failure == failures_.end() ? absl::OkStatus() : failure->second;
}

void FakeQueue::Changed() {
  MutexLock lock(&mutex_);
  changed_.SignalAll();
}

pb::LeaseMessagesResponse FakeQueue::Take(const pb::LeaseMessagesRequest& request) {
  pb::LeaseMessagesResponse response;
  const int64_t now = absl::ToUnixMicros(clock_.Now());
  const int64_t until = now + int64_t{request.lease_seconds()} * 1'000'000;
  for (auto& [name, queued] : queue_) {
    if (response.messages_size() == static_cast<int>(request.max_messages())) break;
    const bool leased = !queued.lease.empty() && queued.message.leased_until() > now;
    if (leased || !IsDue(queued.message, request, now)) continue;
    queued.lease = fmt::format("lease {}", next_lease_++);
    queued.message.set_leased_until(until);
    *response.add_messages() = queued.message;
    response.add_leases(queued.lease);
  }
  return response;
}

void FakeQueue::ServeWaiters() {
  std::vector<std::pair<Waiter, pb::LeaseMessagesResponse>> served;
  {
    MutexLock lock(&mutex_);
    std::erase_if(waiters_, [&](Waiter& waiter) {
      mutex_.AssertHeld();
      pb::LeaseMessagesResponse response = Take(waiter.request);
      if (response.messages().empty() && !waits_end_) return false;
      served.emplace_back(std::move(waiter), std::move(response));
      return true;
    });
    changed_.SignalAll();
  }
  for (auto& [waiter, response] : served) waiter.done(LeaseAnswer(std::move(response)));
}

awaitable<LeaseAnswer> FakeQueue::Lease(pb::LeaseMessagesRequest request) {
  const absl::Status failure = Begin("Lease");
  if (!failure.ok()) co_return failure;
  co_return co_await AwaitCallback<LeaseAnswer>([&](auto done) {
    pb::LeaseMessagesResponse response;
    {
      MutexLock lock(&mutex_);
      response = Take(request);
      if (response.messages().empty() && request.wait_seconds() > 0 && !waits_end_) {
        waiters_.push_back({request, std::move(done)});
        return;
      }
    }
    done(LeaseAnswer(std::move(response)));
  });
}

absl::Status FakeQueue::CheckLease(const std::string& name, const std::string& lease) {
  const auto found = queue_.find(name);
  if (found == queue_.end()) return Error(pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND, name);
  if (found->second.lease != lease) return Error(pb::ERROR_REASON_LEASE_LOST, name);
  return absl::OkStatus();
}

awaitable<absl::Status> FakeQueue::Renew(pb::RenewLeaseRequest request) {
  absl::Status failure = Begin("Renew");
  if (!failure.ok()) co_return failure;
  MutexLock lock(&mutex_);
  failure = CheckLease(request.name(), request.lease());
  if (!failure.ok()) co_return failure;
  queue_[request.name()].message.set_leased_until(
      absl::ToUnixMicros(clock_.Now() + absl::Seconds(request.lease_seconds())));
  co_return absl::OkStatus();
}

awaitable<absl::Status> FakeQueue::Report(pb::ReportDeliveryRequest request) {
  absl::Status failure = Begin("Report");
  if (!failure.ok()) co_return failure;
  {
    MutexLock lock(&mutex_);
    failure = CheckLease(request.name(), request.lease());
    if (!failure.ok()) co_return failure;
    reports_.push_back(request);
    Queued& queued = queue_[request.name()];
    for (const pb::RecipientReport& report : request.recipients()) {
      ApplyReport(report, queued.message);
    }
    if (request.release()) queued.lease.clear();
    if (IsFinished(queued.message)) queue_.erase(request.name());
  }
  ServeWaiters();
  co_return absl::OkStatus();
}

std::unique_ptr<MessageSource> FakeQueue::Read(const std::string& name) {
  return std::make_unique<StringSource>(Text(name));
}

awaitable<absl::StatusOr<pb::ResolveRecipientResponse>> FakeQueue::Resolve(std::string address) {
  const absl::Status failure = Begin("Resolve");
  if (!failure.ok()) co_return failure;
  pb::ResolveRecipientResponse response;
  MutexLock lock(&mutex_);
  if (address.find('"') != std::string::npos) {
    co_return Error(pb::ERROR_REASON_INVALID_ADDRESS, address);
  }
  if (!domains_.contains(DomainOf(address))) co_return response;
  response.set_local(true);
  std::vector<std::string> targets = {address};
  const auto alias = aliases_.find(address);
  if (alias != aliases_.end()) targets = alias->second;
  for (const std::string& target : targets) {
    if (!domains_.contains(DomainOf(target))) {
      response.add_external(target);
    } else if (accounts_.contains(target)) {
      response.add_accounts("accounts/" + target);
    }
  }
  if (response.accounts().empty() && response.external().empty()) {
    co_return Error(pb::ERROR_REASON_ACCOUNT_NOT_FOUND, address);
  }
  co_return response;
}

void FakeQueue::Commit(const pb::DeliverHeader& header, const std::string& text,
                       pb::DeliverMessageResponse* response) {
  MutexLock lock(&mutex_);
  for (const std::string& recipient : header.recipients()) {
    pb::DeliveryResult& result = *response->add_results();
    result.set_recipient(recipient);
    Account& account = accounts_[recipient.substr(sizeof("accounts/") - 1)];
    result.set_reason(account.failure);
    if (account.failure.empty()) account.inbox.push_back(header.mailbox_fields() + text);
  }
}

awaitable<absl::StatusOr<pb::DeliverMessageResponse>> FakeQueue::Deliver(
    pb::DeliverHeader header, std::unique_ptr<MessageSource> source) {
  const absl::Status failure = Begin("Deliver");
  if (!failure.ok()) co_return failure;
  std::string text;
  while (true) {
    const absl::StatusOr<std::optional<std::string>> piece = co_await source->Next();
    if (!piece.ok()) co_return piece.status();
    if (!piece->has_value()) break;
    text += **piece;
  }
  pb::DeliverMessageResponse response;
  if (header.has_queue()) response.set_queued(Add(header.queue(), text));
  Commit(header, text, &response);
  Changed();
  co_return response;
}

}  // namespace rmail::gateway::relay
