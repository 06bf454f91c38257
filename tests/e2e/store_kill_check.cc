#include "tests/e2e/store_kill_check.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "store/base/status.h"

namespace rmail::kill {
namespace {

namespace pb = ::rmail::store::v1;

}  // namespace

void FinalCheck::Expect(const Worker& worker) {
  for (const auto& [key, instance] : worker.instances()) {
    const bool added =
        expected_.emplace(std::pair(instance.mailbox, instance.uid), instance).second;
    if (!added) Fault(instance.mailbox, fmt::format("UID {} was given twice", instance.uid));
  }
}

absl::Status FinalCheck::Run(const Sampler& sampler) {
  for (size_t i = 0; i < world_.accounts.size(); ++i) {
    RMAIL_RETURN_IF_ERROR(CheckAccount(static_cast<int>(i), sampler));
  }
  for (const auto& [place, instance] : expected_) {
    Fault(place.first, fmt::format("UID {} ({}) is lost", place.second, IdText(instance.id)));
  }
  return absl::OkStatus();
}

absl::Status FinalCheck::CheckAccount(int account, const Sampler& sampler) {
  pb::ListMailboxesRequest list;
  list.set_parent(world_.accounts[account].name);
  list.set_with_counts(true);
  RMAIL_ASSIGN_OR_RETURN(const pb::ListMailboxesResponse listed, world_.store.Call(list));
  uint64_t octets = 0;
  int checked = 0;
  for (const pb::Mailbox& mailbox : listed.mailboxes()) {
    octets += mailbox.counts().size();
    bool is_ours = false;
    for (int i = 0; i < world_.mailboxes_each; ++i) {
      const int index = world_.InboxOf(account) + i;
      if (world_.mailboxes[index].name != mailbox.name()) continue;
      RMAIL_RETURN_IF_ERROR(CheckMailbox(index, sampler, mailbox));
      is_ours = true;
      ++checked;
    }
    if (!is_ours && mailbox.counts().messages() != 0) {
      world_.faults.Add(fmt::format("{} has messages", mailbox.path()));
    }
  }
  if (checked != world_.mailboxes_each) world_.faults.Add("mailboxes are lost");
  octets_ += octets;
  return CheckQuota(world_.accounts[account], octets);
}

absl::Status FinalCheck::CheckMailbox(int mailbox, const Sampler& sampler,
                                      const pb::Mailbox& listed) {
  pb::FetchMessagesRequest request;
  request.set_mailbox(world_.mailboxes[mailbox].name);
  request.set_internal_dates(true);
  request.set_sizes(true);
  request.add_sections();
  pb::UidRange* const all = request.add_uids();
  all->set_first(1);
  all->set_last(UINT32_MAX);
  std::map<uint32_t, Row> rows;
  std::map<uint32_t, std::string> texts;
  std::map<uint32_t, uint64_t> masks;
  RMAIL_RETURN_IF_ERROR(world_.store.Read(request, [&](const pb::FetchMessagesResponse& batch) {
    const pb::MessageColumns& columns = batch.columns();
    for (int i = 0; i < columns.uids_size(); ++i) {
      const uint32_t uid = columns.uids(i);
      masks[uid] = columns.flags(i);
      rows[uid] = {uid, FromMask(columns.flags(i), listed.keywords()), columns.internal_dates(i),
                   columns.sizes(i), 0};
    }
    for (const pb::SectionData& data : batch.sections()) texts[data.uid()] += data.data();
  }));
  uint64_t octets = 0;
  for (const auto& [uid, row] : rows) {
    octets += row.size;
    CheckMessage(mailbox, row, texts[uid]);
  }
  messages_ += rows.size();
  if (masks != sampler.copy(mailbox)) {
    Fault(mailbox, "a client that followed the changes knows something else");
  }
  if (listed.counts().messages() != rows.size() || listed.counts().size() != octets) {
    Fault(mailbox, fmt::format("{} messages of {} octets are counted as {} of {}", rows.size(),
                               octets, listed.counts().messages(), listed.counts().size()));
  }
  return CheckIndex(mailbox, rows.size());
}

void FinalCheck::CheckMessage(int mailbox, const Row& row, const std::string& text) {
  const auto found = expected_.find({mailbox, row.uid});
  const uint64_t id = IdOf(text).value_or(0);
  if (found == expected_.end()) {
    return Fault(mailbox, fmt::format("UID {} ({}) must not be there", row.uid, IdText(id)));
  }
  const Instance instance = found->second;
  expected_.erase(found);
  if (id != instance.id || text != MessageText(instance.id) || row.size != text.size()) {
    Fault(mailbox, fmt::format("UID {}: {} octets of {} instead of {}", row.uid, text.size(),
                               IdText(id), IdText(instance.id)));
  }
  if (world_.mailboxes[mailbox].ledger.IdAt(row.uid) != id) {
    Fault(mailbox, fmt::format("UID {} had another message", row.uid));
  }
  if (row.flags != instance.flags || (instance.date != 0 && row.date != instance.date)) {
    Fault(mailbox, fmt::format("UID {}: flags {:x}, date {}; must be {:x}, {}", row.uid, row.flags,
                               row.date, instance.flags, instance.date));
  }
}

absl::Status FinalCheck::CheckIndex(int mailbox, uint64_t messages) {
  RMAIL_ASSIGN_OR_RETURN(const pb::CheckResult checked, world_.CheckMailbox(mailbox));
  if (checked.indexed() != messages || checked.files() != messages) {
    Fault(mailbox, fmt::format("{} messages, {} in the index, {} files", messages,
                               checked.indexed(), checked.files()));
  }
  for (const uint32_t uid : world_.mailboxes[mailbox].ledger.ListedWithoutMessage()) {
    Fault(mailbox, fmt::format("UID {} was listed, but no message had it", uid));
  }
  return absl::OkStatus();
}

absl::Status FinalCheck::CheckQuota(const Account& account, uint64_t octets) {
  pb::GetQuotaRequest request;
  request.set_name(account.name);
  RMAIL_ASSIGN_OR_RETURN(const pb::GetQuotaResponse response, world_.store.Call(request));
  const uint64_t used = response.quota().used();
  if (used != octets) {
    world_.faults.Add(
        fmt::format("{}: {} octets are counted, {} are there", account.name, used, octets));
  }
  if (account.quota_mb != 0 && octets > account.quota_mb << 20) {
    world_.faults.Add(fmt::format("{}: {} octets are there", account.name, octets));
  }
  return absl::OkStatus();
}

void FinalCheck::Fault(int mailbox, const std::string& text) {
  world_.faults.Add(fmt::format("{}: {}", world_.mailboxes[mailbox].label, text));
}

}  // namespace rmail::kill
