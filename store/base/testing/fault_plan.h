// Which calls of a process on a MemoryEnv fail.
#ifndef RMAIL_STORE_BASE_TESTING_FAULT_PLAN_H_
#define RMAIL_STORE_BASE_TESTING_FAULT_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/status.h"

namespace rmail {

// Not thread-safe.
class FaultPlan {
 public:
  // The bits of a mask of calls. A change is what a crash between it and the one before could tell
  // from no change; a sync is one too. A call that is refused anyway (a file that is missing, a
  // name that is taken) is no change.
  enum Call : uint32_t {
    kOpen = 1 << 0,  // of what is there
    kRead = 1 << 1,
    kInfo = 1 << 2,  // File::Info, Env::Stat
    kList = 1 << 3,
    kLock = 1 << 4,
    kCreate = 1 << 5,
    kWrite = 1 << 6,
    kTruncate = 1 << 7,
    kRename = 1 << 8,
    kLink = 1 << 9,
    kRemove = 1 << 10,         // a call of RemoveRecursively is one for each name
    kMakeDirectory = 1 << 11,  // one for each directory made
    kSync = 1 << 12,
    kSyncDirectory = 1 << 13,
    kSyncFileSystem = 1 << 14,
  };
  static constexpr uint32_t kSyncs = kSync | kSyncDirectory | kSyncFileSystem;
  static constexpr uint32_t kReads = kOpen | kRead | kInfo | kList | kLock;
  static constexpr uint32_t kChanges = 0x7fff & ~kReads;

  // The n-th call of these kinds from now (0: the next) fails.
  void FailOnce(uint64_t n, uint32_t calls, absl::StatusCode code) {
    rules_.push_back({Rule::kOnce, n, calls, code});
  }
  // The n-th and all after it.
  void FailFrom(uint64_t n, uint32_t calls, absl::StatusCode code) {
    rules_.push_back({Rule::kFrom, n, calls, code});
  }
  // At the n-th change from now the process dies: that call and all calls after it fail, reads too.
  void StopAt(uint64_t n) {
    rules_.push_back({Rule::kStop, n, kChanges, absl::StatusCode::kUnavailable});
  }
  void Clear();

  // Whether a call may go on. Counts it.
  absl::Status Pass(Call call);
  bool stopped() const { return stopped_; }
  // Whether a call that is to fail once, or to stop the process, has not come yet.
  bool pending() const;
  // Changes that were asked for, whether they were let pass or not; not those of a stopped process.
  uint64_t changes() const { return changes_; }

  // How many octets of a write that was not let pass are written all the same.
  size_t PartOf(size_t size);

 private:
  struct Rule {
    enum Kind { kOnce, kFrom, kStop } kind;
    uint64_t left;
    uint32_t calls;
    absl::StatusCode code;
  };

  std::vector<Rule> rules_;
  bool stopped_ = false;
  // Whether the last call that was not let pass was made by a live process.
  bool partial_ = false;
  uint64_t changes_ = 0;
  std::mt19937_64 random_;
};

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_TESTING_FAULT_PLAN_H_
