// The file system of a MemoryEnv: a tree as processes see it, and as it is on disk.
//
// What is on disk, after a crash of the machine, is:
// - a file's data as of its last sync, and any of what was written since: a part of the writes,
// some
//   sectors, or zeros (the size was written, the data was not);
// - of each directory's changes since its last sync the first few. Directories are independent of
//   one another, so that a missing sync is found out even if the file systems of today would
//   forgive it, but for what all of them promise: a rename between two directories is one change,
//   which comes after the changes of both; and so a directory is removed after all of its own
//   changes.
#ifndef RMAIL_STORE_BASE_TESTING_MEMORY_DISK_H_
#define RMAIL_STORE_BASE_TESTING_MEMORY_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/testing/fault_plan.h"

namespace rmail {

// Not thread-safe. Errors are those of Env, with the same codes as Env::Posix() has. Paths start at
// the root, with or without '/'; ".." is refused, a '/' at the end is ignored.
class MemoryDisk {
 public:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  // Asked right before each change (or look) that would succeed: an error stops it.
  using Gate = absl::FunctionRef<absl::Status(FaultPlan::Call)>;

  MemoryDisk();
  ~MemoryDisk();
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  // Each node that is opened is closed once.
  absl::StatusOr<NodePtr> Open(const std::string& path, Env::OpenMode mode, Gate gate);
  void Close(const NodePtr& node);
  absl::Status Rename(const std::string& from, const std::string& to, Gate gate);
  absl::Status Link(const std::string& from, const std::string& to, Gate gate);
  absl::Status Remove(const std::string& path, Gate gate);
  absl::Status CreateDirectory(const std::string& path, Gate gate);
  absl::Status CreateDirectories(const std::string& path, Gate gate);
  absl::Status RemoveRecursively(const std::string& path, Gate gate);
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const;
  absl::StatusOr<NodePtr> Find(std::string_view what, const std::string& path) const;

  static FileInfo Info(const Node& node);
  static absl::StatusOr<size_t> Read(const Node& node, uint64_t offset, char* buffer, size_t size);
  // kResourceExhausted: as much as there was room for has been written.
  absl::Status Write(Node& node, uint64_t offset, std::string_view data);
  absl::Status Truncate(Node& node, uint64_t size);

  // A file's data, or a directory's entries.
  void Sync(Node& node);
  void SyncAll();
  // As a sync that fails does: what it should have written stays in memory, but no later sync
  // writes it either.
  static void ForgetUnsynced(Node& node);

  // The octets that can still be written; a name costs kNameCost. Without: no end.
  void SetFree(std::optional<uint64_t> octets);

  // The machine goes down and comes up: what was not on disk is lost, or, with `random`, some of
  // it. Open nodes keep living but are in no tree.
  void Crash(std::mt19937_64* random);

  static constexpr uint64_t kNameCost = 64;

 private:
  // A name, whether there is something or not.
  struct Place {
    NodePtr directory;
    std::string name;
    NodePtr node;
  };
  // A change of directories that is not on disk yet: a name goes (`from`), comes (`to`), or both.
  struct Change {
    NodePtr from_directory;
    std::string from;
    NodePtr to_directory;
    std::string to;
    NodePtr node;
    // The directory that is no more.
    NodePtr removed;
    // The changes that are on disk when this one is.
    std::vector<uint64_t> after;
  };

  absl::StatusOr<Place> Resolve(std::string_view what, const std::string& path) const;
  NodePtr NewNode(bool is_directory);
  bool HasRoom(uint64_t octets) const { return !capacity_ || used_ + octets <= *capacity_; }

  absl::Status Add(const Place& place, NodePtr node);
  void Drop(const Place& place);
  absl::Status RemoveTree(const Place& place, Gate gate);
  static absl::Status CheckRename(const Place& from, const Place& to);
  void Unlink(const NodePtr& node);
  void Free(const NodePtr& node);

  uint64_t Record(Change change);
  void Persist(uint64_t last);
  static void Apply(const Change& change);
  void PersistSome(std::mt19937_64& random);
  void BecomeDurable(Node& directory, std::mt19937_64* random, std::set<Node*>* seen);

  NodePtr root_;
  uint64_t last_change_ = 0;
  std::map<uint64_t, Change> journal_;
  // Numbers are used again, as real file systems do.
  uint64_t last_inode_ = 1;
  std::shared_ptr<std::set<uint64_t>> free_inodes_;
  uint64_t used_ = 0;
  std::optional<uint64_t> capacity_;
};

// An error as Env::Posix() makes it of an errno.
absl::Status MemoryDiskError(int error, std::string_view what, std::string_view path);

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_TESTING_MEMORY_DISK_H_
