#include "store/base/testing/memory_env.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "store/base/mutex.h"
#include "store/base/status.h"
#include "store/base/testing/memory_disk.h"

namespace rmail {

struct MemoryEnv::Process {
  FaultPlan faults;
  bool failed_sync_forgets = false;
  // As of the last SyncFileSystem.
  std::optional<uint64_t> known_losses;
  // Those that are open.
  std::set<MemoryFile*> files;
};

class MemoryEnv::MemoryFile : public File {
 public:
  MemoryFile(std::shared_ptr<Machine> machine, std::shared_ptr<Process> process,
             MemoryDisk::NodePtr node, bool writable)
      : machine_(std::move(machine)),
        process_(std::move(process)),
        node_(std::move(node)),
        writable_(writable) {}
  ~MemoryFile() override;

  absl::StatusOr<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) const override;
  absl::Status WriteAt(uint64_t offset, std::string_view data) override;
  absl::Status Truncate(uint64_t size) override;
  absl::StatusOr<FileInfo> Info() const override;
  absl::Status Sync() override;
  absl::Status Lock() override;
  absl::StatusOr<bool> TryLock() override;
  void Unlock() override;

 private:
  friend class Machine;

  // Before the others, which end in it.
  const std::shared_ptr<Machine> machine_;
  const std::shared_ptr<Process> process_;
  const MemoryDisk::NodePtr node_;
  const bool writable_;
  // Guarded by the machine's mutex. Its process died: the kernel has closed it.
  bool dead_ = false;
  absl::Status sync_error_;
};

// What the processes share.
class MemoryEnv::Machine {
 public:
  explicit Machine(uint64_t seed) : random_(seed) {}

  // Whether a call may be made. A process that dies of it lets go of its files.
  absl::Status Pass(Process& process, FaultPlan::Call call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool stopped = process.faults.stopped();
    absl::Status status = process.faults.Pass(call);
    if (!stopped && process.faults.stopped()) CloseAll(process, true);
    return status;
  }
  absl::Status Pass(const MemoryFile& file, FaultPlan::Call call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (file.dead_) return DeadError();
    return Pass(*file.process_, call);
  }
  // A process that is dead does not even learn that something is missing.
  static absl::Status Alive(const Process& process) {
    return process.faults.stopped() ? DeadError() : absl::OkStatus();
  }
  static absl::Status DeadError() {
    return MakeStatus(absl::StatusCode::kUnavailable, "the process is dead");
  }

  // `keep`: the machine goes on, so that what the files hold is to be let go of.
  void CloseAll(Process& process, bool keep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (MemoryFile* const file : process.files) {
      file->dead_ = true;
      if (keep) disk_.Close(file->node_);
      LetGo(*file);
    }
    process.files.clear();
    // Who waits for a lock is dead too.
    unlocked_.SignalAll();
  }

  void LetGo(const MemoryFile& file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto held = locks_.find(file.node_.get());
    if (held == locks_.end() || held->second != &file) return;
    locks_.erase(held);
    unlocked_.SignalAll();
  }

  Mutex mutex_;
  CondVar unlocked_;
  MemoryDisk disk_ ABSL_GUARDED_BY(mutex_);
  std::map<const MemoryDisk::Node*, const MemoryFile*> locks_ ABSL_GUARDED_BY(mutex_);
  std::set<Process*> processes_ ABSL_GUARDED_BY(mutex_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  uint64_t boot_ ABSL_GUARDED_BY(mutex_) = 1;
  // How often data that could not be synced was forgotten.
  uint64_t losses_ ABSL_GUARDED_BY(mutex_) = 0;
};

MemoryEnv::MemoryFile::~MemoryFile() {
  MutexLock lock(&machine_->mutex_);
  if (dead_) return;
  machine_->LetGo(*this);
  machine_->disk_.Close(node_);
  process_->files.erase(this);
}

absl::StatusOr<size_t> MemoryEnv::MemoryFile::ReadAt(uint64_t offset, char* buffer,
                                                     size_t size) const {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*this, FaultPlan::kRead));
  return MemoryDisk::Read(*node_, offset, buffer, size);
}

absl::Status MemoryEnv::MemoryFile::WriteAt(uint64_t offset, std::string_view data) {
  MutexLock lock(&machine_->mutex_);
  if (dead_) return Machine::DeadError();
  if (data.empty()) return absl::OkStatus();
  if (!writable_) return MemoryDiskError(EBADF, "write", "");
  const absl::Status passed = machine_->Pass(*this, FaultPlan::kWrite);
  if (!passed.ok()) data = data.substr(0, process_->faults.PartOf(data.size()));
  const absl::Status written = machine_->disk_.Write(*node_, offset, data);
  return passed.ok() ? written : passed;
}

absl::Status MemoryEnv::MemoryFile::Truncate(uint64_t size) {
  MutexLock lock(&machine_->mutex_);
  if (dead_) return Machine::DeadError();
  if (!writable_) return MemoryDiskError(EINVAL, "truncate", "");
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*this, FaultPlan::kTruncate));
  return machine_->disk_.Truncate(*node_, size);
}

absl::StatusOr<FileInfo> MemoryEnv::MemoryFile::Info() const {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*this, FaultPlan::kInfo));
  return MemoryDisk::Info(*node_);
}

absl::Status MemoryEnv::MemoryFile::Sync() {
  MutexLock lock(&machine_->mutex_);
  if (dead_) return Machine::DeadError();
  if (sync_error_.ok()) {
    sync_error_ = machine_->Pass(*this, FaultPlan::kSync);
    if (sync_error_.ok()) {
      machine_->disk_.Sync(*node_);
    } else if (!dead_ && process_->failed_sync_forgets) {
      MemoryDisk::ForgetUnsynced(*node_);
      ++machine_->losses_;
    }
  }
  return sync_error_;
}

absl::Status MemoryEnv::MemoryFile::Lock() {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*this, FaultPlan::kLock));
  while (true) {
    const auto [held, taken] = machine_->locks_.emplace(node_.get(), this);
    if (taken || held->second == this) return absl::OkStatus();
    machine_->unlocked_.Wait(&machine_->mutex_);
    if (dead_) return Machine::DeadError();
  }
}

absl::StatusOr<bool> MemoryEnv::MemoryFile::TryLock() {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*this, FaultPlan::kLock));
  const auto [held, taken] = machine_->locks_.emplace(node_.get(), this);
  return taken || held->second == this;
}

void MemoryEnv::MemoryFile::Unlock() {
  MutexLock lock(&machine_->mutex_);
  machine_->LetGo(*this);
}

MemoryEnv::MemoryEnv(uint64_t seed) : MemoryEnv(std::make_shared<Machine>(seed)) {}

MemoryEnv::MemoryEnv(std::shared_ptr<Machine> machine)
    : machine_(std::move(machine)), process_(std::make_shared<Process>()) {
  MutexLock lock(&machine_->mutex_);
  machine_->processes_.insert(process_.get());
}

MemoryEnv::~MemoryEnv() {
  MutexLock lock(&machine_->mutex_);
  machine_->CloseAll(*process_, true);
  machine_->processes_.erase(process_.get());
}

std::unique_ptr<MemoryEnv> MemoryEnv::NewProcess() {
  return std::unique_ptr<MemoryEnv>(new MemoryEnv(machine_));
}

void MemoryEnv::Crash(uint64_t seed, CrashMode mode) {
  MutexLock lock(&machine_->mutex_);
  const bool keep = mode == CrashMode::kKeepAll;
  for (Process* const process : machine_->processes_) {
    machine_->CloseAll(*process, keep);
    process->faults.Clear();
  }
  if (keep) return;
  std::mt19937_64 random(seed);
  machine_->disk_.Crash(mode == CrashMode::kRandom ? &random : nullptr);
  ++machine_->boot_;
}

void MemoryEnv::Kill() {
  MutexLock lock(&machine_->mutex_);
  machine_->CloseAll(*process_, true);
  process_->faults.Clear();
}

void MemoryEnv::FailOnce(uint64_t n, uint32_t calls, absl::StatusCode code) {
  MutexLock lock(&machine_->mutex_);
  process_->faults.FailOnce(n, calls, code);
}

void MemoryEnv::FailFrom(uint64_t n, uint32_t calls, absl::StatusCode code) {
  MutexLock lock(&machine_->mutex_);
  process_->faults.FailFrom(n, calls, code);
}

void MemoryEnv::StopAt(uint64_t n) {
  MutexLock lock(&machine_->mutex_);
  process_->faults.StopAt(n);
}

void MemoryEnv::ClearFaults() {
  MutexLock lock(&machine_->mutex_);
  process_->faults.Clear();
}

bool MemoryEnv::stopped() const {
  MutexLock lock(&machine_->mutex_);
  return process_->faults.stopped();
}

bool MemoryEnv::fault_pending() const {
  MutexLock lock(&machine_->mutex_);
  return process_->faults.pending();
}

uint64_t MemoryEnv::changes() const {
  MutexLock lock(&machine_->mutex_);
  return process_->faults.changes();
}

void MemoryEnv::SetFailedSyncForgets(bool on) {
  MutexLock lock(&machine_->mutex_);
  process_->failed_sync_forgets = on;
}

void MemoryEnv::SetFree(std::optional<uint64_t> octets) {
  MutexLock lock(&machine_->mutex_);
  machine_->disk_.SetFree(octets);
}

// A call of the disk with the machine's mutex held, which the analysis does not see in a lambda.
#define RMAIL_MEMORY_ENV_GATE               \
  [this](FaultPlan::Call call) {            \
    machine_->mutex_.AssertHeld();          \
    return machine_->Pass(*process_, call); \
  }

absl::StatusOr<std::unique_ptr<File>> MemoryEnv::Open(const std::string& path, OpenMode mode) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  RMAIL_ASSIGN_OR_RETURN(MemoryDisk::NodePtr node,
                         machine_->disk_.Open(path, mode, RMAIL_MEMORY_ENV_GATE));
  auto file =
      std::make_unique<MemoryFile>(machine_, process_, std::move(node), mode != OpenMode::kRead);
  process_->files.insert(file.get());
  return file;
}

absl::Status MemoryEnv::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  return machine_->disk_.Rename(from, to, RMAIL_MEMORY_ENV_GATE);
}

absl::Status MemoryEnv::Link(const std::string& from, const std::string& to) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  return machine_->disk_.Link(from, to, RMAIL_MEMORY_ENV_GATE);
}

absl::Status MemoryEnv::Remove(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  return machine_->disk_.Remove(path, RMAIL_MEMORY_ENV_GATE);
}

absl::Status MemoryEnv::CreateDirectory(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  return machine_->disk_.CreateDirectory(path, RMAIL_MEMORY_ENV_GATE);
}

absl::Status MemoryEnv::CreateDirectories(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  return machine_->disk_.CreateDirectories(path, RMAIL_MEMORY_ENV_GATE);
}

absl::Status MemoryEnv::RemoveRecursively(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  return machine_->disk_.RemoveRecursively(path, RMAIL_MEMORY_ENV_GATE);
}

#undef RMAIL_MEMORY_ENV_GATE

absl::StatusOr<std::vector<std::string>> MemoryEnv::List(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*process_, FaultPlan::kList));
  RMAIL_ASSIGN_OR_RETURN(std::vector<std::string> names, machine_->disk_.List(path));
  std::shuffle(names.begin(), names.end(), machine_->random_);
  return names;
}

absl::StatusOr<FileInfo> MemoryEnv::Stat(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*process_, FaultPlan::kInfo));
  RMAIL_ASSIGN_OR_RETURN(const MemoryDisk::NodePtr node, machine_->disk_.Find("stat", path));
  return MemoryDisk::Info(*node);
}

absl::Status MemoryEnv::SyncDirectory(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  RMAIL_ASSIGN_OR_RETURN(const MemoryDisk::NodePtr node, machine_->disk_.Find("open", path));
  if (!MemoryDisk::Info(*node).is_directory) return MemoryDiskError(ENOTDIR, "open", path);
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*process_, FaultPlan::kSyncDirectory));
  machine_->disk_.Sync(*node);
  return absl::OkStatus();
}

absl::Status MemoryEnv::SyncFileSystem(const std::string& path) {
  MutexLock lock(&machine_->mutex_);
  RMAIL_RETURN_IF_ERROR(Machine::Alive(*process_));
  RMAIL_RETURN_IF_ERROR(machine_->disk_.Find("open", path).status());
  RMAIL_RETURN_IF_ERROR(machine_->Pass(*process_, FaultPlan::kSyncFileSystem));
  machine_->disk_.SyncAll();
  const uint64_t known = process_->known_losses.value_or(machine_->losses_);
  process_->known_losses = machine_->losses_;
  if (known != machine_->losses_) return MemoryDiskError(EIO, "syncfs", path);
  return absl::OkStatus();
}

std::string MemoryEnv::BootId() {
  MutexLock lock(&machine_->mutex_);
  return fmt::format("memory boot-{}", machine_->boot_);
}

}  // namespace rmail
