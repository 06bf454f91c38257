// What of a MemoryDisk is on disk, and what is left after a crash.
#include <algorithm>
#include <utility>

#include "store/base/testing/memory_disk.h"
#include "store/base/testing/memory_node.h"

namespace rmail {
namespace {

using DataChange = MemoryDisk::Node::DataChange;

constexpr size_t kSector = 512;

uint64_t Below(std::mt19937_64& random, uint64_t end) { return random() % end; }

void ApplyData(const DataChange& change, size_t size, std::string* data) {
  if (change.truncate) {
    data->resize(change.offset);
    return;
  }
  if (size == 0) return;
  data->resize(std::max<uint64_t>(data->size(), change.offset + size));
  data->replace(change.offset, size, change.data, 0, size);
}

// The first few changes, the last of them in part.
std::string FirstChanges(const MemoryDisk::Node& file, std::mt19937_64& random) {
  std::string data = file.durable_data;
  const uint64_t whole = Below(random, file.unsynced.size());
  for (uint64_t i = 0; i < whole; ++i) {
    ApplyData(file.unsynced[i], file.unsynced[i].data.size(), &data);
  }
  const DataChange& torn = file.unsynced[whole];
  if (!torn.truncate) ApplyData(torn, Below(random, torn.data.size() + 1), &data);
  return data;
}

// Some sectors, in any order; the size may lag behind.
std::string SomeSectors(const std::string& durable, const std::string& all,
                        std::mt19937_64& random) {
  std::string data = durable;
  data.resize(Below(random, 4) == 0 ? durable.size() : all.size());
  for (size_t at = 0; at < data.size() && at < all.size(); at += kSector) {
    const size_t size = std::min({kSector, data.size() - at, all.size() - at});
    if (Below(random, 2) == 0) data.replace(at, size, all, at, size);
  }
  return data;
}

std::string DataAfterCrash(const MemoryDisk::Node& file, std::mt19937_64* random) {
  if (random == nullptr || file.unsynced.empty()) return file.durable_data;
  std::string all = file.durable_data;
  for (const DataChange& change : file.unsynced) ApplyData(change, change.data.size(), &all);
  switch (Below(*random, 6)) {
    case 0:
      return file.durable_data;
    case 1:
      return all;
    case 2: {
      // The size was written, the data was not.
      std::string zeros = file.durable_data;
      zeros.resize(all.size());
      return zeros;
    }
    case 3:
      return SomeSectors(file.durable_data, all, *random);
    default:
      return FirstChanges(file, *random);
  }
}

}  // namespace

MemoryDisk::~MemoryDisk() {
  // A directory may be above another one on disk and below it in memory: their pointers would keep
  // each other alive.
  std::vector<NodePtr> all = {root_};
  std::set<Node*> seen = {root_.get()};
  const auto add = [&](const NodePtr& node) {
    if (node != nullptr && seen.insert(node.get()).second) all.push_back(node);
  };
  for (const auto& [id, change] : journal_) {
    for (const NodePtr& node :
         {change.from_directory, change.to_directory, change.node, change.removed}) {
      add(node);
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const Node* const node = all[i].get();
    for (const auto& [name, child] : node->entries) add(child);
    for (const auto& [name, child] : node->durable_entries) add(child);
  }
  for (const NodePtr& node : all) {
    node->entries.clear();
    node->durable_entries.clear();
  }
}

uint64_t MemoryDisk::Record(Change change) {
  const uint64_t id = ++last_change_;
  for (Node* const node :
       {change.from_directory.get(), change.to_directory.get(), change.removed.get()}) {
    if (node == nullptr || node->last_change == id) continue;
    change.after.push_back(node->last_change);
    node->last_change = id;
  }
  if (change.from_directory != nullptr && change.to_directory != nullptr &&
      change.from_directory != change.to_directory) {
    // A file that moves is never lost, so the directory that it moves to is there.
    for (const Node* node = change.to_directory.get(); node != nullptr; node = node->parent) {
      change.after.push_back(node->placed_by);
    }
    // A directory that moves comes after all else: else it could end up below itself.
    if (change.node->is_directory) {
      for (const auto& [other, unused] : journal_) change.after.push_back(other);
    }
  }
  journal_.emplace(id, std::move(change));
  return id;
}

void MemoryDisk::Apply(const Change& change) {
  if (change.from_directory != nullptr) {
    change.from_directory->durable_entries.erase(change.from);
  }
  if (change.to_directory != nullptr) {
    change.to_directory->durable_entries[change.to] = change.node;
  }
}

// A change and all that come before it.
void MemoryDisk::Persist(uint64_t last) {
  std::set<uint64_t> wanted;
  std::vector<uint64_t> found = {last};
  while (!found.empty()) {
    const auto change = journal_.find(found.back());
    found.pop_back();
    if (change == journal_.end() || !wanted.insert(change->first).second) continue;
    found.insert(found.end(), change->second.after.begin(), change->second.after.end());
  }
  for (const uint64_t id : wanted) {
    Apply(journal_.at(id));
    journal_.erase(id);
  }
}

void MemoryDisk::Sync(Node& node) {
  if (node.is_directory) {
    Persist(node.last_change);
    return;
  }
  for (const DataChange& change : node.unsynced) {
    ApplyData(change, change.data.size(), &node.durable_data);
  }
  node.unsynced.clear();
}

void MemoryDisk::SyncAll() {
  while (!journal_.empty()) Persist(journal_.rbegin()->first);
  std::vector<Node*> found = {root_.get()};
  while (!found.empty()) {
    Node* const node = found.back();
    found.pop_back();
    if (!node->is_directory) Sync(*node);
    for (const auto& [name, child] : node->entries) found.push_back(child.get());
  }
}

void MemoryDisk::ForgetUnsynced(Node& node) { node.unsynced.clear(); }

// Of each directory the first few changes, of those whose conditions are met.
void MemoryDisk::PersistSome(std::mt19937_64& random) {
  std::map<uint64_t, std::vector<Node*>> touched;
  std::map<Node*, uint64_t> left;
  // In the order of their first change, so that a seed always does the same.
  std::vector<Node*> directories;
  for (const auto& [id, change] : journal_) {
    for (const NodePtr& node : {change.from_directory, change.to_directory, change.removed}) {
      if (node == nullptr) continue;
      if (left[node.get()]++ == 0) directories.push_back(node.get());
      touched[id].push_back(node.get());
    }
  }
  for (Node* const node : directories) left[node] = Below(random, left[node] + 1);
  std::set<uint64_t> lost;
  for (const auto& [id, change] : journal_) {
    bool persists = std::none_of(change.after.begin(), change.after.end(),
                                 [&](uint64_t before) { return lost.contains(before); });
    for (Node* const node : touched[id]) persists = persists && left[node] > 0;
    for (Node* const node : touched[id]) left[node] = persists ? left[node] - 1 : 0;
    if (persists) {
      Apply(change);
    } else {
      lost.insert(id);
    }
  }
}

void MemoryDisk::BecomeDurable(Node& node, std::mt19937_64* random, std::set<Node*>* seen) {
  if (!seen->insert(&node).second) return;
  node.links = 0;
  node.opens = 0;
  node.last_change = node.placed_by = 0;
  node.parent = nullptr;
  if (!node.is_directory) {
    node.durable_data = DataAfterCrash(node, random);
    node.data = node.durable_data;
    node.unsynced.clear();
    used_ += node.data.size();
    return;
  }
  node.entries = node.durable_entries;
  used_ += kNameCost * node.entries.size();
  for (const auto& [name, child] : node.entries) {
    BecomeDurable(*child, random, seen);
    ++child->links;
    if (child->is_directory) child->parent = &node;
  }
}

void MemoryDisk::Crash(std::mt19937_64* random) {
  if (random != nullptr) PersistSome(*random);
  journal_.clear();
  const uint64_t used_before = used_;
  used_ = 0;
  std::set<Node*> seen;
  BecomeDurable(*root_, random, &seen);
  root_->links = 1;
  // What a full disk got back is free again.
  if (capacity_ && used_ > used_before) *capacity_ += used_ - used_before;
}

}  // namespace rmail
