// One account on disk: its settings, its mailboxes, its quota.
//
// Locks: `mutex_`, then the account's lock file (other processes), which is held while user.json is
// replaced. The registry of mailboxes and the annotations have their own. Neither is held while a
// mailbox is at work, nor while its lock or the account's Usage is waited for; while Usage is held,
// the registry may be. user.json and mailboxes.json are read again when they changed: an account
// costs one stat a call.
#ifndef RMAIL_STORE_ENGINE_ACCOUNT_H_
#define RMAIL_STORE_ENGINE_ACCOUNT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/engine/address.h"
#include "store/engine/background.h"
#include "store/engine/feed.h"
#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "store/engine/mailbox_list.h"
#include "store/engine/mailbox_registry.h"
#include "store/engine/metadata.h"
#include "store/engine/usage.h"
#include "store/engine/user_file.h"

namespace rmail::engine {

// What accounts share; all outlive them and their mailboxes.
struct AccountContext {
  Env* env;
  Feed* feed;
  GroupCommit* commits;
  // See MailboxContext.
  Background* background = nullptr;
};

// Thread-safe. Errors: ACCOUNT_NOT_FOUND when it was deleted meanwhile, and those of each call.
class Account {
 public:
  Account(AccountContext context, Address address, std::string directory);

  const Address& address() const { return address_; }

  // As user.json is now.
  absl::StatusOr<UserSettings> Settings();
  // Changes user.json.
  absl::StatusOr<UserSettings> UpdateSettings(const std::function<void(UserSettings&)>& change);

  // As mailboxes.json is now. The default mailboxes are made when there is none.
  absl::StatusOr<std::shared_ptr<const MailboxList>> Mailboxes();
  // MAILBOX_NOT_FOUND.
  absl::StatusOr<MailboxEntry> Entry(const std::string& id);
  // Makes a mailbox, and parents that are missing, and returns its id. INVALID_PATH,
  // MAILBOX_EXISTS.
  absl::StatusOr<std::string> CreateMailbox(std::string_view path, SpecialUse use);
  // Gives a mailbox and those below it another path; parents that are missing are made. INBOX, and
  // what is below it, stays; its messages move to a new mailbox of that path (RFC 9051, 6.3.6).
  // Returns the id of the mailbox that has the path now. MAILBOX_NOT_FOUND, MAILBOX_EXISTS,
  // INVALID_PATH, also for a path below the mailbox itself. When the messages of INBOX can't all be
  // moved, the new mailbox stays, with those that were.
  absl::StatusOr<std::string> RenameMailbox(const std::string& id, std::string_view path);
  // Deletes a mailbox and its messages, and those below it if `with_children`. MAILBOX_NOT_FOUND,
  // INVALID_PATH for INBOX. Open Mailbox objects answer MAILBOX_NOT_FOUND from then on.
  absl::Status DeleteMailbox(const std::string& id, bool with_children);
  // MAILBOX_NOT_FOUND.
  absl::Status SetSubscription(const std::string& id, bool subscribed);
  // The same by path; also for one that no mailbox has any more. MAILBOX_NOT_FOUND for a path that
  // has neither mailbox nor subscription.
  absl::Status SetPathSubscription(std::string_view path, bool subscribed);

  // Annotations of a mailbox, or of the account (empty). MAILBOX_NOT_FOUND.
  absl::StatusOr<Annotations> ReadMetadata(const std::string& mailbox_id);
  // Sets and removes annotations, all or none; see ChangeMetadata. MAILBOX_NOT_FOUND.
  absl::Status SetMetadata(const std::string& mailbox_id,
                           const std::vector<MetadataChange>& changes);

  // Looks whether mailboxes, subscriptions or annotations changed, here or in another process, and
  // announces it in the feed under the account's name. ACCOUNT_NOT_FOUND.
  absl::Status Poll();
  // A number that grows with each such change while this object lives; at least 1.
  absl::StatusOr<uint64_t> ChangeNumber();

  // MAILBOX_NOT_FOUND.
  absl::StatusOr<std::shared_ptr<Mailbox>> OpenMailbox(const std::string& id);
  absl::StatusOr<std::shared_ptr<Mailbox>> OpenInbox();

  // A mask of flags given by name. `create`: keywords that are new get a bit (TOO_MANY_KEYWORDS
  // when none is left); else they are left out. INVALID_REQUEST for a name that is no keyword.
  absl::StatusOr<uint64_t> FlagsMask(const std::string& mailbox_id, const store::v1::FlagSet& flags,
                                     bool create);

  // Mailbox::Copy and Mailbox::Move between two of its mailboxes, or within one. Keywords keep
  // their names: those that the target does not know get a bit there. When none is left the message
  // goes without the keyword: RFC 9051, 6.4.7 asks to preserve flags where that is possible, and a
  // message that can't be put in the trash is worse than one that lost a keyword there.
  // MAILBOX_NOT_FOUND for either mailbox, OVER_QUOTA for a copy.
  absl::StatusOr<Mailbox::TransferResult> CopyMessages(const std::string& source_id,
                                                       const std::vector<UidSpan>& spans,
                                                       const std::string& target_id);
  absl::StatusOr<Mailbox::TransferResult> MoveMessages(const std::string& source_id,
                                                       const std::vector<UidSpan>& spans,
                                                       const std::string& target_id);

  struct QuotaState {
    uint64_t used = 0;   // octets
    uint64_t limit = 0;  // octets; 0: none
  };
  absl::StatusOr<QuotaState> Quota();
  // The limit alone, as Mailbox::AppendOptions wants it.
  absl::StatusOr<uint64_t> QuotaLimit();
  // OVER_QUOTA when a message of that size would not fit now. Early and without a promise, so that
  // nobody sends what won't fit: Mailbox::Append decides.
  absl::Status CheckRoom(uint64_t size);

 private:
  absl::Status LoadSettings() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // ACCOUNT_NOT_FOUND for a NotFound without a reason.
  absl::Status Gone(const absl::Status& status) const;
  absl::Status ChangeMailboxes(const std::function<absl::Status(MailboxList&)>& change);

  // account_mailboxes.cc
  absl::Status AddParents(MailboxList& list, const std::string& path);
  absl::StatusOr<std::string> RenameInbox(const std::string& id, const std::string& path);
  // Deletes those of `ids` that are `named`, which has to be there, or below it.
  absl::Status DeleteTogether(const std::string& named, std::vector<std::string> ids);

  // account_metadata.cc
  // Removes annotations of mailboxes that are gone.
  void ForgetMetadata();
  absl::StatusOr<bool> LookForChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(watch_mutex_);

  // account_messages.cc
  struct TransferPlan {
    std::shared_ptr<Mailbox> source;
    std::shared_ptr<Mailbox> target;
    Mailbox::TransferOptions options;
  };
  absl::StatusOr<TransferPlan> PlanTransfer(const std::string& source_id,
                                            const std::vector<UidSpan>& spans,
                                            const std::string& target_id);

  const AccountContext context_;
  const Address address_;
  const std::string directory_;
  // Shared with the mailboxes, which may outlive the account.
  const std::shared_ptr<Usage> usage_;
  MailboxRegistry registry_;
  Metadata metadata_;

  Mutex mutex_;
  FileInfo settings_info_ ABSL_GUARDED_BY(mutex_);
  UserSettings settings_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::shared_ptr<Mailbox>> open_ ABSL_GUARDED_BY(mutex_);

  // Innermost.
  Mutex watch_mutex_;
  uint64_t change_number_ ABSL_GUARDED_BY(watch_mutex_) = 1;
  // mailboxes.json and metadata.json as they were then; zeroes: not there.
  FileInfo seen_list_ ABSL_GUARDED_BY(watch_mutex_);
  FileInfo seen_metadata_ ABSL_GUARDED_BY(watch_mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_ACCOUNT_H_
