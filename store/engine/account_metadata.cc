// The part of Account for annotations, and for those who watch the account.
#include <fmt/format.h>

#include <utility>

#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/account.h"
#include "store/engine/mailbox_folders.h"

namespace rmail::engine {
namespace {

absl::Status CheckMailbox(const MailboxList& list, const std::string& id) {
  if (id.empty() || list.mailboxes.contains(id)) return absl::OkStatus();
  return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, fmt::format("no mailbox {}", id));
}

}  // namespace

absl::StatusOr<Annotations> Account::ReadMetadata(const std::string& mailbox_id) {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MailboxList> list, Mailboxes());
  RMAIL_RETURN_IF_ERROR(CheckMailbox(*list, mailbox_id));
  return metadata_.Read(mailbox_id);
}

absl::Status Account::SetMetadata(const std::string& mailbox_id,
                                  const std::vector<MetadataChange>& changes) {
  // As a change of the list that changes nothing: while it holds, no mailbox comes or goes.
  return ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    RMAIL_RETURN_IF_ERROR(CheckMailbox(list, mailbox_id));
    return metadata_.Change(mailbox_id, changes, list);
  });
}

void Account::ForgetMetadata() {
  if (!context_.env->Stat(JoinPath(directory_, kMetadataFile)).ok()) return;
  // A change of nothing removes what is of no mailbox. What can't be done now is done with the
  // next.
  if (const absl::Status forgotten = SetMetadata("", {}); !forgotten.ok()) {
    LogWarning("{}: annotations of a deleted mailbox stay for now: {}", directory_,
               FromAbsl(forgotten.message()));
  }
}

absl::Status Account::Poll() {
  uint64_t number = 0;
  {
    MutexLock lock(&watch_mutex_);
    RMAIL_ASSIGN_OR_RETURN(const bool changed, LookForChanges());
    if (!changed) return absl::OkStatus();
    number = change_number_;
  }
  context_.feed->Publish(AccountName(address_.ToString()), number);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Account::ChangeNumber() {
  // Others may be watching: whatever is found here is told to them too.
  RMAIL_RETURN_IF_ERROR(Poll());
  MutexLock lock(&watch_mutex_);
  return change_number_;
}

absl::StatusOr<bool> Account::LookForChanges() {
  // Nothing counts as seen before all is: a change that an error hides is found by the next look.
  FileInfo now[2];
  for (const auto& [name, file] :
       {std::pair(kListFile, &now[0]), std::pair(kMetadataFile, &now[1])}) {
    const absl::StatusOr<FileInfo> info = context_.env->Stat(JoinPath(directory_, name));
    if (!info.ok() && !absl::IsNotFound(info.status())) return info.status();
    *file = info.value_or(FileInfo());
  }
  // An account has a list but for a moment.
  if (now[0] == FileInfo()) {
    RMAIL_RETURN_IF_ERROR(Gone(context_.env->Stat(directory_).status()));
  }
  const bool changed = !(now[0] == seen_list_ && now[1] == seen_metadata_);
  seen_list_ = now[0];
  seen_metadata_ = now[1];
  if (changed) ++change_number_;
  return changed;
}

}  // namespace rmail::engine
