// The part of Account that makes, renames and deletes mailboxes.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/account.h"
#include "store/engine/lock_file.h"

namespace rmail::engine {
namespace {

// So many mailboxes are locked at once to be deleted: each has a file open meanwhile.
constexpr size_t kDeletedTogether = 64;

absl::Status NoMailbox(const std::string& id) {
  return Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, fmt::format("no mailbox {}", id));
}

absl::Status Exists(std::string_view path) {
  return Error(store::v1::ERROR_REASON_MAILBOX_EXISTS, fmt::format("there is a mailbox {}", path));
}

bool IsBelow(std::string_view path, std::string_view parent) {
  return path.size() > parent.size() && path.starts_with(parent) && path[parent.size()] == '/';
}

// Gives the mailbox and those below it their new paths.
absl::Status MovePaths(MailboxList& list, const std::string& id, const std::string& path) {
  const std::string old_path = list.mailboxes.at(id).path;
  std::vector<std::string> ids = list.Below(old_path);
  ids.push_back(id);
  std::vector<std::pair<std::string, std::string>> moves;  // id, new path
  for (const std::string& moved : ids) {
    std::string new_path = path + list.mailboxes.at(moved).path.substr(old_path.size());
    // A longer parent may make them too long.
    RMAIL_RETURN_IF_ERROR(CanonicalPath(new_path).status());
    const auto* const other = list.FindPath(new_path);
    // A path of one that moves as well will be free ("x/a/a" of "x/a" that becomes "x").
    if (other != nullptr && std::find(ids.begin(), ids.end(), other->first) == ids.end()) {
      return Exists(new_path);
    }
    moves.emplace_back(moved, std::move(new_path));
  }
  for (auto& [moved, new_path] : moves) list.mailboxes.at(moved).path = std::move(new_path);
  return absl::OkStatus();
}

}  // namespace

absl::Status Account::AddParents(MailboxList& list, const std::string& path) {
  for (size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    MailboxEntry parent;
    parent.path = path.substr(0, slash);
    if (list.FindPath(parent.path) != nullptr) continue;
    RMAIL_RETURN_IF_ERROR(registry_.Add(list, std::move(parent)).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Account::CreateMailbox(std::string_view path, SpecialUse use) {
  MailboxEntry entry;
  RMAIL_ASSIGN_OR_RETURN(entry.path, CanonicalPath(path));
  entry.special_use = use;
  std::string id;
  RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    if (list.FindPath(entry.path) != nullptr) return Exists(entry.path);
    RMAIL_RETURN_IF_ERROR(AddParents(list, entry.path));
    RMAIL_ASSIGN_OR_RETURN(id, registry_.Add(list, entry));
    return absl::OkStatus();
  }));
  return id;
}

absl::StatusOr<std::string> Account::RenameMailbox(const std::string& id, std::string_view path) {
  RMAIL_ASSIGN_OR_RETURN(const std::string canonical, CanonicalPath(path));
  RMAIL_ASSIGN_OR_RETURN(const MailboxEntry old, Entry(id));
  if (old.path == kInbox) return RenameInbox(id, canonical);
  RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    const auto found = list.mailboxes.find(id);
    if (found == list.mailboxes.end()) return NoMailbox(id);
    if (list.FindPath(canonical) != nullptr) return Exists(canonical);
    if (IsBelow(canonical, found->second.path)) {
      return Error(store::v1::ERROR_REASON_INVALID_PATH, "a mailbox can't be below itself");
    }
    // The UIDVALIDITY stays: none is given twice in an account, so path, UIDVALIDITY and UID never
    // mean two messages (RFC 9051, 2.3.1.1).
    RMAIL_RETURN_IF_ERROR(AddParents(list, canonical));
    return MovePaths(list, id, canonical);
  }));
  return id;
}

// The path may be below INBOX, which stays where it is.
absl::StatusOr<std::string> Account::RenameInbox(const std::string& inbox,
                                                 const std::string& path) {
  std::string id;
  RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    const auto found = list.mailboxes.find(inbox);
    if (found == list.mailboxes.end()) return NoMailbox(inbox);
    if (list.FindPath(path) != nullptr) return Exists(path);
    RMAIL_RETURN_IF_ERROR(AddParents(list, path));
    MailboxEntry entry;
    entry.path = path;
    entry.keywords = found->second.keywords;
    RMAIL_ASSIGN_OR_RETURN(id, registry_.Add(list, std::move(entry)));
    return absl::OkStatus();
  }));
  RMAIL_RETURN_IF_ERROR(MoveMessages(inbox, {{1, UINT32_MAX}}, id).status());
  return id;
}

absl::Status Account::SetSubscription(const std::string& id, bool subscribed) {
  return ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    const auto found = list.mailboxes.find(id);
    if (found == list.mailboxes.end()) return NoMailbox(id);
    found->second.subscribed = subscribed;
    return absl::OkStatus();
  });
}

absl::Status Account::SetPathSubscription(std::string_view path, bool subscribed) {
  const absl::Status missing =
      Error(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND, "no mailbox has this path");
  const absl::StatusOr<std::string> canonical = CanonicalPath(path);
  // What cannot be a path is nobody's.
  if (!canonical.ok()) return missing;
  return ChangeMailboxes([&](MailboxList& list) -> absl::Status {
    if (const auto* const found = list.FindPath(*canonical)) {
      list.mailboxes.at(found->first).subscribed = subscribed;
      return absl::OkStatus();
    }
    const auto known = list.subscribed_paths.find(*canonical);
    if (known == list.subscribed_paths.end()) return missing;
    if (!subscribed) list.subscribed_paths.erase(known);
    return absl::OkStatus();
  });
}

absl::Status Account::DeleteMailbox(const std::string& id, bool with_children) {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const MailboxList> list, Mailboxes());
  const auto found = list->mailboxes.find(id);
  if (found == list->mailboxes.end()) return NoMailbox(id);
  if (found->second.path == kInbox) {
    return Error(store::v1::ERROR_REASON_INVALID_PATH, "INBOX can't be deleted");
  }
  std::vector<std::string> ids;
  if (with_children) ids = list->Below(found->second.path);
  // From the deepest: a part that was deleted when the store dies is whole, and a second try ends
  // it.
  std::sort(ids.begin(), ids.end(), [&](const std::string& a, const std::string& b) {
    return list->mailboxes.at(a).path > list->mailboxes.at(b).path;
  });
  ids.push_back(id);
  for (size_t at = 0; at < ids.size(); at += kDeletedTogether) {
    const auto begin = ids.begin() + static_cast<ptrdiff_t>(at);
    const auto end =
        ids.begin() + static_cast<ptrdiff_t>(std::min(ids.size(), at + kDeletedTogether));
    RMAIL_RETURN_IF_ERROR(DeleteTogether(id, {begin, end}));
  }
  return absl::OkStatus();
}

absl::Status Account::DeleteTogether(const std::string& named, std::vector<std::string> ids) {
  // The order in which mailboxes are locked.
  std::sort(ids.begin(), ids.end());
  std::vector<std::string> deleted;
  {
    std::vector<std::unique_ptr<LockFile>> lock_files;
    std::vector<FileLock> locks;  // Last: they are given back before their files are closed.
    for (const std::string& id : ids) {
      absl::StatusOr<std::unique_ptr<LockFile>> lock_file =
          LockFile::Open(context_.env, registry_.Directory(id));
      absl::StatusOr<FileLock> lock = lock_file.ok() ? (*lock_file)->Acquire() : lock_file.status();
      // Its folder is gone: only its entry is left.
      if (absl::IsNotFound(lock.status())) continue;
      RMAIL_RETURN_IF_ERROR(lock.status());
      lock_files.push_back(*std::move(lock_file));
      locks.push_back(*std::move(lock));
    }
    // Under the mailboxes' locks nobody adds to what is taken off here.
    RMAIL_RETURN_IF_ERROR(Gone(usage_->UnknownStep([&]() -> absl::Status {
      RMAIL_RETURN_IF_ERROR(ChangeMailboxes([&](MailboxList& list) -> absl::Status {
        const auto top = list.mailboxes.find(named);
        if (top == list.mailboxes.end()) return NoMailbox(named);
        const std::string path = top->second.path;
        for (const std::string& id : ids) {
          // One that went elsewhere meanwhile is not meant.
          const auto found = list.mailboxes.find(id);
          if (found == list.mailboxes.end()) continue;
          if (id != named && !IsBelow(found->second.path, path)) continue;
          list.mailboxes.erase(found);
          list.deleted.insert(id);
          deleted.push_back(id);
        }
        return absl::OkStatus();
      }));
      for (const std::string& id : deleted) {
        // They are deleted; what is left is removed when the account is opened next.
        if (const absl::Status hidden = registry_.HideFolder(id); !hidden.ok()) {
          LogWarning("{}: {}", registry_.Directory(id), FromAbsl(hidden.message()));
        }
      }
      return absl::OkStatus();
    })));
  }
  for (const std::string& id : deleted) {
    {
      MutexLock lock(&mutex_);
      open_.erase(id);
    }
    context_.feed->Publish(MailboxName(address_.ToString(), id), 0);
    registry_.RemoveFolder(id);
  }
  ForgetMetadata();
  return absl::OkStatus();
}

}  // namespace rmail::engine
