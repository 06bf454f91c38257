#include "tests/e2e/store_kill_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <utility>

#include "store/base/status.h"

namespace rmail::kill {
namespace {

namespace pb = ::rmail::store::v1;

constexpr std::array<std::string_view, 3> kUsers = {"alice", "bob", "small"};
constexpr std::array<uint64_t, 3> kQuotas = {0, 0, 1};
constexpr std::array<std::string_view, 3> kPaths = {"INBOX", "Archive", "Sent"};

void AddRange(uint32_t first, uint32_t last, pb::FetchMessagesRequest* request) {
  pb::UidRange* const range = request->add_uids();
  range->set_first(first);
  range->set_last(last);
}

}  // namespace

void Faults::Add(const std::string& text) {
  MutexLock lock(&mutex_);
  ++count_;
  fmt::print(stderr, "FAULT at {:.3f}: {}\n", Now(), text);
  std::fflush(stderr);
}

Mark Ledger::Now() const {
  MutexLock lock(&mutex_);
  return {ids_.empty() ? 0 : ids_.rbegin()->first, modseq_};
}

void Ledger::ListedUid(uint32_t uid) {
  MutexLock lock(&mutex_);
  if (!ids_.contains(uid)) listed_.insert(uid);
}

std::vector<uint32_t> Ledger::ListedWithoutMessage() const {
  MutexLock lock(&mutex_);
  std::vector<uint32_t> uids(listed_.begin(), listed_.end());
  std::erase_if(uids, [this](uint32_t uid) {
    mutex_.AssertHeld();
    return ids_.contains(uid);
  });
  return uids;
}

void Ledger::SawUid(uint32_t uid, uint64_t id) {
  MutexLock lock(&mutex_);
  const auto [known, added] = ids_.emplace(uid, id);
  if (!added && known->second != id) {
    faults_.Add(
        fmt::format("{}: UID {} was {} and is {}", label_, uid, IdText(known->second), IdText(id)));
  }
}

void Ledger::GaveUid(uint32_t uid, uint64_t id, Mark before) {
  if (uid <= before.uid) {
    faults_.Add(fmt::format("{}: UID {} was given to {} after UID {}", label_, uid, IdText(id),
                            before.uid));
  }
  SawUid(uid, id);
}

void Ledger::SawModseq(uint64_t modseq) {
  MutexLock lock(&mutex_);
  modseq_ = std::max(modseq_, modseq);
}

void Ledger::GaveModseq(uint64_t modseq, Mark before) {
  if (modseq <= before.modseq) {
    faults_.Add(fmt::format("{}: a change has modseq {} after {}", label_, modseq, before.modseq));
  }
  SawModseq(modseq);
}

uint64_t Ledger::IdAt(uint32_t uid) const {
  MutexLock lock(&mutex_);
  const auto found = ids_.find(uid);
  return found == ids_.end() ? 0 : found->second;
}

size_t Ledger::uids() const {
  MutexLock lock(&mutex_);
  return ids_.size();
}

absl::Status World::SetUp() {
  if (!store.WaitUntilReachable()) return absl::UnavailableError("the store is not there");
  mailboxes_each = kPaths.size();
  for (size_t i = 0; i < kUsers.size(); ++i) {
    Account& account = accounts.emplace_back();
    account.name = fmt::format("accounts/{}@example.com", kUsers[i]);
    account.quota_mb = kQuotas[i];
    pb::CreateAccountRequest create;
    create.mutable_account()->set_name(account.name);
    create.mutable_account()->set_quota_mb(account.quota_mb);
    create.set_password("correct horse");
    RMAIL_RETURN_IF_ERROR(store.Call(create).status());
    for (const std::string_view path : kPaths) {
      pb::GetMailboxRequest get;
      get.mutable_path()->set_parent(account.name);
      get.mutable_path()->set_path(std::string(path));
      RMAIL_ASSIGN_OR_RETURN(const pb::GetMailboxResponse got, store.Call(get));
      mailboxes.emplace_back(static_cast<int>(i), got.mailbox().name(),
                             fmt::format("{} {}", kUsers[i], path), &faults);
    }
  }
  return absl::OkStatus();
}

void World::Count(Kind kind, const absl::Status& status) {
  CallCounts& counts = calls[static_cast<size_t>(kind)];
  if (status.ok()) {
    ++counts.acknowledged;
  } else if (IsLost(status)) {
    ++counts.unknown;
  } else if (IsOverQuota(status)) {
    ++counts.refused;
  } else {
    faults.Add(fmt::format("{} failed: {}", kKindNames[static_cast<size_t>(kind)], ToText(status)));
  }
}

absl::StatusOr<std::vector<Row>> World::ReadRows(int mailbox, const std::vector<uint32_t>& uids) {
  if (uids.empty()) return std::vector<Row>();
  pb::FetchMessagesRequest request;
  for (const uint32_t uid : uids) AddRange(uid, uid, &request);
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> listed, List(mailbox, request));
  RMAIL_ASSIGN_OR_RETURN(std::vector<Row> rows, Fetch(mailbox, request));
  if (listed.size() != rows.size()) {
    faults.Add(fmt::format("{}: of {} messages that are listed, from UID {} on, {} can be read",
                           mailboxes[mailbox].label, listed.size(), listed[0], rows.size()));
  }
  return rows;
}

absl::StatusOr<std::vector<Row>> World::ReadRowsAbove(int mailbox, uint32_t uid) {
  pb::FetchMessagesRequest request;
  AddRange(uid + 1, UINT32_MAX, &request);
  // A message that others move or expunge is gone when it is read; yet they knew its UID.
  RMAIL_ASSIGN_OR_RETURN(const std::vector<uint32_t> listed, List(mailbox, request));
  for (const uint32_t each : listed) mailboxes[mailbox].ledger.ListedUid(each);
  return Fetch(mailbox, request);
}

absl::StatusOr<std::vector<uint32_t>> World::List(int mailbox,
                                                  const pb::FetchMessagesRequest& uids) {
  pb::FetchMessagesRequest request = uids;
  request.set_mailbox(mailboxes[mailbox].name);
  std::vector<uint32_t> listed;
  RMAIL_RETURN_IF_ERROR(Repeat([&] {
    listed.clear();
    return store.Read(request, [&](const pb::FetchMessagesResponse& batch) {
      listed.insert(listed.end(), batch.columns().uids().begin(), batch.columns().uids().end());
    });
  }));
  return listed;
}

absl::StatusOr<std::vector<Row>> World::Fetch(int mailbox, const pb::FetchMessagesRequest& uids) {
  MailboxRef& ref = mailboxes[mailbox];
  pb::FetchMessagesRequest request = uids;
  request.set_mailbox(ref.name);
  request.set_internal_dates(true);
  request.set_sizes(true);
  request.add_sections()->set_length(kIdOctets);
  pb::GetMailboxRequest get;
  get.set_name(ref.name);

  std::vector<Row> rows;
  std::unordered_map<uint32_t, std::string> begins;
  pb::MailboxCounts counts;
  RMAIL_RETURN_IF_ERROR(Repeat([&]() -> absl::Status {
    rows.clear();
    begins.clear();
    RMAIL_RETURN_IF_ERROR(store.Read(request, [&](const pb::FetchMessagesResponse& batch) {
      const pb::MessageColumns& columns = batch.columns();
      for (int i = 0; i < columns.uids_size(); ++i) {
        rows.push_back(
            {columns.uids(i), columns.flags(i), columns.internal_dates(i), columns.sizes(i), 0});
      }
      for (const pb::SectionData& data : batch.sections()) begins[data.uid()] += data.data();
    }));
    // After the flags: each bit in them has its name.
    RMAIL_ASSIGN_OR_RETURN(const pb::GetMailboxResponse got, store.Call(get));
    for (Row& row : rows) row.flags = FromMask(row.flags, got.mailbox().keywords());
    return absl::OkStatus();
  }));
  std::erase_if(rows, [&](Row& row) {
    // Expunged between the listing and the reading of the file.
    if (begins[row.uid].empty()) return true;
    row.id = IdOf(begins[row.uid]).value_or(0);
    return false;
  });
  for (const Row& row : rows) {
    if (row.id == 0) {
      faults.Add(fmt::format("{}: UID {} is no message that was sent", ref.label, row.uid));
    } else {
      ref.ledger.SawUid(row.uid, row.id);
    }
  }
  return rows;
}

absl::StatusOr<pb::CheckResult> World::CheckMailbox(int mailbox) {
  const MailboxRef& ref = mailboxes[mailbox];
  pb::CheckMailboxRequest request;
  request.set_mailbox(ref.name);
  pb::CheckMailboxResponse last;
  RMAIL_RETURN_IF_ERROR(Repeat([&] {
    return store.Read(request, [&](const pb::CheckMailboxResponse& answer) { last = answer; });
  }));
  if (!last.has_result()) faults.Add(fmt::format("{}: a check without a result", ref.label));
  for (const std::string& problem : last.result().problems()) {
    faults.Add(fmt::format("{}: {}", ref.label, problem));
  }
  return last.result();
}

void World::Stop() {
  MutexLock lock(&mutex_);
  stopped_ = true;
  changed_.SignalAll();
}

void World::Resume() {
  MutexLock lock(&mutex_);
  stopped_ = false;
}

bool World::stopped() const {
  MutexLock lock(&mutex_);
  return stopped_;
}

bool World::WaitForStop(absl::Duration time) {
  MutexLock lock(&mutex_);
  if (!stopped_) changed_.WaitFor(&mutex_, time);
  return stopped_;
}

}  // namespace rmail::kill
