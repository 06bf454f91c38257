// A file or directory of a MemoryDisk.
#ifndef RMAIL_STORE_BASE_TESTING_MEMORY_NODE_H_
#define RMAIL_STORE_BASE_TESTING_MEMORY_NODE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/base/testing/memory_disk.h"

namespace rmail {

struct MemoryDisk::Node {
  // What was done to a file since its last sync.
  struct DataChange {
    uint64_t offset;
    std::string data;
    // The file's new size, and nothing else.
    bool truncate;
  };

  uint64_t inode = 0;
  bool is_directory = false;
  int64_t modified_ns = 0;
  uint64_t links = 0;
  uint64_t opens = 0;

  // A file: as processes see it, as it is on disk, and what leads from there to here.
  std::string data;
  std::string durable_data;
  std::vector<DataChange> unsynced;

  // A directory: as processes see it, and as it is on disk.
  std::map<std::string, NodePtr> entries;
  std::map<std::string, NodePtr> durable_entries;
  // Null: the root, or not in the tree.
  Node* parent = nullptr;
  // In the journal: the last change of its entries, and the one that put it where it is.
  uint64_t last_change = 0;
  uint64_t placed_by = 0;
};

}  // namespace rmail

#endif  // RMAIL_STORE_BASE_TESTING_MEMORY_NODE_H_
