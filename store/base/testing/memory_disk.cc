#include "store/base/testing/memory_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/status.h"
#include "store/base/testing/memory_node.h"

namespace rmail {
namespace {

constexpr size_t kMaxName = 255;
constexpr size_t kMaxPath = 4095;
// Larger files are a mistake of the test.
constexpr uint64_t kMaxFile = uint64_t{1} << 30;
// A file's time is that of the last tick, as in Linux.
constexpr int64_t kTick = 4'000'000;

int64_t Now() { return absl::GetCurrentTimeNanos() / kTick * kTick; }

}  // namespace

absl::Status MemoryDiskError(int error, std::string_view what, std::string_view path) {
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  if (error == ENOENT) code = absl::StatusCode::kNotFound;
  if (error == EEXIST) code = absl::StatusCode::kAlreadyExists;
  if (error == ENOSPC) code = absl::StatusCode::kResourceExhausted;
  return MakeStatus(code, fmt::format("{} {}: {}", what, path,
                                      std::error_code(error, std::system_category()).message()));
}

MemoryDisk::MemoryDisk() : free_inodes_(std::make_shared<std::set<uint64_t>>()) {
  root_ = NewNode(true);
  root_->links = 1;
}

MemoryDisk::NodePtr MemoryDisk::NewNode(bool is_directory) {
  const NodePtr node(new Node, [free = free_inodes_](Node* gone) {
    free->insert(gone->inode);
    delete gone;
  });
  if (free_inodes_->empty()) {
    node->inode = ++last_inode_;
  } else {
    node->inode = free_inodes_->extract(free_inodes_->begin()).value();
  }
  node->is_directory = is_directory;
  node->modified_ns = Now();
  return node;
}

void MemoryDisk::SetFree(std::optional<uint64_t> octets) {
  capacity_ = octets;
  if (octets) *capacity_ += used_;
}

absl::StatusOr<MemoryDisk::Place> MemoryDisk::Resolve(std::string_view what,
                                                      const std::string& path) const {
  if (path.empty()) return MemoryDiskError(ENOENT, what, path);
  if (path.size() > kMaxPath) return MemoryDiskError(ENAMETOOLONG, what, path);
  Place place;
  place.node = root_;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    if (place.node == nullptr) return MemoryDiskError(ENOENT, what, path);
    if (!place.node->is_directory) return MemoryDiskError(ENOTDIR, what, path);
    if (name == "..") return MemoryDiskError(EINVAL, what, path);
    if (name.size() > kMaxName) return MemoryDiskError(ENAMETOOLONG, what, path);
    place.directory = std::move(place.node);
    place.name = name;
    const auto found = place.directory->entries.find(name);
    place.node = found == place.directory->entries.end() ? nullptr : found->second;
  }
  return place;
}

absl::StatusOr<MemoryDisk::NodePtr> MemoryDisk::Find(std::string_view what,
                                                     const std::string& path) const {
  RMAIL_ASSIGN_OR_RETURN(Place place, Resolve(what, path));
  if (place.node == nullptr) return MemoryDiskError(ENOENT, what, path);
  return std::move(place.node);
}

// A name for a node: all was checked but the room.
absl::Status MemoryDisk::Add(const Place& place, NodePtr node) {
  if (!HasRoom(kNameCost)) return MemoryDiskError(ENOSPC, "write", place.name);
  used_ += kNameCost;
  Change change;
  change.to_directory = place.directory;
  change.to = place.name;
  change.node = node;
  ++node->links;
  place.directory->modified_ns = Now();
  const uint64_t id = Record(std::move(change));
  if (node->is_directory) {
    node->parent = place.directory.get();
    node->placed_by = id;
  }
  place.directory->entries[place.name] = std::move(node);
  return absl::OkStatus();
}

void MemoryDisk::Drop(const Place& place) {
  used_ -= kNameCost;
  Change change;
  change.from_directory = place.directory;
  change.from = place.name;
  if (place.node->is_directory) change.removed = place.node;
  Record(std::move(change));
  place.directory->entries.erase(place.name);
  place.directory->modified_ns = Now();
  Unlink(place.node);
}

void MemoryDisk::Unlink(const NodePtr& node) {
  --node->links;
  node->parent = nullptr;
  Free(node);
}

void MemoryDisk::Free(const NodePtr& node) {
  if (node->links == 0 && node->opens == 0) used_ -= node->data.size();
}

absl::StatusOr<MemoryDisk::NodePtr> MemoryDisk::Open(const std::string& path, Env::OpenMode mode,
                                                     Gate gate) {
  RMAIL_ASSIGN_OR_RETURN(Place place, Resolve("open", path));
  const bool may_create = mode == Env::OpenMode::kCreate || mode == Env::OpenMode::kCreateNew;
  if (place.node != nullptr) {
    if (mode == Env::OpenMode::kCreateNew) return MemoryDiskError(EEXIST, "open", path);
    if (place.node->is_directory && mode != Env::OpenMode::kRead) {
      return MemoryDiskError(EISDIR, "open", path);
    }
    RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kOpen));
  } else {
    if (!may_create) return MemoryDiskError(ENOENT, "open", path);
    RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kCreate));
    place.node = NewNode(false);
    RMAIL_RETURN_IF_ERROR(Add(place, place.node));
  }
  ++place.node->opens;
  return std::move(place.node);
}

void MemoryDisk::Close(const NodePtr& node) {
  --node->opens;
  Free(node);
}

absl::Status MemoryDisk::CheckRename(const Place& from, const Place& to) {
  for (const Node* node = to.directory.get(); node != nullptr; node = node->parent) {
    if (node == from.node.get()) return MemoryDiskError(EINVAL, "rename", from.name);
  }
  if (to.node == nullptr) return absl::OkStatus();
  if (to.node->is_directory && !to.node->entries.empty()) {
    return MemoryDiskError(ENOTEMPTY, "rename", from.name);
  }
  if (from.node->is_directory != to.node->is_directory) {
    return MemoryDiskError(to.node->is_directory ? EISDIR : ENOTDIR, "rename", from.name);
  }
  return absl::OkStatus();
}

absl::Status MemoryDisk::Rename(const std::string& from_path, const std::string& to_path,
                                Gate gate) {
  RMAIL_ASSIGN_OR_RETURN(const Place from, Resolve("rename", from_path));
  RMAIL_ASSIGN_OR_RETURN(const Place target, Resolve("rename", to_path));
  if (from.node == nullptr) return MemoryDiskError(ENOENT, "rename", from_path);
  if (from.directory == nullptr || target.directory == nullptr) {
    return MemoryDiskError(EBUSY, "rename", from_path);
  }
  // Two names of one file both stay. (POSIX rename)
  if (from.node == target.node) return absl::OkStatus();
  RMAIL_RETURN_IF_ERROR(CheckRename(from, target));
  RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kRename));
  // Within a directory the new name takes the old one's place.
  if (target.node == nullptr && from.directory != target.directory && !HasRoom(kNameCost)) {
    return MemoryDiskError(ENOSPC, "rename", from_path);
  }
  Change change;
  change.from_directory = from.directory;
  change.from = from.name;
  change.to_directory = target.directory;
  change.to = target.name;
  change.node = from.node;
  if (target.node != nullptr) {
    used_ -= kNameCost;
    if (target.node->is_directory) change.removed = target.node;
    Unlink(target.node);
  }
  const uint64_t id = Record(std::move(change));
  from.directory->entries.erase(from.name);
  target.directory->entries[target.name] = from.node;
  if (from.node->is_directory) {
    from.node->parent = target.directory.get();
    from.node->placed_by = id;
  }
  from.directory->modified_ns = target.directory->modified_ns = Now();
  return absl::OkStatus();
}

absl::Status MemoryDisk::Link(const std::string& from, const std::string& to, Gate gate) {
  RMAIL_ASSIGN_OR_RETURN(NodePtr node, Find("link", from));
  RMAIL_ASSIGN_OR_RETURN(const Place place, Resolve("link", to));
  if (place.node != nullptr) return MemoryDiskError(EEXIST, "link", to);
  if (node->is_directory) return MemoryDiskError(EPERM, "link", to);
  RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kLink));
  return Add(place, std::move(node));
}

absl::Status MemoryDisk::Remove(const std::string& path, Gate gate) {
  RMAIL_ASSIGN_OR_RETURN(const Place place, Resolve("remove", path));
  if (place.node == nullptr) return MemoryDiskError(ENOENT, "remove", path);
  if (place.node->is_directory) return MemoryDiskError(EISDIR, "remove", path);
  RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kRemove));
  Drop(place);
  return absl::OkStatus();
}

absl::Status MemoryDisk::CreateDirectory(const std::string& path, Gate gate) {
  RMAIL_ASSIGN_OR_RETURN(const Place place, Resolve("mkdir", path));
  if (place.node != nullptr) return absl::OkStatus();
  RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kMakeDirectory));
  return Add(place, NewNode(true));
}

absl::Status MemoryDisk::CreateDirectories(const std::string& path, Gate gate) {
  const absl::Status resolved = Resolve("mkdir", path).status();
  if (absl::IsNotFound(resolved)) {
    const size_t slash = path.find_last_of('/');
    if (slash == std::string::npos || slash == 0) return resolved;
    RMAIL_RETURN_IF_ERROR(CreateDirectories(path.substr(0, slash), gate));
  }
  return CreateDirectory(path, gate);
}

absl::Status MemoryDisk::RemoveRecursively(const std::string& path, Gate gate) {
  const absl::StatusOr<Place> place = Resolve("remove", path);
  if (absl::IsNotFound(place.status())) return absl::OkStatus();
  RMAIL_RETURN_IF_ERROR(place.status());
  if (place->node == nullptr) return absl::OkStatus();
  if (place->directory == nullptr) return MemoryDiskError(EBUSY, "remove", path);
  return RemoveTree(*place, gate);
}

absl::Status MemoryDisk::RemoveTree(const Place& place, Gate gate) {
  while (!place.node->entries.empty()) {
    const auto& [name, node] = *place.node->entries.begin();
    RMAIL_RETURN_IF_ERROR(RemoveTree(Place{place.node, name, node}, gate));
  }
  RMAIL_RETURN_IF_ERROR(gate(FaultPlan::kRemove));
  Drop(place);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryDisk::List(const std::string& path) const {
  RMAIL_ASSIGN_OR_RETURN(const NodePtr node, Find("list", path));
  if (!node->is_directory) return MemoryDiskError(ENOTDIR, "list", path);
  std::vector<std::string> names;
  names.reserve(node->entries.size());
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

FileInfo MemoryDisk::Info(const Node& node) {
  FileInfo info;
  info.size = node.is_directory ? 4096 : node.data.size();
  info.modified_ns = node.modified_ns;
  info.inode = node.inode;
  info.links = node.links;
  info.is_directory = node.is_directory;
  return info;
}

absl::StatusOr<size_t> MemoryDisk::Read(const Node& node, uint64_t offset, char* buffer,
                                        size_t size) {
  if (node.is_directory) return MemoryDiskError(EISDIR, "read", "");
  if (offset >= node.data.size()) return size_t{0};
  size = std::min<uint64_t>(size, node.data.size() - offset);
  std::memcpy(buffer, node.data.data() + offset, size);
  return size;
}

absl::Status MemoryDisk::Write(Node& node, uint64_t offset, std::string_view data) {
  // Nobody will ever see a file that has neither a name nor an opener.
  if (data.empty() || (node.links == 0 && node.opens == 0)) return absl::OkStatus();
  if (offset > kMaxFile || data.size() > kMaxFile - offset) {
    return MemoryDiskError(EFBIG, "write", "");
  }
  bool full = false;
  uint64_t end = std::max<uint64_t>(offset + data.size(), node.data.size());
  if (!HasRoom(end - node.data.size())) {
    full = true;
    end = node.data.size() + (*capacity_ > used_ ? *capacity_ - used_ : 0);
    data = data.substr(0, end > offset ? end - offset : 0);
    end = std::max<uint64_t>(offset + data.size(), node.data.size());
  }
  if (!data.empty()) {
    used_ += end - node.data.size();
    node.data.resize(end);
    node.data.replace(offset, data.size(), data);
    node.unsynced.push_back({offset, std::string(data), false});
    node.modified_ns = Now();
  }
  return full ? MemoryDiskError(ENOSPC, "write", "") : absl::OkStatus();
}

absl::Status MemoryDisk::Truncate(Node& node, uint64_t size) {
  if (size > kMaxFile) return MemoryDiskError(EFBIG, "truncate", "");
  // What is beyond the data is a hole, which needs no room; it is counted all the same.
  used_ = used_ - node.data.size() + size;
  node.data.resize(size);
  node.unsynced.push_back({size, "", true});
  node.modified_ns = Now();
  return absl::OkStatus();
}

}  // namespace rmail
