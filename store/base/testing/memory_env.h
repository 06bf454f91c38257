// An Env in memory that can crash, fail and be full.
//
// It keeps two states of everything: what running processes see, and what is on disk. A file's data
// is on disk after File::Sync, a directory's entries after SyncDirectory (or Sync of the opened
// directory), everything after SyncFileSystem. What else a crash leaves is told in memory_disk.h.
//
// A MemoryEnv is one process on a machine; NewProcess makes further ones. What a file's time, inode
// and links say is what Linux would: times go in steps of 4 ms, inodes of files that are gone are
// used again.
#ifndef RMAIL_STORE_BASE_TESTING_MEMORY_ENV_H_
#define RMAIL_STORE_BASE_TESTING_MEMORY_ENV_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/testing/fault_plan.h"

namespace rmail {

// Thread-safe. Its Files may outlive it. Paths: see MemoryDisk.
class MemoryEnv : public Env {
 public:
  // An empty file system. `seed`: for the order in which List gives names.
  explicit MemoryEnv(uint64_t seed = 0);
  // All of its processes' files are closed.
  ~MemoryEnv() override;

  // Another process on the same machine: it sees the same file system; faults are its own.
  std::unique_ptr<MemoryEnv> NewProcess();

  enum class CrashMode {
    // The processes die, and the machine goes on: nothing is lost.
    kKeepAll,
    // The machine goes down; some of what was not synced is on disk.
    kRandom,
    // The machine goes down; nothing of what was not synced is on disk.
    kLoseAllUnsynced,
  };
  // All processes die: each of their Files fails from now on, and no lock is held. Faults are
  // cleared, but not a full disk. Afterwards this object and the others are new processes; BootId
  // has changed unless `mode` is kKeepAll. What was lost depends only on `seed` and on what was
  // done.
  void Crash(uint64_t seed, CrashMode mode);
  // This process dies; others go on. Afterwards this object is a new process without faults.
  void Kill();

  // Faults of this process; they add up. See FaultPlan, which counts n from 0: the next call.
  void FailOnce(uint64_t n, uint32_t calls = FaultPlan::kChanges,
                absl::StatusCode code = absl::StatusCode::kUnavailable);
  void FailFrom(uint64_t n, uint32_t calls = FaultPlan::kChanges,
                absl::StatusCode code = absl::StatusCode::kUnavailable);
  // At the n-th change the process dies; its locks are free then. A write at which it dies is done
  // in part.
  void StopAt(uint64_t n);
  void ClearFaults();
  bool stopped() const;
  // Whether a fault of FailOnce or StopAt is still to come.
  bool fault_pending() const;
  // Changes that this process asked for.
  uint64_t changes() const;
  // A File::Sync that fails leaves what it should have written in memory, but no later one writes
  // it either, as in Linux. Off: a later Sync writes it.
  void SetFailedSyncForgets(bool on);

  // The disk takes so many octets more; a name costs 64. Without: no end.
  void SetFree(std::optional<uint64_t> octets);

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status CreateDirectory(const std::string& path) override;
  absl::Status CreateDirectories(const std::string& path) override;
  absl::Status RemoveRecursively(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  absl::StatusOr<FileInfo> Stat(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::Status SyncFileSystem(const std::string& path) override;
  std::string BootId() override;

 private:
  struct Process;
  class Machine;
  class MemoryFile;

  explicit MemoryEnv(std::shared_ptr<Machine> machine);

  const std::shared_ptr<Machine> machine_;
  const std::shared_ptr<Process> process_;
};

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_TESTING_MEMORY_ENV_H_
