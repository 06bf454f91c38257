#include "tests/e2e/store_kill_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <type_traits>

#include "google/protobuf/repeated_ptr_field.h"
#include "store/base/status.h"

namespace rmail::kill {
namespace {

namespace pb = ::rmail::store::v1;

// A worker keeps about so many messages.
constexpr size_t kFewInstances = 20;
constexpr size_t kManyInstances = 150;
constexpr size_t kUsualBatch = 8;
constexpr size_t kLargeBatch = 40;
constexpr int64_t kFirstDate = 1'600'000'000'000'000;

std::vector<uint32_t> Unroll(const google::protobuf::RepeatedPtrField<pb::UidRange>& ranges) {
  std::vector<uint32_t> uids;
  for (const pb::UidRange& range : ranges) {
    for (uint64_t uid = range.first(); uid <= range.last(); ++uid) {
      uids.push_back(static_cast<uint32_t>(uid));
    }
  }
  return uids;
}

Flags Apply(Flags flags, pb::UpdateFlagsRequest::Operation operation, Flags change) {
  switch (operation) {
    case pb::UpdateFlagsRequest::OPERATION_ADD:
      return flags | change;
    case pb::UpdateFlagsRequest::OPERATION_REMOVE:
      return flags & ~change;
    default:
      return change;
  }
}

}  // namespace

Worker::Worker(World* world, uint32_t index, uint64_t seed)
    : world_(*world),
      index_(index),
      account_(static_cast<int>(index % world->accounts.size())),
      random_(seed * 1000 + index) {}

void Worker::Run() {
  while (!world_.stopped() && !world_.given_up()) {
    if (!world_.store.WaitUntilReachable()) {
      Fault("the store can't be reached");
      return;
    }
    Step();
  }
}

void Worker::Step() {
  const uint32_t choice = Random(100);
  if (instances_.size() > kManyInstances && choice < 40) return Expunge();
  if (instances_.size() < kFewInstances || choice < 25) return Append();
  if (choice < 45) return Deliver();
  if (choice < 65) return UpdateFlags();
  if (choice < 77) return Transfer<pb::CopyMessagesRequest>(Kind::kCopy);
  if (choice < 90) return Transfer<pb::MoveMessagesRequest>(Kind::kMove);
  Expunge();
}

void Worker::Append() {
  const uint64_t id = MessageId(index_, ++sent_);
  const int mailbox = world_.InboxOf(account_) + static_cast<int>(Random(world_.mailboxes_each));
  Ledger& ledger = world_.mailboxes[mailbox].ledger;
  const Flags flags = RandomFlags();
  const int64_t date = kFirstDate + static_cast<int64_t>(random_() % 1'000'000'000'000);
  pb::AppendHeader header;
  header.set_mailbox(world_.mailboxes[mailbox].name);
  *header.mutable_flags() = ToFlagSet(flags);
  header.set_internal_date(date);
  const Mark before = ledger.Now();
  const absl::StatusOr<pb::AppendMessageResponse> response =
      world_.store.Append(header, MessageText(id));
  world_.Count(Kind::kAppend, response.status());
  if (response.ok()) {
    ledger.GaveUid(response->uid(), id, before);
    ledger.GaveModseq(response->modseq(), before);
    Add({id, mailbox, response->uid(), flags, date});
  } else if (IsLost(response.status())) {
    FindAdded(mailbox, before, id, flags, date);
  } else if (!QuotaIsSmall(mailbox)) {
    Fault(fmt::format("{} has no room", world_.mailboxes[mailbox].label));
  }
}

void Worker::Deliver() {
  const uint64_t id = MessageId(index_, ++sent_);
  // To one account, two or all.
  std::vector<int> inboxes;
  pb::DeliverHeader header;
  std::vector<Mark> before;
  const uint32_t recipients = 1 + Random(world_.accounts.size());
  for (uint32_t i = 0; i < recipients; ++i) {
    const int account = static_cast<int>((account_ + i) % world_.accounts.size());
    inboxes.push_back(world_.InboxOf(account));
    header.add_recipients(world_.accounts[account].name);
    before.push_back(world_.mailboxes[inboxes.back()].ledger.Now());
  }
  const absl::StatusOr<pb::DeliverMessageResponse> response =
      world_.store.Deliver(header, MessageText(id));
  world_.Count(Kind::kDeliver, response.status());
  for (size_t i = 0; i < inboxes.size(); ++i) {
    if (IsLost(response.status())) FindAdded(inboxes[i], before[i], id, 0, 0);
    if (!response.ok()) continue;
    const pb::DeliveryResult& result = response->results(static_cast<int>(i));
    MailboxRef& inbox = world_.mailboxes[inboxes[i]];
    if (result.reason().empty()) {
      inbox.ledger.GaveUid(result.uid(), id, before[i]);
      Add({id, inboxes[i], result.uid(), 0, 0});
    } else if (result.reason() == "OVER_QUOTA" && QuotaIsSmall(inboxes[i])) {
      ++world_.calls[static_cast<size_t>(Kind::kDeliver)].refused;
    } else {
      Fault(fmt::format("{}: a delivery failed: {} {}", inbox.label, result.reason(),
                        result.message()));
    }
  }
}

void Worker::FindAdded(int mailbox, Mark before, uint64_t id, Flags flags, int64_t date) {
  const absl::StatusOr<std::map<uint64_t, Row>> found = FindAbove(mailbox, before);
  if (!found.ok()) return Drop({}, found.status());
  const auto row = found->find(id);
  if (row == found->end()) {
    ++world_.found_undone;
    return;
  }
  ++world_.found_done;
  const Instance instance = {id, mailbox, row->second.uid, flags, date};
  Compare(instance, row->second);
  Add(instance);
}

void Worker::UpdateFlags() {
  constexpr std::array kOperations = {pb::UpdateFlagsRequest::OPERATION_ADD,
                                      pb::UpdateFlagsRequest::OPERATION_REMOVE,
                                      pb::UpdateFlagsRequest::OPERATION_REPLACE};
  SetFlags(Pick(kUsualBatch), kOperations[Random(kOperations.size())], RandomFlags());
}

void Worker::SetFlags(const Batch& batch, pb::UpdateFlagsRequest::Operation operation,
                      Flags flags) {
  auto request = About<pb::UpdateFlagsRequest>(batch);
  request.set_operation(operation);
  *request.mutable_flags() = ToFlagSet(flags);
  std::map<uint64_t, Flags> wanted;
  for (const uint64_t key : batch) wanted[key] = Apply(instances_[key].flags, operation, flags);
  const absl::StatusOr<pb::UpdateFlagsResponse> response = world_.store.Call(request);
  world_.Count(Kind::kFlags, response.status());
  if (response.ok()) {
    CheckFlags(batch, *response, wanted);
  } else if (IsLost(response.status())) {
    FindFlags(batch, wanted);
  }
}

void Worker::CheckFlags(const Batch& batch, const pb::UpdateFlagsResponse& response,
                        const std::map<uint64_t, Flags>& wanted) {
  const pb::MessageColumns& messages = response.messages();
  std::map<uint32_t, Flags> told;
  for (int i = 0; i < messages.uids_size(); ++i) {
    told[messages.uids(i)] = FromMask(messages.flags(i), response.keywords());
    world_.mailboxes[instances_[batch[0]].mailbox].ledger.SawModseq(messages.modseqs(i));
  }
  for (const uint64_t key : batch) {
    Instance& instance = instances_[key];
    instance.flags = wanted.at(key);
    const auto found = told.find(instance.uid);
    if (found == told.end()) {
      Fault(fmt::format("{}: gone when its flags are changed", TextOf(instance)));
    } else if (found->second != instance.flags) {
      Fault(fmt::format("{}: flags {:x} where {:x} were set", TextOf(instance), found->second,
                        instance.flags));
    }
  }
}

void Worker::FindFlags(const Batch& batch, const std::map<uint64_t, Flags>& wanted) {
  const absl::StatusOr<std::vector<Row>> rows =
      world_.ReadRows(instances_[batch[0]].mailbox, UidsOf(batch));
  if (!rows.ok()) return Drop(batch, rows.status());
  std::map<uint32_t, Row> by_uid;
  for (const Row& row : *rows) by_uid[row.uid] = row;
  for (const uint64_t key : batch) {
    Instance& instance = instances_[key];
    const auto found = by_uid.find(instance.uid);
    if (found == by_uid.end()) {
      Fault(fmt::format("{}: gone after a change of flags", TextOf(instance)));
      instances_.erase(key);
      continue;
    }
    const bool done = found->second.flags == wanted.at(key);
    if (wanted.at(key) != instance.flags) ++(done ? world_.found_done : world_.found_undone);
    if (done) instance.flags = wanted.at(key);
    Compare(instance, found->second);
  }
}

void Worker::Expunge() {
  const Batch batch = Pick(instances_.size() > kManyInstances ? kLargeBatch : kUsualBatch);
  SetFlags(batch, pb::UpdateFlagsRequest::OPERATION_ADD, pb::MESSAGE_FLAGS_DELETED);
  Batch deleted;
  for (const uint64_t key : batch) {
    const auto found = instances_.find(key);
    if (found != instances_.end() && (found->second.flags & pb::MESSAGE_FLAGS_DELETED) != 0) {
      deleted.push_back(key);
    }
  }
  if (!deleted.empty()) ExpungeBatch(deleted);
}

void Worker::ExpungeBatch(const Batch& batch) {
  Ledger& ledger = world_.mailboxes[instances_[batch[0]].mailbox].ledger;
  const Mark before = ledger.Now();
  const absl::StatusOr<pb::ExpungeMessagesResponse> response =
      world_.store.Call(About<pb::ExpungeMessagesRequest>(batch));
  world_.Count(Kind::kExpunge, response.status());
  if (response.ok()) {
    ledger.GaveModseq(response->highest_modseq(), before);
    if (Unroll(response->expunged()) != UidsOf(batch)) {
      Fault(fmt::format("{}: not all expunged of this and {} more", TextOf(instances_[batch[0]]),
                        batch.size() - 1));
    }
    for (const uint64_t key : batch) instances_.erase(key);
  } else if (IsLost(response.status())) {
    FindExpunged(batch);
  }
}

void Worker::FindExpunged(const Batch& batch) {
  const absl::StatusOr<std::vector<Row>> rows =
      world_.ReadRows(instances_[batch[0]].mailbox, UidsOf(batch));
  if (!rows.ok()) return Drop(batch, rows.status());
  std::map<uint32_t, Row> by_uid;
  for (const Row& row : *rows) by_uid[row.uid] = row;
  for (const uint64_t key : batch) {
    const auto found = by_uid.find(instances_[key].uid);
    if (found == by_uid.end()) {
      ++world_.found_done;
      instances_.erase(key);
    } else {
      ++world_.found_undone;
      Compare(instances_[key], found->second);
    }
  }
}

template <typename Request>
void Worker::Transfer(Kind kind) {
  constexpr bool kMove = std::is_same_v<Request, pb::MoveMessagesRequest>;
  const Batch batch = Pick(kUsualBatch);
  const int source = instances_[batch[0]].mailbox;
  const int target = world_.InboxOf(world_.mailboxes[source].account) +
                     static_cast<int>(Random(world_.mailboxes_each));
  auto request = About<Request>(batch);
  request.set_target(world_.mailboxes[target].name);
  const Mark before_source = world_.mailboxes[source].ledger.Now();
  const Mark before = world_.mailboxes[target].ledger.Now();
  const auto response = world_.store.Call(request);
  world_.Count(kind, response.status());
  if (response.ok()) {
    if constexpr (kMove) {
      world_.mailboxes[source].ledger.GaveModseq(response->source_modseq(), before_source);
    }
    TakeTransfer(batch, target, *response, before, kMove);
  } else if (IsLost(response.status())) {
    FindTransferred(batch, target, before, kMove);
  } else if (kMove || !QuotaIsSmall(target)) {
    Fault(fmt::format("{} has no room for a transfer", world_.mailboxes[target].label));
  }
}

template <typename Response>
void Worker::TakeTransfer(const Batch& batch, int target, const Response& response, Mark before,
                          bool move) {
  Ledger& ledger = world_.mailboxes[target].ledger;
  ledger.GaveModseq(response.target_modseq(), before);
  const std::vector<uint32_t> targets = Unroll(response.target_uids());
  if (Unroll(response.source_uids()) != UidsOf(batch) || targets.size() != batch.size()) {
    Fault(fmt::format("{}: not all copied or moved of this and {} more",
                      TextOf(instances_[batch[0]]), batch.size() - 1));
    return Drop(batch, absl::InternalError("a transfer of less than was asked"));
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    Instance copy = instances_[batch[i]];
    copy.mailbox = target;
    copy.uid = targets[i];
    ledger.GaveUid(copy.uid, copy.id, before);
    if (move) instances_.erase(batch[i]);
    Add(copy);
  }
}

void Worker::FindTransferred(const Batch& batch, int target, Mark before, bool move) {
  const int source = instances_[batch[0]].mailbox;
  const absl::StatusOr<std::vector<Row>> rows = world_.ReadRows(source, UidsOf(batch));
  if (!rows.ok()) return Drop(batch, rows.status());
  const absl::StatusOr<std::map<uint64_t, Row>> found = FindAbove(target, before);
  if (!found.ok()) return Drop(batch, found.status());
  std::map<uint32_t, Row> by_uid;
  for (const Row& row : *rows) by_uid[row.uid] = row;
  for (const uint64_t key : batch) {
    const Instance old = instances_[key];
    const auto stayed = by_uid.find(old.uid);
    const auto came = found->find(old.id);
    const bool here = stayed != by_uid.end();
    const bool there = came != found->end();
    ++(there ? world_.found_done : world_.found_undone);
    if (move ? here == there : !here) {
      Fault(fmt::format("{}: {}, {}, after it was to be {} to {}", TextOf(old),
                        here ? "still there" : "gone", there ? "arrived" : "not arrived",
                        move ? "moved" : "copied", world_.mailboxes[target].label));
    }
    if (here) {
      Compare(old, stayed->second);
    } else {
      instances_.erase(key);
    }
    if (!there) continue;
    Instance copy = old;
    copy.mailbox = target;
    copy.uid = came->second.uid;
    Compare(copy, came->second);
    Add(copy);
  }
}

Worker::Batch Worker::Pick(size_t most) {
  // From a random one on, so many of the same mailbox.
  most = 1 + Random(static_cast<uint32_t>(most));
  const uint64_t oldest = instances_.begin()->first;
  auto next = instances_.lower_bound(oldest + random_() % (last_key_ - oldest + 1));
  if (next == instances_.end()) next = instances_.begin();
  const int mailbox = next->second.mailbox;
  std::set<uint64_t> ids;
  Batch batch;
  for (; next != instances_.end() && batch.size() < most; ++next) {
    if (next->second.mailbox != mailbox || !ids.insert(next->second.id).second) continue;
    batch.push_back(next->first);
  }
  std::sort(batch.begin(), batch.end(),
            [&](uint64_t a, uint64_t b) { return instances_[a].uid < instances_[b].uid; });
  return batch;
}

std::vector<uint32_t> Worker::UidsOf(const Batch& batch) const {
  std::vector<uint32_t> uids;
  uids.reserve(batch.size());
  for (const uint64_t key : batch) uids.push_back(instances_.at(key).uid);
  return uids;
}

template <typename Request>
Request Worker::About(const Batch& batch) const {
  Request request;
  request.set_mailbox(world_.mailboxes[instances_.at(batch[0]).mailbox].name);
  for (const uint32_t uid : UidsOf(batch)) {
    pb::UidRange* const range = request.add_uids();
    range->set_first(uid);
    range->set_last(uid);
  }
  return request;
}

Flags Worker::RandomFlags() {
  // Without \Deleted and \Draft; a keyword now and then.
  Flags flags = random_() & 7;
  if (Random(3) == 0) flags |= Flags{1} << (kFirstKeywordBit + Random(kKeywords.size()));
  return flags;
}

std::string Worker::TextOf(const Instance& instance) const {
  return fmt::format("{} UID {} ({})", world_.mailboxes[instance.mailbox].label, instance.uid,
                     IdText(instance.id));
}

void Worker::Compare(const Instance& instance, const Row& row) {
  if (row.id != instance.id || row.flags != instance.flags ||
      (instance.date != 0 && row.date != instance.date) ||
      row.size != MessageText(instance.id).size()) {
    Fault(fmt::format("{}: is {}, {} octets, flags {:x}, date {}; must be flags {:x}, date {}",
                      TextOf(instance), IdText(row.id), row.size, row.flags, row.date,
                      instance.flags, instance.date));
  }
}

absl::StatusOr<std::map<uint64_t, Row>> Worker::FindAbove(int mailbox, Mark before) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<Row> rows, world_.ReadRowsAbove(mailbox, before.uid));
  std::map<uint64_t, Row> found;
  for (const Row& row : rows) {
    if (WorkerOf(row.id) != index_) continue;
    if (!found.emplace(row.id, row).second) {
      Fault(fmt::format("{}: {} came twice", world_.mailboxes[mailbox].label, IdText(row.id)));
    }
  }
  return found;
}

bool Worker::QuotaIsSmall(int mailbox) const {
  return world_.accounts[world_.mailboxes[mailbox].account].quota_mb != 0;
}

void Worker::Drop(const Batch& batch, const absl::Status& why) {
  Fault(fmt::format("what became of {} messages can't be told: {}", batch.size(), ToText(why)));
  for (const uint64_t key : batch) instances_.erase(key);
}

}  // namespace rmail::kill
