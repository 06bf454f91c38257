// Which mailboxes an account has, on disk: mailboxes.json, which is what counts, and a mailbox.json
// in each mailbox's folder, from which mailboxes.json is made anew when it is missing or damaged.
//
// Locks: `mutex_`, then the account's lock file (other processes), held while mailboxes.json is
// replaced. Folders are removed after both are released.
//
// The order of a change is: folders and mailbox.json of what is new or other, then mailboxes.json,
// then the folders of what is gone. So an entry always has its folder, and a process that dies in
// between leaves a folder without an entry. Whoever opens the account next removes it when it has
// no mail or its deletion was noted, and takes it into the list otherwise.
#ifndef RMAIL_STORE_ENGINE_MAILBOX_REGISTRY_H_
#define RMAIL_STORE_ENGINE_MAILBOX_REGISTRY_H_

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/background.h"
#include "store/engine/mailbox_list.h"

namespace rmail::engine {

// The file that is locked while user.json or mailboxes.json is replaced. NotFound without a reason
// when the account's folder is gone.
absl::StatusOr<std::unique_ptr<File>> OpenAccountLock(Env* env, const std::string& directory);

// Thread-safe. Errors: NotFound without a reason when the account's folder is gone; CORRUPT_MAILBOX
// when mailboxes.json is of a later version.
class MailboxRegistry {
 public:
  // `env` outlives it; `directory` is the account's folder. With `background`, which outlives it,
  // the folders that a process left behind are removed there; else by the first call.
  MailboxRegistry(Env* env, std::string directory, Background* background = nullptr);

  // mailboxes.json as it is now. Costs one stat when it has not changed. The default mailboxes are
  // made when there is no INBOX.
  absl::StatusOr<std::shared_ptr<const MailboxList>> Current();

  // Changes mailboxes.json; durable when it returns. An error of `change` changes nothing. A
  // mailbox that `change` removes must be in `MailboxList::deleted` then; its folder is left to
  // HideFolder and RemoveFolder. `change` must not call the registry but for Add.
  absl::Status Change(const std::function<absl::Status(MailboxList&)>& change);

  // For use in `change`: adds a mailbox with its folder and returns its id. INVALID_REQUEST when
  // there are too many.
  absl::StatusOr<std::string> Add(MailboxList& list, MailboxEntry entry);

  // Gives the folder of a mailbox that was deleted a name that is nobody's. The caller holds the
  // mailbox's lock: whoever gets it next, in any process, sees that the mailbox is gone.
  absl::Status HideFolder(const std::string& id) const;
  // Removes the folder of a mailbox that was deleted; no lock of the mailbox may be held. What
  // can't be done now is done when the account is opened next.
  void RemoveFolder(const std::string& id) const;

  // The mailbox's folder.
  std::string Directory(const std::string& id) const;

  // What all mailboxes' messages take, in octets, by what is on disk; also of folders that are in
  // no list yet. Takes no lock.
  static absl::StatusOr<uint64_t> ReadSize(Env* env, const std::string& directory);

 private:
  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ChangeLocked(const std::function<absl::Status(MailboxList&)>& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The rest of this section is called with the lock file held.
  absl::Status Write(const MailboxList& before, const std::string& text, MailboxList list)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `text` is what mailboxes.json has; empty when it is missing.
  absl::StatusOr<MailboxList> ReadOrRebuild(std::string* text);
  absl::StatusOr<MailboxList> Rebuild() const;
  absl::Status WriteDescription(const std::string& id, const MailboxList& list) const;
  absl::Status WriteDescriptions(const MailboxList& before, const MailboxList& list) const;
  absl::Status WriteManyDescriptions(const std::set<std::string>& ids,
                                     const MailboxList& list) const;
  absl::Status AddDefaults(MailboxList& list);
  absl::StatusOr<std::string> NewId(const MailboxList& list) const;
  absl::Status ForgetRemoved(MailboxList& list) const;

  // Folders to be removed, by id.
  struct Leftovers {
    // Those with a name that is nobody's.
    std::vector<std::string> hidden;
    // Those of mailboxes whose deletion was noted.
    std::vector<std::string> deleted;
  };
  void RemoveLater(Leftovers leftovers) const;
  void RemoveHidden(const std::string& id) const;
  absl::Status HideDeleted(const std::string& id) const;

  // What a process that died left behind. False when a folder could not be read: it is left out.
  absl::StatusOr<bool> Tidy(Leftovers* leftovers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<bool> AdoptStrays() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes folders without an entry into the list.
  absl::Status Adopt(const std::vector<std::string>& ids, MailboxList& list) const;
  static absl::Status AdoptEntry(const std::string& id, MailboxEntry entry, MailboxList& list);
  // What the folder's mailbox.json says; nullopt when it is missing or damaged.
  absl::StatusOr<std::optional<MailboxDescription>> ReadDescription(const std::string& id) const;
  std::string ListPath() const;

  Env* const env_;
  const std::string directory_;
  Background* const background_;

  Mutex mutex_;
  absl::Time next_tidy_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  FileInfo info_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const MailboxList> list_ ABSL_GUARDED_BY(mutex_);
  // Folders that the change under way has made.
  std::vector<std::string> made_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_REGISTRY_H_
