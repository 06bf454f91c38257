// A mailbox's index as it stands in its folder: the snapshot, and the log that goes on from it.
#ifndef RMAIL_STORE_ENGINE_INDEX_FILES_H_
#define RMAIL_STORE_ENGINE_INDEX_FILES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/engine/index.h"
#include "store/engine/log_file.h"

namespace rmail::engine {

inline constexpr char kLogName[] = "log.1";
inline constexpr char kSnapshotName[] = "snapshot.1";
inline constexpr char kLockName[] = "lock";

// The record that a log ends with. Whoever wrote it may have died before it had done to the files
// what the record says; all records before are done.
struct LastRecord {
  LogRecord record;
  // For `expunged`: what was there.
  std::vector<MessageInfo> removed;
  // Whether what it says is known to be done.
  bool settled = true;
};

// Reads what the log has beyond what was read and applies it. `skip_known`: records that the index
// has already are passed over; else they are damage. DATA_LOSS when a record contradicts the index.
absl::StatusOr<LogFile::Tail> ReadRecords(LogFile& log, Index& index, bool skip_known,
                                          LastRecord* last);

struct OpenedIndex {
  std::shared_ptr<LogFile> log;
  Index index;
  LastRecord last;
  LogFile::Tail tail = LogFile::Tail::kClean;
};
// Opens a mailbox's index. It needs no lock to be read; whoever writes holds the mailbox's lock.
// NOT_FOUND without a log; DATA_LOSS when log and snapshot cannot be used.
absl::StatusOr<OpenedIndex> OpenIndex(Env* env, const std::string& directory);

// Message files of one shard's folder, ascending by UID; a UID may come twice. Empty when there is
// no such folder.
absl::StatusOr<std::vector<MessageInfo>> ListShard(Env* env, const std::string& directory,
                                                   uint32_t shard);
// The numbers of the folders of shards, ascending.
absl::StatusOr<std::vector<uint32_t>> ListShards(Env* env, const std::string& directory);

// What a mailbox's messages take, in octets. Waits for no lock. Exact while nobody adds or removes
// messages; what a process that died left half done counts as it will be settled.
absl::StatusOr<uint64_t> ReadMailboxSize(Env* env, const std::string& directory);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_INDEX_FILES_H_
