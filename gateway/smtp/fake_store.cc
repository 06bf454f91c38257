#include "gateway/smtp/fake_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "store/base/error.h"

namespace rmail::gateway::smtp {

using store::v1::DeliverMessageRequest;
using store::v1::DeliverMessageResponse;

namespace {

constexpr char kDomain[] = "@example.com";

class NoWatcher : public client::Watcher {
 public:
  uint64_t Watch(const std::string&, client::TokenSource, uint64_t,
                 absl::AnyInvocable<void(uint64_t)>) override {
    return 0;
  }
  void Unwatch(uint64_t) override {}
};

}  // namespace

class FakeStore::DeliverWriter
    : public client::Writer<DeliverMessageRequest, DeliverMessageResponse> {
 public:
  explicit DeliverWriter(FakeStore& store) : store_(store) {}
  ~DeliverWriter() override {
    if (finished_) return;
    MutexLock lock(&store_.mutex_);
    ++store_.dropped_;
    store_.dropped_changed_.SignalAll();
  }

  void Write(DeliverMessageRequest request, absl::AnyInvocable<void(bool)> done) override {
    if (request.has_header()) {
      header_ = request.header();
    } else {
      MutexLock lock(&store_.mutex_);
      store_.largest_chunk_ = std::max(store_.largest_chunk_, request.data().size());
      message_ += request.data();
    }
    done(store_.failure().ok());
  }

  void Finish(client::Callback<DeliverMessageResponse> done) override {
    finished_ = true;
    auto answer = [this, done = std::move(done)]() mutable {
      done(store_.Commit(header_, message_));
    };
    {
      MutexLock lock(&store_.mutex_);
      if (header_.recipients_size() == 1 && header_.recipients(0) == store_.held_) {
        store_.waiting_.push_back(std::move(answer));
        return;
      }
    }
    answer();
  }

 private:
  FakeStore& store_;
  store::v1::DeliverHeader header_;
  std::string message_;
  bool finished_ = false;
};

void FakeStore::AddAccount(const std::string& address, const std::string& password) {
  MutexLock lock(&mutex_);
  accounts_[address].password = password;
}

void FakeStore::AddAlias(const std::string& address, std::vector<std::string> addresses) {
  MutexLock lock(&mutex_);
  aliases_[address] = std::move(addresses);
}

void FakeStore::Disable(const std::string& address) {
  MutexLock lock(&mutex_);
  accounts_[address].disabled = true;
}

void FakeStore::FailDelivery(const std::string& address, const std::string& reason) {
  MutexLock lock(&mutex_);
  accounts_[address].delivery_failure = reason;
}

void FakeStore::Hold(const std::string& address) {
  MutexLock lock(&mutex_);
  held_ = "accounts/" + address;
}

void FakeStore::Release() {
  std::vector<absl::AnyInvocable<void()>> waiting;
  {
    MutexLock lock(&mutex_);
    held_.clear();
    waiting.swap(waiting_);
  }
  for (auto& answer : waiting) answer();
}

void FakeStore::RefuseEvents(const std::string& prefix) {
  MutexLock lock(&mutex_);
  refused_events_ = prefix;
}

void FakeStore::FailQueue(const std::string& reason) {
  MutexLock lock(&mutex_);
  queue_failure_ = reason;
}

void FakeStore::FailCalls(absl::Status status) {
  MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

std::vector<std::string> FakeStore::Inbox(const std::string& address) const {
  MutexLock lock(&mutex_);
  const auto account = accounts_.find(address);
  return account == accounts_.end() ? std::vector<std::string>() : account->second.inbox;
}

std::vector<FakeStore::Queued> FakeStore::queue() const {
  MutexLock lock(&mutex_);
  return queue_;
}

int FakeStore::delivers() const {
  MutexLock lock(&mutex_);
  return delivers_;
}

int FakeStore::authentications() const {
  MutexLock lock(&mutex_);
  return authentications_;
}

size_t FakeStore::largest_chunk() const {
  MutexLock lock(&mutex_);
  return largest_chunk_;
}

std::vector<std::string> FakeStore::call_accounts() const {
  MutexLock lock(&mutex_);
  return call_accounts_;
}

std::vector<std::string> FakeStore::counted() const {
  MutexLock lock(&mutex_);
  return counted_;
}

int FakeStore::WaitForDropped(int count) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  MutexLock lock(&mutex_);
  while (dropped_ < count && absl::Now() < deadline) {
    dropped_changed_.WaitFor(&mutex_, deadline - absl::Now());
  }
  return dropped_;
}

absl::Status FakeStore::failure() const {
  MutexLock lock(&mutex_);
  return failure_;
}

std::unique_ptr<client::Writer<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>>
FakeStore::Append(const client::CallOptions&) {
  return nullptr;
}

std::unique_ptr<client::Writer<DeliverMessageRequest, DeliverMessageResponse>> FakeStore::Deliver(
    const client::CallOptions& options) {
  MutexLock lock(&mutex_);
  ++delivers_;
  call_accounts_.push_back(options.account);
  return std::make_unique<DeliverWriter>(*this);
}

std::unique_ptr<client::Watcher> FakeStore::NewWatcher(absl::AnyInvocable<std::string()>) {
  return std::make_unique<NoWatcher>();
}

absl::StatusOr<store::v1::ResolveRecipientResponse> FakeStore::Resolve(std::string address) const {
  for (char& c : address) c = absl::ascii_tolower(c);
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  store::v1::ResolveRecipientResponse response;
  // As the real one does, wherever the address is.
  if (address.find_first_of("/[") != std::string::npos) {
    return Error(store::v1::ERROR_REASON_INVALID_ADDRESS, "no account can have it");
  }
  if (!address.ends_with(kDomain)) return response;
  response.set_local(true);
  const size_t plus = address.find('+');
  if (plus != std::string::npos) address.erase(plus, address.find('@') - plus);
  const auto alias = aliases_.find(address);
  if (alias != aliases_.end()) {
    if (alias->second.empty()) return Error(store::v1::ERROR_REASON_ALIAS_LOOP, "a loop");
    for (const std::string& to : alias->second) {
      if (to.ends_with(kDomain)) {
        response.add_accounts("accounts/" + to);
      } else {
        response.add_external(to);
      }
    }
    return response;
  }
  const auto account = accounts_.find(address);
  if (account == accounts_.end()) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND, "no such account");
  }
  if (account->second.disabled) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_DISABLED, "disabled");
  }
  response.add_accounts("accounts/" + address);
  return response;
}

absl::StatusOr<store::v1::AuthenticateResponse> FakeStore::Authenticate(
    std::string address, const std::string& password) {
  for (char& c : address) c = absl::ascii_tolower(c);
  MutexLock lock(&mutex_);
  ++authentications_;
  if (!failure_.ok()) return failure_;
  const auto account = accounts_.find(address);
  if (account == accounts_.end() || account->second.password != password) {
    return Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "wrong");
  }
  if (account->second.disabled) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_DISABLED, "disabled");
  }
  store::v1::AuthenticateResponse response;
  response.set_account("accounts/" + address);
  response.set_token("token");
  response.set_expires_in(3600);
  return response;
}

absl::StatusOr<DeliverMessageResponse> FakeStore::Commit(const store::v1::DeliverHeader& header,
                                                         const std::string& message) {
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  DeliverMessageResponse response;
  if (header.has_queue()) {
    if (!queue_failure_.empty()) return Error(ReasonFromName(queue_failure_), "not queued");
    queue_.push_back({header.queue(), message, header.max_queued_messages()});
    response.set_queued("queue/" + std::to_string(queue_.size()));
  }
  for (const std::string& recipient : header.recipients()) {
    store::v1::DeliveryResult& result = *response.add_results();
    result.set_recipient(recipient);
    const auto account = accounts_.find(recipient.substr(sizeof("accounts/") - 1));
    if (account == accounts_.end()) {
      result.set_reason("ACCOUNT_NOT_FOUND");
    } else if (!account->second.delivery_failure.empty()) {
      result.set_reason(account->second.delivery_failure);
    } else {
      account->second.inbox.push_back(header.mailbox_fields() + message);
      result.set_uid(static_cast<uint32_t>(account->second.inbox.size()));
    }
  }
  return response;
}

// The calls that SMTP does not make.
template <typename Response>
static void Unexpected(client::Callback<Response> done) {
  done(absl::UnimplementedError("not a call of SMTP"));
}

#define RMAIL_UNEXPECTED_START(Name)                                                 \
  void FakeStore::Start(const client::CallOptions&, const store::v1::Name##Request&, \
                        client::Callback<store::v1::Name##Response> done) {          \
    Unexpected(std::move(done));                                                     \
  }
RMAIL_UNEXPECTED_START(CreateMailbox)
RMAIL_UNEXPECTED_START(GetMailbox)
RMAIL_UNEXPECTED_START(ListMailboxes)
RMAIL_UNEXPECTED_START(RenameMailbox)
RMAIL_UNEXPECTED_START(DeleteMailbox)
RMAIL_UNEXPECTED_START(SetSubscription)
RMAIL_UNEXPECTED_START(UpdateFlags)
RMAIL_UNEXPECTED_START(CopyMessages)
RMAIL_UNEXPECTED_START(MoveMessages)
RMAIL_UNEXPECTED_START(ExpungeMessages)
RMAIL_UNEXPECTED_START(CreateAccount)
RMAIL_UNEXPECTED_START(GetAccount)
RMAIL_UNEXPECTED_START(ListAccounts)
RMAIL_UNEXPECTED_START(UpdateAccount)
RMAIL_UNEXPECTED_START(DeleteAccount)
RMAIL_UNEXPECTED_START(ListAliases)
RMAIL_UNEXPECTED_START(SetAlias)
RMAIL_UNEXPECTED_START(DeleteAlias)
RMAIL_UNEXPECTED_START(GetQuota)
RMAIL_UNEXPECTED_START(UpdateQuota)
RMAIL_UNEXPECTED_START(GetScramParameters)
RMAIL_UNEXPECTED_START(AuthenticateScram)
RMAIL_UNEXPECTED_START(GetMetadata)
RMAIL_UNEXPECTED_START(SetMetadata)
RMAIL_UNEXPECTED_START(LeaseMessages)
RMAIL_UNEXPECTED_START(RenewLease)
RMAIL_UNEXPECTED_START(ReportDelivery)
RMAIL_UNEXPECTED_START(GetQueuedMessage)
RMAIL_UNEXPECTED_START(RetryMessages)
RMAIL_UNEXPECTED_START(HoldMessages)
RMAIL_UNEXPECTED_START(DeleteMessages)
#undef RMAIL_UNEXPECTED_START

#define RMAIL_UNEXPECTED_READ(Service, Name)                                       \
  std::unique_ptr<client::Reader<store::v1::Name##Response>> FakeStore::StartRead( \
      const client::CallOptions&, const store::v1::Name##Request&) {               \
    return nullptr;                                                                \
  }
RMAIL_STORE_READ_METHODS(RMAIL_UNEXPECTED_READ)
#undef RMAIL_UNEXPECTED_READ

void FakeStore::Start(const client::CallOptions& options,
                      const store::v1::ResolveRecipientRequest& request,
                      client::Callback<store::v1::ResolveRecipientResponse> done) {
  {
    MutexLock lock(&mutex_);
    call_accounts_.push_back(options.account);
  }
  done(Resolve(request.address()));
}

void FakeStore::Start(const client::CallOptions&, const store::v1::AuthenticateRequest& request,
                      client::Callback<store::v1::AuthenticateResponse> done) {
  done(Authenticate(request.address(), request.password()));
}

void FakeStore::Start(const client::CallOptions&, const store::v1::CountEventsRequest& request,
                      client::Callback<store::v1::CountEventsResponse> done) {
  store::v1::CountEventsResponse response;
  if (absl::Status status = failure(); !status.ok()) return done(std::move(status));
  {
    MutexLock lock(&mutex_);
    response.set_allowed(true);
    for (const store::v1::LimitedEvent& event : request.events()) {
      if (!refused_events_.empty() && event.key().starts_with(refused_events_)) {
        response.set_allowed(false);
        response.set_retry_after_seconds(60);
      }
    }
    for (const store::v1::LimitedEvent& event : request.events()) {
      if (response.allowed()) counted_.push_back(event.key());
    }
  }
  done(response);
}

}  // namespace rmail::gateway::smtp
