#include "gateway/relay/local_delivery.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "gateway/smtp/outcome.h"
#include "gateway/smtp/syntax/trace.h"
#include "store/base/error.h"

namespace rmail::gateway::relay {
namespace {

namespace pb = ::rmail::store::v1;
using boost::asio::awaitable;

// A domain that becomes ours is noticed after as long.
constexpr absl::Duration kElsewhereFor = absl::Seconds(30);
constexpr size_t kMaxElsewhere = 10'000;

// Of one delivery, and of one queued message (message.proto, queue.proto).
constexpr size_t kMaxTargets = 1000;

// One recipient and where its mail goes.
struct Target {
  int index = 0;
  pb::ResolveRecipientResponse leads_to;
};

// What two recipients of the same mailbox want to hear of.
uint32_t CombineNotify(uint32_t one, uint32_t other) {
  if (one == other || other == pb::QueueRecipient::NOTIFY_NEVER) return one;
  if (one == pb::QueueRecipient::NOTIFY_NEVER) return other;
  constexpr uint32_t kDefault =
      pb::QueueRecipient::NOTIFY_FAILURE | pb::QueueRecipient::NOTIFY_DELAY;
  const auto explicitly = [](uint32_t notify) {
    return notify == pb::QueueRecipient::NOTIFY_UNSPECIFIED ? kDefault : notify;
  };
  return explicitly(one) | explicitly(other);
}

Delivered Own(smtp::Reply reply) {
  Delivered delivered;
  delivered.reply = std::move(reply);
  return delivered;
}

// Deliveries of one message, as many recipients in each as the contract allows.
class Batch {
 public:
  Batch(RelayStore& store, const pb::QueuedMessage& message) : store_(store), message_(message) {}

  // Whether it has room for this one; a new one has.
  bool Takes(const pb::ResolveRecipientResponse& leads_to) const {
    return targets_.empty() ||
           (accounts_.size() + static_cast<size_t>(leads_to.accounts_size()) <= kMaxTargets &&
            external_.size() + static_cast<size_t>(leads_to.external_size()) <= kMaxTargets);
  }
  void Add(Target target);
  bool empty() const { return targets_.empty(); }

  // Answers for the recipients added, by their place in the envelope.
  awaitable<void> Deliver(absl::flat_hash_map<int, Delivered>* answers);

 private:
  Delivered AnswerFor(const Target& target,
                      const absl::flat_hash_map<std::string, std::string>& reasons) const;

  RelayStore& store_;
  const pb::QueuedMessage& message_;
  std::vector<Target> targets_;
  absl::flat_hash_set<std::string> accounts_;
  // Places in the header's queue.
  absl::flat_hash_map<std::string, int> external_;
  pb::DeliverHeader header_;
};

void Batch::Add(Target target) {
  const pb::QueueEnvelope& envelope = message_.envelope();
  for (const std::string& account : target.leads_to.accounts()) {
    if (accounts_.insert(account).second) header_.add_recipients(account);
  }
  const pb::QueueRecipient& from = envelope.recipients(target.index);
  // RFC 3461, 6.2.7: the sender hears of the one that it has named.
  const std::string original =
      from.original_recipient().empty() ? "rfc822;" + from.address() : from.original_recipient();
  for (const std::string& address : target.leads_to.external()) {
    if (!header_.has_queue()) {
      *header_.mutable_queue() = envelope;
      header_.mutable_queue()->clear_recipients();
    }
    const auto [place, added] = external_.try_emplace(address, header_.queue().recipients_size());
    if (!added) {
      // One copy goes there, and one notice of it, for whichever asks for one.
      pb::QueueRecipient& same = *header_.mutable_queue()->mutable_recipients(place->second);
      if (same.notify() == pb::QueueRecipient::NOTIFY_NEVER) same.set_original_recipient(original);
      same.set_notify(CombineNotify(same.notify(), from.notify()));
      continue;
    }
    pb::QueueRecipient& to = *header_.mutable_queue()->add_recipients();
    to.set_address(address);
    to.set_notify(from.notify());
    to.set_original_recipient(original);
  }
  targets_.push_back(std::move(target));
}

Delivered Batch::AnswerFor(const Target& target,
                           const absl::flat_hash_map<std::string, std::string>& reasons) const {
  std::optional<smtp::Reply> failure;
  bool stored = target.leads_to.external_size() > 0;
  for (const std::string& account : target.leads_to.accounts()) {
    const auto reason = reasons.find(account);
    if (reason != reasons.end() && reason->second.empty()) {
      stored = true;
      continue;
    }
    failure = smtp::ReplyFor(reason == reasons.end() ? pb::ERROR_REASON_UNSPECIFIED
                                                     : ReasonFromName(reason->second));
  }
  if (!failure.has_value()) {
    Delivered delivered = Own({250, "2.1.5", "Delivered"});
    // The copy that was queued has a notice of its own.
    delivered.passes_notices = target.leads_to.external_size() > 0;
    return delivered;
  }
  // Trying again would give those who have a copy a second one.
  if (stored && smtp::IsTransient(*failure)) {
    failure = smtp::Reply{550, "5.3.0", "Stored for some of those that the address leads to only"};
  }
  return Own(*std::move(failure));
}

awaitable<void> Batch::Deliver(absl::flat_hash_map<int, Delivered>* answers) {
  // RFC 5321, 4.4.
  header_.set_mailbox_fields(smtp::ReturnPathField(message_.envelope().sender()));
  const absl::StatusOr<pb::DeliverMessageResponse> response =
      co_await store_.Deliver(std::move(header_), store_.Read(message_.name()));
  absl::flat_hash_map<std::string, std::string> reasons;
  if (response.ok()) {
    for (const pb::DeliveryResult& result : response->results()) {
      reasons[result.recipient()] = result.reason();
    }
  }
  for (const Target& target : targets_) {
    (*answers)[target.index] =
        response.ok() ? AnswerFor(target, reasons) : Own(smtp::ReplyFor(response.status()));
  }
}

}  // namespace

awaitable<Locality> LocalDomains::Find(std::string domain, absl::Time now) {
  {
    MutexLock lock(&mutex_);
    const auto found = elsewhere_.find(domain);
    if (found != elsewhere_.end() && now < found->second) co_return Locality::kElsewhere;
  }
  // Whether there is such an account does not matter, and this local part is always one that an
  // account may have.
  const auto resolved = co_await store_.Resolve("postmaster@" + domain);
  if (resolved.ok() && resolved->local()) co_return Locality::kHere;
  if (!resolved.ok() && ReasonOf(resolved.status()) != pb::ERROR_REASON_INVALID_ADDRESS) {
    const bool refused = !smtp::IsTransient(smtp::ReplyFor(resolved.status()));
    co_return refused ? Locality::kHere : Locality::kUnknown;
  }
  MutexLock lock(&mutex_);
  if (elsewhere_.size() >= kMaxElsewhere) elsewhere_.clear();
  elsewhere_[std::move(domain)] = now + kElsewhereFor;
  co_return Locality::kElsewhere;
}

awaitable<std::vector<Delivered>> DeliverLocally(RelayStore& store,
                                                 const pb::QueuedMessage& message,
                                                 const Destination& destination) {
  absl::flat_hash_map<int, Delivered> answers;
  std::optional<Batch> batch(std::in_place, store, message);
  for (const int index : destination.recipients) {
    absl::StatusOr<pb::ResolveRecipientResponse> resolved =
        co_await store.Resolve(message.envelope().recipients(index).address());
    if (!resolved.ok() || !resolved->local()) {
      // A domain that has just been given up is tried elsewhere the next time.
      answers[index] = Own(smtp::ReplyFor(
          resolved.ok() ? Error(pb::ERROR_REASON_STORE_UNAVAILABLE, "") : resolved.status()));
      continue;
    }
    if (!batch->Takes(*resolved)) {
      co_await batch->Deliver(&answers);
      batch.emplace(store, message);
    }
    batch->Add({index, *std::move(resolved)});
  }
  if (!batch->empty()) co_await batch->Deliver(&answers);
  std::vector<Delivered> in_order;
  for (const int index : destination.recipients) in_order.push_back(std::move(answers[index]));
  co_return in_order;
}

}  // namespace rmail::gateway::relay
