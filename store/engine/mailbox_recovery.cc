// The part of MailboxRegistry for what should not happen: mailboxes.json lost or damaged, folders
// without an entry, deletions half done. No folder with mail is ever left out of the list.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/address.h"
#include "store/engine/index_files.h"
#include "store/engine/lock_file.h"
#include "store/engine/mailbox_folders.h"
#include "store/engine/mailbox_registry.h"

namespace rmail::engine {

absl::StatusOr<MailboxList> MailboxRegistry::ReadOrRebuild(std::string* text) {
  const absl::StatusOr<std::string> read = env_->ReadFile(ListPath());
  if (absl::IsNotFound(read.status())) return Rebuild();
  absl::Status why = read.status();
  if (read.ok()) {
    absl::StatusOr<MailboxList> list = ParseMailboxList(*read);
    if (list.ok()) {
      *text = *read;
      return list;
    }
    why = list.status();
    if (absl::IsFailedPrecondition(why)) {
      return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, FromAbsl(why.message()));
    }
  } else if (!absl::IsResourceExhausted(why)) {
    // It may be readable the next time. (Resource exhausted: too large to be one.)
    return why;
  }
  LogError("{}: {}; it is kept as {}.damaged", directory_, FromAbsl(why.message()), kListFile);
  RMAIL_RETURN_IF_ERROR(env_->Rename(ListPath(), ListPath() + ".damaged"));
  return Rebuild();
}

absl::StatusOr<MailboxList> MailboxRegistry::Rebuild() const {
  MailboxList list;
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> ids, ListMailboxFolders(env_, directory_));
  RMAIL_RETURN_IF_ERROR(Adopt(ids, list));
  if (!ids.empty()) {
    LogWarning("{}: {} was made anew; it has {} mailboxes", directory_, kListFile, ids.size());
  }
  return list;
}

absl::StatusOr<std::optional<MailboxDescription>> MailboxRegistry::ReadDescription(
    const std::string& id) const {
  const absl::StatusOr<std::string> text =
      env_->ReadFile(JoinPath(Directory(id), kDescriptionFile));
  if (absl::IsNotFound(text.status())) return std::nullopt;
  RMAIL_RETURN_IF_ERROR(text.status());
  absl::StatusOr<MailboxDescription> description = ParseMailboxDescription(*text);
  if (absl::IsDataLoss(description.status())) return std::nullopt;
  RMAIL_RETURN_IF_ERROR(description.status());
  return *std::move(description);
}

absl::Status MailboxRegistry::Adopt(const std::vector<std::string>& ids, MailboxList& list) const {
  std::vector<std::pair<std::string, MailboxEntry>> found;
  for (const std::string& id : ids) {
    RMAIL_ASSIGN_OR_RETURN(std::optional<MailboxDescription> description, ReadDescription(id));
    if (!description) {
      LogError("{}: its name is lost; the mailbox is now {}", Directory(id), RecoveredPath(id));
      list.described = false;
      MailboxEntry entry;
      entry.subscribed = true;
      // A bit that messages have must not get another meaning.
      const size_t keywords = std::min(KeywordsInUse(env_, Directory(id)), MaxOwnKeywords());
      for (size_t i = 0; i < keywords; ++i) {
        entry.keywords.push_back(fmt::format("recovered-{}", i));
      }
      found.emplace_back(id, std::move(entry));
      continue;
    }
    list.last_uid_validity = std::max(list.last_uid_validity, description->last_uid_validity);
    found.emplace_back(id, std::move(description->entry));
  }
  // Of two with one path, the newer keeps it; and nothing that is known is taken by what is not.
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.second.uid_validity > b.second.uid_validity;
  });
  for (auto& [id, entry] : found) RMAIL_RETURN_IF_ERROR(AdoptEntry(id, std::move(entry), list));
  return absl::OkStatus();
}

absl::Status MailboxRegistry::AdoptEntry(const std::string& id, MailboxEntry entry,
                                         MailboxList& list) {
  const absl::StatusOr<std::string> canonical = CanonicalPath(entry.path);
  if (!canonical.ok() || *canonical != entry.path || list.FindPath(entry.path) != nullptr) {
    list.described = false;  // Its mailbox.json is written again, like the others.
    entry.path = RecoveredPath(id);
    while (list.FindPath(entry.path) != nullptr) entry.path += "+";
  }
  const bool taken = std::any_of(
      list.mailboxes.begin(), list.mailboxes.end(),
      [&](const auto& other) { return other.second.uid_validity == entry.uid_validity; });
  if (taken || entry.uid_validity == 0) {
    list.described = false;
    RMAIL_ASSIGN_OR_RETURN(entry.uid_validity,
                           list.NextUidValidity(absl::ToUnixSeconds(absl::Now())));
  }
  list.mailboxes.emplace(id, std::move(entry));
  return absl::OkStatus();
}

absl::StatusOr<bool> MailboxRegistry::Tidy(Leftovers* leftovers) {
  const absl::StatusOr<std::vector<std::string>> names = env_->List(FoldersPath(directory_));
  if (absl::IsNotFound(names.status())) return true;
  RMAIL_RETURN_IF_ERROR(names.status());
  bool strays = false;
  for (const std::string& name : *names) {
    if (const std::optional<std::string> id = DoomedId(name)) {
      leftovers->hidden.push_back(*id);
    } else if (list_->deleted.contains(name)) {
      leftovers->deleted.push_back(name);
    } else if (IsMailboxId(name) && !list_->mailboxes.contains(name)) {
      strays = true;
    }
  }
  if (!strays) return true;
  return AdoptStrays();
}

absl::StatusOr<bool> MailboxRegistry::AdoptStrays() {
  bool all = true;
  RMAIL_RETURN_IF_ERROR(ChangeLocked([&](MailboxList& list) -> absl::Status {
    // Anew: under the lock nobody is just making one.
    RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                           ListMailboxFolders(env_, directory_));
    std::vector<std::string> strays;
    for (const std::string& id : ids) {
      if (list.mailboxes.contains(id) || list.deleted.contains(id)) continue;
      const bool has_mail = HasMail(env_, Directory(id));
      const absl::Status status =
          has_mail ? ReadDescription(id).status() : env_->RemoveRecursively(Directory(id));
      if (!status.ok()) {
        // It must not keep the account's other mail from anyone.
        LogError("{} is in no list and stays so for now: {}", Directory(id),
                 FromAbsl(status.message()));
        all = false;
      } else if (has_mail) {
        LogWarning("{} is in no list; it has mail and is taken into {}", Directory(id), kListFile);
        strays.push_back(id);
      }
    }
    return Adopt(strays, list);
  }));
  return all;
}

absl::Status MailboxRegistry::ForgetRemoved(MailboxList& list) const {
  std::vector<std::string> removed;
  for (const std::string& id : list.deleted) {
    if (absl::IsNotFound(env_->Stat(Directory(id)).status())) removed.push_back(id);
  }
  if (removed.empty()) return absl::OkStatus();
  // Gone for good: without a note of its deletion, a folder that came back would be adopted.
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(FoldersPath(directory_)));
  for (const std::string& id : removed) list.deleted.erase(id);
  return absl::OkStatus();
}

absl::Status MailboxRegistry::HideFolder(const std::string& id) const {
  const std::string doomed = JoinPath(FoldersPath(directory_), DoomedName(id));
  absl::Status renamed = env_->Rename(Directory(id), doomed);
  if (absl::IsNotFound(renamed)) return absl::OkStatus();
  if (!renamed.ok()) {
    // Somebody, knowing no better, made the folder a second time.
    RMAIL_RETURN_IF_ERROR(env_->RemoveRecursively(doomed));
    renamed = env_->Rename(Directory(id), doomed);
  }
  RMAIL_RETURN_IF_ERROR(renamed);
  // Whoever has these two open sees by their link counts that the mailbox is gone.
  for (const char* name : {kLockFile, kLogName}) {
    const absl::Status removed = env_->Remove(JoinPath(doomed, name));
    if (!absl::IsNotFound(removed)) RMAIL_RETURN_IF_ERROR(removed);
  }
  // Not synced: a folder that comes back is noted as deleted until ForgetRemoved has synced.
  return absl::OkStatus();
}

absl::Status MailboxRegistry::HideDeleted(const std::string& id) const {
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<LockFile> mailbox_file,
                         LockFile::Open(env_, Directory(id)));
  RMAIL_ASSIGN_OR_RETURN(const FileLock mailbox_lock, mailbox_file->Acquire());
  // Looked at once more: it may be another list by now, from a copy say.
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, OpenAccountLock(env_, directory_));
  RMAIL_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(file.get()));
  RMAIL_ASSIGN_OR_RETURN(const std::string text, env_->ReadFile(ListPath()));
  RMAIL_ASSIGN_OR_RETURN(const MailboxList list, ParseMailboxList(text));
  if (!list.deleted.contains(id) || list.mailboxes.contains(id)) return absl::OkStatus();
  return HideFolder(id);
}

void MailboxRegistry::RemoveFolder(const std::string& id) const {
  if (env_->Stat(Directory(id)).ok()) {
    // Its deletion was noted, but not begun.
    const absl::Status hidden = HideDeleted(id);
    // Not found: another process was first.
    if (!hidden.ok() && !absl::IsNotFound(hidden)) {
      LogWarning("{} is deleted, but can't be removed yet: {}", Directory(id),
                 FromAbsl(hidden.message()));
      return;
    }
  }
  RemoveHidden(id);
}

void MailboxRegistry::RemoveHidden(const std::string& id) const {
  const std::string path = JoinPath(FoldersPath(directory_), DoomedName(id));
  const absl::Status removed = env_->RemoveRecursively(path);
  if (!removed.ok() && !absl::IsNotFound(removed)) {
    LogWarning("{} can't be removed yet: {}", path, FromAbsl(removed.message()));
  }
}

void MailboxRegistry::RemoveLater(Leftovers leftovers) const {
  if (leftovers.hidden.empty() && leftovers.deleted.empty()) return;
  // Not `this`: the account may be forgotten meanwhile.
  const auto remove = [env = env_, directory = directory_, leftovers = std::move(leftovers)] {
    const MailboxRegistry registry(env, directory);
    for (const std::string& id : leftovers.hidden) registry.RemoveHidden(id);
    for (const std::string& id : leftovers.deleted) registry.RemoveFolder(id);
  };
  if (background_ == nullptr) {
    remove();
  } else {
    background_->Run(remove);
  }
}

absl::StatusOr<uint64_t> MailboxRegistry::ReadSize(Env* env, const std::string& directory) {
  MailboxList list;
  const absl::StatusOr<std::string> text = env->ReadFile(JoinPath(directory, kListFile));
  if (text.ok()) list = ParseMailboxList(*text).value_or(MailboxList());
  RMAIL_ASSIGN_OR_RETURN(const std::vector<std::string> ids, ListMailboxFolders(env, directory));
  uint64_t size = 0;
  for (const std::string& id : ids) {
    if (list.deleted.contains(id)) continue;
    RMAIL_ASSIGN_OR_RETURN(const uint64_t mailbox,
                           ReadMailboxSize(env, JoinPath(FoldersPath(directory), id)));
    size += mailbox;
  }
  return size;
}

}  // namespace rmail::engine
