// One account on disk: its settings, its mailboxes, its quota.
//
// Locks: `mutex_`, then the account's lock file (other processes), which is held while user.json or
// mailboxes.json is replaced. Both files are read again when they changed: an account costs one
// stat a call.
#ifndef RMAIL_STORE_ENGINE_ACCOUNT_H_
#define RMAIL_STORE_ENGINE_ACCOUNT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/address.h"
#include "store/engine/feed.h"
#include "store/engine/mailbox.h"
#include "store/engine/mailbox_list.h"
#include "store/engine/user_file.h"

namespace rmail::engine {

// Thread-safe. Errors: ACCOUNT_NOT_FOUND when it was deleted meanwhile, and those of each call.
class Account {
 public:
  // `env` and `feed` outlive it.
  Account(Env* env, Feed* feed, Address address, std::string directory);

  const Address& address() const { return address_; }

  // As user.json is now.
  absl::StatusOr<UserSettings> Settings();
  // Changes user.json.
  absl::StatusOr<UserSettings> UpdateSettings(const std::function<void(UserSettings&)>& change);

  // As mailboxes.json is now. The default mailboxes are made when there is none.
  absl::StatusOr<std::shared_ptr<const MailboxList>> Mailboxes();
  // Makes a mailbox, and parents that are missing, and returns its id. INVALID_PATH,
  // MAILBOX_EXISTS.
  absl::StatusOr<std::string> CreateMailbox(std::string_view path, SpecialUse use);
  // MAILBOX_NOT_FOUND.
  absl::StatusOr<std::shared_ptr<Mailbox>> OpenMailbox(const std::string& id);
  absl::StatusOr<std::shared_ptr<Mailbox>> OpenInbox();

  // A mask of flags given by name. `create`: keywords that are new get a bit (TOO_MANY_KEYWORDS
  // when none is left); else they are left out. INVALID_REQUEST for a name that is no keyword.
  absl::StatusOr<uint64_t> FlagsMask(const std::string& mailbox_id, const store::v1::FlagSet& flags,
                                     bool create);

  // Room in the quota for a message that is on its way in; given back when it is destroyed (the
  // message then counts itself).
  class Reservation {
   public:
    Reservation(Account* account, uint64_t size) : account_(account), size_(size) {}
    Reservation(Reservation&& other) noexcept : account_(other.account_), size_(other.size_) {
      other.account_ = nullptr;
    }
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation();

   private:
    Account* account_;
    uint64_t size_;
  };
  // OVER_QUOTA.
  absl::StatusOr<Reservation> Reserve(uint64_t size);

 private:
  absl::Status LoadSettings() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadMailboxes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::unique_ptr<File>> OpenLockFile();
  // Changes mailboxes.json under the lock file.
  absl::Status ChangeMailboxes(const std::function<absl::Status(MailboxList&)>& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::string> AddMailbox(MailboxList& list, const std::string& path,
                                         SpecialUse use);
  absl::Status AddDefaults(MailboxList& list);
  absl::StatusOr<uint64_t> KeywordBits(const std::string& mailbox_id,
                                       const std::vector<std::string>& keywords, bool create)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string MailboxDirectory(const std::string& id) const;

  Env* const env_;
  Feed* const feed_;
  const Address address_;
  const std::string directory_;

  Mutex mutex_;
  FileInfo settings_info_ ABSL_GUARDED_BY(mutex_);
  UserSettings settings_ ABSL_GUARDED_BY(mutex_);
  FileInfo mailboxes_info_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const MailboxList> mailboxes_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::shared_ptr<Mailbox>> open_ ABSL_GUARDED_BY(mutex_);

  // Serializes Reserve, so that two callers cannot take the same room.
  Mutex quota_mutex_;
  uint64_t reserved_ ABSL_GUARDED_BY(quota_mutex_) = 0;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ACCOUNT_H_
