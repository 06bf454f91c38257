#include "tests/e2e/store_kill_sampler.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/status.h"

namespace rmail::kill {
namespace {

namespace pb = ::rmail::store::v1;

constexpr absl::Duration kBetweenRounds = absl::Milliseconds(100);

}  // namespace

Sampler::Sampler(World* world) : world_(*world), copies_(world->mailboxes.size()) {}

void Sampler::Run() {
  while (!world_.given_up() && !world_.WaitForStop(kBetweenRounds)) Sample();
}

void Sampler::Sample() {
  const int restarts = world_.store.Restarts();
  if (restarts != restarts_) CheckIndexes();
  restarts_ = restarts;
  for (size_t i = 0; i < world_.mailboxes.size(); ++i) {
    const absl::Status followed = Follow(static_cast<int>(i));
    if (!followed.ok()) {
      world_.faults.Add(fmt::format("{}: {}", world_.mailboxes[i].label, ToText(followed)));
    }
  }
  for (const Account& account : world_.accounts) {
    const absl::Status checked = CheckQuota(account);
    if (!checked.ok()) world_.faults.Add(fmt::format("{}: {}", account.name, ToText(checked)));
  }
  ++rounds_;
}

void Sampler::CheckIndexes() {
  for (size_t i = 0; i < world_.mailboxes.size(); ++i) {
    const absl::Status checked = world_.CheckMailbox(static_cast<int>(i)).status();
    if (!checked.ok()) {
      world_.faults.Add(fmt::format("{}: {}", world_.mailboxes[i].label, ToText(checked)));
    }
  }
}

absl::Status Sampler::Follow(int mailbox) {
  MailboxRef& ref = world_.mailboxes[mailbox];
  Copy& copy = copies_[mailbox];
  pb::SyncMailboxRequest request;
  request.set_mailbox(ref.name);
  request.set_uid_validity(copy.uid_validity);
  request.set_since_modseq(copy.modseq);
  Changes changes;
  Mark before;
  RMAIL_RETURN_IF_ERROR(world_.Repeat([&] {
    changes = Changes();
    before = ref.ledger.Now();
    bool is_first = true;
    return world_.store.Read(request, [&](const pb::SyncMailboxResponse& answer) {
      if (is_first) changes.first = answer;
      is_first = false;
      changes.changed.MergeFrom(answer.changed());
    });
  }));
  CheckCounts(mailbox, changes, before);
  Apply(mailbox, changes);
  RMAIL_ASSIGN_OR_RETURN(const std::vector<Row> rows, world_.ReadRowsAbove(mailbox, copy.read_uid));
  if (!rows.empty()) copy.read_uid = rows.back().uid;
  return absl::OkStatus();
}

void Sampler::CheckCounts(int mailbox, const Changes& changes, Mark before) {
  MailboxRef& ref = world_.mailboxes[mailbox];
  Copy& copy = copies_[mailbox];
  const pb::MailboxCounts& counts = changes.first.mailbox().counts();
  if (copy.uid_validity != 0 && counts.uid_validity() != copy.uid_validity) {
    world_.faults.Add(fmt::format("{}: UIDVALIDITY was {} and is {}", ref.label, copy.uid_validity,
                                  counts.uid_validity()));
  }
  if (copy.modseq != 0 && changes.first.reset()) {
    world_.faults.Add(fmt::format("{}: what changed since modseq {} can't be told any more",
                                  ref.label, copy.modseq));
  }
  const uint64_t modseq = std::max(before.modseq, copy.modseq);
  if (counts.highest_modseq() < modseq) {
    world_.faults.Add(
        fmt::format("{}: modseq was {} and is {}", ref.label, modseq, counts.highest_modseq()));
  }
  if (counts.uid_next() <= before.uid || counts.uid_next() < copy.uid_next) {
    world_.faults.Add(fmt::format("{}: the next UID is {} after UID {}, next UID {}", ref.label,
                                  counts.uid_next(), before.uid, copy.uid_next));
  }
  copy.uid_validity = counts.uid_validity();
  copy.uid_next = counts.uid_next();
  copy.modseq = counts.highest_modseq();
  ref.ledger.SawModseq(copy.modseq);
}

void Sampler::Apply(int mailbox, const Changes& changes) {
  const std::string& label = world_.mailboxes[mailbox].label;
  Copy& copy = copies_[mailbox];
  if (changes.first.reset()) copy.masks.clear();
  const pb::MessageColumns& changed = changes.changed;
  for (int i = 0; i < changed.uids_size(); ++i) {
    const uint32_t uid = changed.uids(i);
    copy.masks[uid] = changed.flags(i);
    world_.mailboxes[mailbox].ledger.ListedUid(uid);
    uint64_t& modseq = copy.modseqs[uid];
    if (changed.modseqs(i) < modseq) {
      world_.faults.Add(fmt::format("{}: the modseq of UID {} was {} and is {}", label, uid, modseq,
                                    changed.modseqs(i)));
    }
    modseq = changed.modseqs(i);
    if (copy.gone.contains(uid)) {
      world_.faults.Add(fmt::format("{}: UID {} was gone and is back", label, uid));
    }
  }
  for (const pb::UidRange& range : changes.first.expunged()) {
    for (uint64_t uid = range.first(); uid <= range.last(); ++uid) {
      if (copy.masks.erase(static_cast<uint32_t>(uid)) != 0) {
        copy.gone.insert(static_cast<uint32_t>(uid));
      }
    }
  }
  if (copy.masks.size() != changes.first.mailbox().counts().messages()) {
    world_.faults.Add(fmt::format("{}: {} messages by what changed, {} by the count", label,
                                  copy.masks.size(), changes.first.mailbox().counts().messages()));
  }
}

absl::Status Sampler::CheckQuota(const Account& account) {
  pb::GetQuotaRequest request;
  request.set_name(account.name);
  pb::Quota quota;
  RMAIL_RETURN_IF_ERROR(world_.Repeat([&]() -> absl::Status {
    RMAIL_ASSIGN_OR_RETURN(const pb::GetQuotaResponse response, world_.store.Call(request));
    quota = response.quota();
    return absl::OkStatus();
  }));
  if (quota.limit_mb() != account.quota_mb) {
    world_.faults.Add(fmt::format("{}: the quota is {} MiB", account.name, quota.limit_mb()));
  }
  if (account.quota_mb != 0 && quota.used() > account.quota_mb << 20) {
    world_.faults.Add(
        fmt::format("{}: uses {} octets of {} MiB", account.name, quota.used(), account.quota_mb));
  }
  return absl::OkStatus();
}

}  // namespace rmail::kill
