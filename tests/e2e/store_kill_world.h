// What the threads of the kill test share: accounts and mailboxes, what was learnt about each UID,
// and what is wrong.
#ifndef RMAIL_TESTS_E2E_STORE_KILL_WORLD_H_
#define RMAIL_TESTS_E2E_STORE_KILL_WORLD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/config/config.h"
#include "store/base/mutex.h"
#include "tests/e2e/store_kill_messages.h"
#include "tests/e2e/store_kill_store.h"

namespace rmail::kill {

enum class Kind { kDeliver, kAppend, kFlags, kCopy, kMove, kExpunge };
inline constexpr std::array<std::string_view, 6> kKindNames = {"deliver", "append", "flags",
                                                               "copy",    "move",   "expunge"};

// How calls of one kind ended.
struct CallCounts {
  std::atomic<uint64_t> acknowledged = 0;
  std::atomic<uint64_t> unknown = 0;
  std::atomic<uint64_t> refused = 0;  // over quota; of deliveries, recipients
};

// Counted and told at once. Thread-safe.
class Faults {
 public:
  void Add(const std::string& text);
  uint64_t count() const { return count_; }

 private:
  Mutex mutex_;  // A line at a time.
  std::atomic<uint64_t> count_ = 0;
};

// What is known of a mailbox at some moment.
struct Mark {
  uint32_t uid = 0;     // the highest that was told
  uint64_t modseq = 0;  // the same
};

// What one mailbox told over time. Thread-safe.
class Ledger {
 public:
  Ledger(std::string label, Faults* faults) : label_(std::move(label)), faults_(*faults) {}

  Mark Now() const;
  // The UID stands in a listing: a message must turn out to have, or have had, it.
  void ListedUid(uint32_t uid);
  // UIDs that were listed and no message had.
  std::vector<uint32_t> ListedWithoutMessage() const;
  // A message has, or had, this UID.
  void SawUid(uint32_t uid, uint64_t id);
  // A UID that was given by a call that began at `before`.
  void GaveUid(uint32_t uid, uint64_t id, Mark before);
  // A modseq that was told.
  void SawModseq(uint64_t modseq);
  // The modseq of a change, by a call that began at `before`.
  void GaveModseq(uint64_t modseq, Mark before);
  // 0 when nobody had the UID.
  uint64_t IdAt(uint32_t uid) const;
  size_t uids() const;

 private:
  const std::string label_;
  Faults& faults_;
  mutable Mutex mutex_;
  std::map<uint32_t, uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
  std::set<uint32_t> listed_ ABSL_GUARDED_BY(mutex_);
  uint64_t modseq_ ABSL_GUARDED_BY(mutex_) = 0;
};

struct Account {
  std::string name;       // accounts/{user@domain}
  uint64_t quota_mb = 0;  // 0: more than the test needs
};

struct MailboxRef {
  MailboxRef(int account_index, std::string mailbox_name, std::string text, Faults* faults)
      : account(account_index), name(std::move(mailbox_name)), label(text), ledger(text, faults) {}

  const int account;  // index into World::accounts
  const std::string name;
  const std::string label;
  Ledger ledger;
};

// A message as the store shows it.
struct Row {
  uint32_t uid = 0;
  Flags flags = 0;
  int64_t date = 0;
  uint64_t size = 0;
  uint64_t id = 0;  // 0: no message of the test
};

class World {
 public:
  explicit World(const config::Config& config) : store(config) {}

  // Makes accounts and looks their mailboxes up.
  absl::Status SetUp();

  // An index into `mailboxes`; each account has as many, INBOX first.
  int InboxOf(int account) const { return account * mailboxes_each; }

  void Count(Kind kind, const absl::Status& status);

  // Until it is answered or the run is given up: reads may be repeated.
  template <typename Attempt>
  absl::Status Repeat(const Attempt& attempt) {
    while (true) {
      const absl::Status status = attempt();
      if (!IsLost(status) || given_up()) return status;
      if (!store.WaitUntilReachable()) return status;
    }
  }

  // The messages with these UIDs, ascending; what is read goes into the mailbox's ledger. Nobody
  // else changes them: what is listed can be read.
  absl::StatusOr<std::vector<Row>> ReadRows(int mailbox, const std::vector<uint32_t>& uids);
  // Those above a UID.
  absl::StatusOr<std::vector<Row>> ReadRowsAbove(int mailbox, uint32_t uid);

  // Lets the store compare a mailbox's index with its files; what differs is a fault.
  absl::StatusOr<store::v1::CheckResult> CheckMailbox(int mailbox);

  void Stop();
  void Resume();
  bool stopped() const;
  // True once stopped; false when the time is over.
  bool WaitForStop(absl::Duration time);
  // So many faults that more tell nothing.
  bool given_up() const { return faults.count() >= 20; }

  Store store;
  Faults faults;
  std::vector<Account> accounts;
  std::deque<MailboxRef> mailboxes;
  int mailboxes_each = 0;
  std::array<CallCounts, kKindNames.size()> calls;
  // Of messages that a lost call was about: whether it had been done.
  std::atomic<uint64_t> found_done = 0;
  std::atomic<uint64_t> found_undone = 0;

 private:
  absl::StatusOr<std::vector<Row>> Fetch(int mailbox,
                                         const store::v1::FetchMessagesRequest& request);
  // Their UIDs, from the index alone.
  absl::StatusOr<std::vector<uint32_t>> List(int mailbox,
                                             const store::v1::FetchMessagesRequest& uids);

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rmail::kill

#endif  // RMAIL_TESTS_E2E_STORE_KILL_WORLD_H_
