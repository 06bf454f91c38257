// A client of the kill test that follows all mailboxes by SyncMailbox, as a mail client does that
// keeps a copy, and looks that nothing goes backwards.
#ifndef RMAIL_TESTS_E2E_STORE_KILL_SAMPLER_H_
#define RMAIL_TESTS_E2E_STORE_KILL_SAMPLER_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "tests/e2e/store_kill_world.h"

namespace rmail::kill {

// Used by one thread.
class Sampler {
 public:
  explicit Sampler(World* world);

  // Until the world stops.
  void Run();
  // One round: all mailboxes and quotas. After a restart, all indexes too: before others read what
  // they find wrong, and have it mended.
  void Sample();

  // A mailbox's flags masks by UID, as it was told change by change.
  const std::map<uint32_t, uint64_t>& copy(int mailbox) const { return copies_[mailbox].masks; }
  uint64_t rounds() const { return rounds_; }

 private:
  struct Copy {
    uint32_t uid_validity = 0;
    uint32_t uid_next = 0;
    uint64_t modseq = 0;
    uint32_t read_uid = 0;  // up to here it is known which message has which UID
    std::map<uint32_t, uint64_t> masks;
    std::map<uint32_t, uint64_t> modseqs;
    std::set<uint32_t> gone;
  };
  // All answers of one SyncMailbox.
  struct Changes {
    store::v1::SyncMailboxResponse first;
    store::v1::MessageColumns changed;
  };

  void CheckIndexes();
  absl::Status Follow(int mailbox);
  void CheckCounts(int mailbox, const Changes& changes, Mark before);
  void Apply(int mailbox, const Changes& changes);
  absl::Status CheckQuota(const Account& account);

  World& world_;
  std::vector<Copy> copies_;
  uint64_t rounds_ = 0;
  int restarts_ = 0;  // how many were seen
};

}  // namespace rmail::kill

#endif  // RMAIL_TESTS_E2E_STORE_KILL_SAMPLER_H_
