#include "store/engine/mailbox_registry.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <exception>
#include <set>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/mailbox_folders.h"

namespace rmail::engine {
namespace {

constexpr size_t kMaxMailboxes = 1000;
// More than this are synced together, with the whole file system.
constexpr size_t kManyDescriptions = 8;
// Until a folder that could not be read is tried again.
constexpr absl::Duration kTidyPause = absl::Minutes(1);

struct DefaultMailbox {
  const char* path;
  SpecialUse use;
};
constexpr DefaultMailbox kDefaults[] = {
    {kInbox, store::v1::SPECIAL_USE_UNSPECIFIED}, {"Sent", store::v1::SPECIAL_USE_SENT},
    {"Drafts", store::v1::SPECIAL_USE_DRAFTS},    {"Trash", store::v1::SPECIAL_USE_TRASH},
    {"Junk", store::v1::SPECIAL_USE_JUNK},        {"Archive", store::v1::SPECIAL_USE_ARCHIVE},
};

}  // namespace

absl::StatusOr<std::unique_ptr<File>> OpenAccountLock(Env* env, const std::string& directory) {
  return env->Open(JoinPath(directory, kLockFile), Env::OpenMode::kCreate);
}

MailboxRegistry::MailboxRegistry(Env* env, std::string directory, Background* background)
    : env_(env), directory_(std::move(directory)), background_(background) {}

std::string MailboxRegistry::Directory(const std::string& id) const {
  return JoinPath(FoldersPath(directory_), id);
}

std::string MailboxRegistry::ListPath() const { return JoinPath(directory_, kListFile); }

absl::StatusOr<std::shared_ptr<const MailboxList>> MailboxRegistry::Current() {
  Leftovers leftovers;
  std::shared_ptr<const MailboxList> list;
  {
    MutexLock lock(&mutex_);
    RMAIL_RETURN_IF_ERROR(Load());
    const absl::Time now = absl::Now();
    if (now >= next_tidy_) {
      RMAIL_ASSIGN_OR_RETURN(const bool all, Tidy(&leftovers));
      next_tidy_ = all ? absl::InfiniteFuture() : now + kTidyPause;
    }
    list = list_;
  }
  RemoveLater(std::move(leftovers));
  return list;
}

absl::Status MailboxRegistry::Load() {
  const std::string path = ListPath();
  const absl::StatusOr<FileInfo> info = env_->Stat(path);
  if (!absl::IsNotFound(info.status())) {
    RMAIL_RETURN_IF_ERROR(info.status());
    if (list_ != nullptr && *info == info_) return absl::OkStatus();
    const absl::StatusOr<std::string> text = env_->ReadFile(path);
    absl::StatusOr<MailboxList> list = text.ok() ? ParseMailboxList(*text) : text.status();
    if (list.ok() && list->described && list->FindPath(kDefaults[0].path) != nullptr) {
      list_ = std::make_shared<const MailboxList>(*std::move(list));
      info_ = *info;
      return absl::OkStatus();
    }
  }
  // Missing, damaged or incomplete: under the lock it is put right.
  return ChangeLocked([](MailboxList&) { return absl::OkStatus(); });
}

absl::Status MailboxRegistry::Change(const std::function<absl::Status(MailboxList&)>& change) {
  // So that the list has what a process that died left behind, before it is changed.
  RMAIL_RETURN_IF_ERROR(Current().status());
  MutexLock lock(&mutex_);
  return ChangeLocked(change);
}

absl::Status MailboxRegistry::ChangeLocked(
    const std::function<absl::Status(MailboxList&)>& change) {
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> lock_file, OpenAccountLock(env_, directory_));
  RMAIL_ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Acquire(lock_file.get()));
  std::string text;
  RMAIL_ASSIGN_OR_RETURN(MailboxList list, ReadOrRebuild(&text));
  const MailboxList before = list;
  made_.clear();
  absl::Status status = AddDefaults(list);
  if (status.ok()) status = change(list);
  if (status.ok()) status = ForgetRemoved(list);
  if (status.ok()) list.KeepSubscriptions(before);
  if (status.ok()) status = Write(before, text, std::move(list));
  if (!status.ok()) {
    for (const std::string& id : made_) (void)env_->RemoveRecursively(Directory(id));
  }
  return status;
}

absl::Status MailboxRegistry::Write(const MailboxList& before, const std::string& text,
                                    MailboxList list) {
  RMAIL_RETURN_IF_ERROR(WriteDescriptions(before, list));
  list.described = true;
  const std::string changed = FormatMailboxList(list);
  // Whether or not it can be written and looked at: from here on it may be on disk.
  made_.clear();
  list_ = nullptr;
  if (changed != text) RMAIL_RETURN_IF_ERROR(env_->ReplaceFile(ListPath(), changed));
  RMAIL_ASSIGN_OR_RETURN(info_, env_->Stat(ListPath()));
  list_ = std::make_shared<const MailboxList>(std::move(list));
  return absl::OkStatus();
}

absl::Status MailboxRegistry::WriteDescriptions(const MailboxList& before,
                                                const MailboxList& list) const {
  std::set<std::string> ids;
  for (const auto& [id, entry] : list.mailboxes) {
    const auto old = before.mailboxes.find(id);
    const bool same = old != before.mailboxes.end() && old->second == entry;
    if (!same || !list.described) ids.insert(id);
  }
  // The highest UIDVALIDITY may have been that of a mailbox that is gone.
  const auto* const inbox = list.FindPath(kDefaults[0].path);
  if (inbox != nullptr && list.deleted != before.deleted) ids.insert(inbox->first);
  if (ids.size() > kManyDescriptions) return WriteManyDescriptions(ids, list);
  for (const std::string& id : ids) RMAIL_RETURN_IF_ERROR(WriteDescription(id, list));
  return absl::OkStatus();
}

// All are on disk before the first gets its name.
absl::Status MailboxRegistry::WriteManyDescriptions(const std::set<std::string>& ids,
                                                    const MailboxList& list) const {
  std::vector<std::string> paths;
  for (const std::string& id : ids) {
    const std::string path = JoinPath(Directory(id), kDescriptionFile);
    const MailboxDescription description{list.mailboxes.at(id), list.last_uid_validity};
    const std::string text = FormatMailboxDescription(description);
    absl::StatusOr<std::unique_ptr<File>> file = env_->Open(path + ".tmp", Env::OpenMode::kCreate);
    if (absl::IsNotFound(file.status())) continue;  // See WriteDescription.
    RMAIL_RETURN_IF_ERROR(file.status());
    RMAIL_RETURN_IF_ERROR((*file)->WriteAt(0, text));
    RMAIL_RETURN_IF_ERROR((*file)->Truncate(text.size()));
    paths.push_back(path);
  }
  RMAIL_RETURN_IF_ERROR(env_->SyncFileSystem(directory_));
  for (const std::string& path : paths) {
    RMAIL_RETURN_IF_ERROR(env_->Rename(path + ".tmp", path));
  }
  return env_->SyncFileSystem(directory_);
}

absl::Status MailboxRegistry::WriteDescription(const std::string& id,
                                               const MailboxList& list) const {
  const MailboxDescription description{list.mailboxes.at(id), list.last_uid_validity};
  const absl::Status written = env_->ReplaceFile(JoinPath(Directory(id), kDescriptionFile),
                                                 FormatMailboxDescription(description));
  // A folder that somebody removed by hand must not stop the others' changes.
  return absl::IsNotFound(written) ? absl::OkStatus() : written;
}

absl::Status MailboxRegistry::AddDefaults(MailboxList& list) {
  // An account without INBOX has just been made, perhaps by hand.
  if (list.FindPath(kDefaults[0].path) != nullptr) return absl::OkStatus();
  for (const DefaultMailbox& mailbox : kDefaults) {
    if (list.FindPath(mailbox.path) != nullptr) continue;
    MailboxEntry entry;
    entry.path = mailbox.path;
    entry.special_use = mailbox.use;
    entry.subscribed = true;
    RMAIL_RETURN_IF_ERROR(Add(list, std::move(entry)).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MailboxRegistry::NewId(const MailboxList& list) const {
  // 64 random bits: no id is ever given twice, whichever process gives it. What is there is looked
  // at all the same.
  while (true) {
    uint64_t random = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof(random)) != 1) {
      std::terminate();
    }
    std::string id = fmt::format("{:016x}", random);
    if (list.mailboxes.contains(id) || list.deleted.contains(id)) continue;
    const absl::Status found = env_->Stat(Directory(id)).status();
    if (absl::IsNotFound(found)) return id;
    RMAIL_RETURN_IF_ERROR(found);
  }
}

absl::StatusOr<std::string> MailboxRegistry::Add(MailboxList& list, MailboxEntry entry) {
  mutex_.AssertHeld();
  if (list.mailboxes.size() >= kMaxMailboxes) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "an account has 1,000 mailboxes at most");
  }
  RMAIL_ASSIGN_OR_RETURN(entry.uid_validity,
                         list.NextUidValidity(absl::ToUnixSeconds(absl::Now())));
  RMAIL_ASSIGN_OR_RETURN(std::string id, NewId(list));
  // The folder comes first: an entry in the list always has one. Its mailbox.json follows in Write.
  made_.push_back(id);
  // One by one: the account's own folder is not made anew when it is gone.
  for (const std::string& path :
       {FoldersPath(directory_), Directory(id), JoinPath(Directory(id), "tmp")}) {
    RMAIL_RETURN_IF_ERROR(env_->CreateDirectory(path));
  }
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(FoldersPath(directory_)));
  RMAIL_RETURN_IF_ERROR(env_->SyncDirectory(directory_));
  list.mailboxes.emplace(id, std::move(entry));
  return id;
}

}  // namespace rmail::engine
