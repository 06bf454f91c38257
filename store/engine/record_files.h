// The records beside a mailbox's messages: `{shard}/digest.1` and `{shard}/keys.1`.
#ifndef RMAIL_STORE_ENGINE_RECORD_FILES_H_
#define RMAIL_STORE_ENGINE_RECORD_FILES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "store/base/env.h"
#include "store/engine/message_records.h"
#include "store/engine/slot_file.h"

namespace rmail::engine {

enum class RecordKind { kDigest, kKeys };

// Reads the records of one kind of a mailbox. It keeps the shard that it read last, so it is quick
// when UIDs ascend. Needs no lock. Not thread-safe.
class RecordReader {
 public:
  // `directory` is the mailbox's.
  RecordReader(Env* env, std::string directory, RecordKind kind);

  // The record; nullopt when there is none that can be read: then it is to be made from the
  // message. It stays until the next call.
  std::optional<std::string_view> Find(uint32_t uid);

 private:
  void OpenShard(uint32_t uid);

  Env* const env_;
  const std::string directory_;
  const RecordKind kind_;
  std::optional<uint32_t> shard_;
  // Null: the shard has no file.
  std::unique_ptr<SlotFile> file_;
  int found_ = 0;
  bool loaded_ = false;
  SlotImage image_;
  std::string record_;
};

struct UidRecords {
  uint32_t uid = 0;
  const MessageRecords* records = nullptr;
  // The digest's `saved`, in microseconds since 1970; 0: it is not known.
  int64_t saved = 0;
};

// Keeps the records of messages, in ascending order; one that is empty is not written. The shards'
// folders are there, and the caller holds the mailbox's lock. Nothing is synced.
absl::Status WriteRecords(Env* env, const std::string& directory,
                          std::span<const UidRecords> records);

// Gives the n-th of `target_uids` the records that the n-th of `source_uids` has, if it has any,
// but for `saved`, which is that of the copies. Both ascend and have the same length. The caller
// holds the target's lock.
absl::Status CopyRecords(Env* env, const std::string& source_directory,
                         std::span<const uint32_t> source_uids, const std::string& target_directory,
                         std::span<const uint32_t> target_uids, int64_t saved);

// Gives back the room of records of messages that are gone: to be called for a shard that lost
// some. `live_uids`: the messages that the shard still has, ascending. The caller holds the
// mailbox's lock.
absl::Status TidyRecords(Env* env, const std::string& directory, uint32_t shard,
                         std::span<const uint32_t> live_uids);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_RECORD_FILES_H_
