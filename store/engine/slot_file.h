// A file with one record for each message of a shard (FORMAT.md): what was made from the messages
// and can be made again, so nothing is synced and damage is no error.
#ifndef RMAIL_STORE_ENGINE_SLOT_FILE_H_
#define RMAIL_STORE_ENGINE_SLOT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"

namespace rmail::engine {

// The records of a file, read at once: for who looks at many. Not thread-safe.
class SlotImage {
 public:
  // The record; nullopt when it is missing or damaged. It stays until the next call.
  std::optional<std::string_view> Find(uint32_t uid);

 private:
  friend class SlotFile;
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  // Set when the file is too large to be in `data_`.
  const class SlotFile* file_ = nullptr;
  std::string scratch_;
};

// Readers need no lock: what another process is writing is missing until it is whole. Writers hold
// the mailbox's lock. An object is used by one thread at a time.
//
// A record that is damaged, torn or another message's is the same as a missing one, and so is each
// record of a file that doesn't start right. Any octets in the file are safe to read.
class SlotFile {
 public:
  // Longer records are not kept.
  static constexpr size_t kMaxRecord = (16 << 20) - 1;

  enum class Mode {
    // NOT_FOUND when the file is missing.
    kRead,
    // Made when it is missing.
    kWrite,
  };
  // `kind` says what the records are, and in which version. A file of another kind is like one that
  // doesn't start right: to read, it is empty; to write, it is replaced by an empty one.
  static absl::StatusOr<std::unique_ptr<SlotFile>> Open(Env* env, const std::string& path,
                                                        uint32_t kind, Mode mode);

  // The record; nullopt when it is missing or damaged.
  absl::StatusOr<std::optional<std::string>> Get(uint32_t uid) const;

  // Reads all records. `image` may have been used before; it must not outlive this file.
  absl::Status Load(SlotImage* image) const;

  struct Record {
    uint32_t uid = 0;
    std::string_view payload;
  };
  // Writes a record in place of the one that is there. One that is too long is passed over.
  absl::Status Put(uint32_t uid, std::string_view payload);
  // The same for many messages of the shard, in few writes when they ascend.
  absl::Status PutMany(std::span<const Record> records);

  // Replaces the file by one with the records of these messages only, if what they leave free is
  // worth it: more than they take, and more than 64 KiB. After that the object must not be used.
  absl::Status Compact(std::span<const uint32_t> live_uids);

 private:
  SlotFile(Env* env, std::string path, uint32_t kind, std::unique_ptr<File> file, bool valid)
      : env_(env), path_(std::move(path)), kind_(kind), file_(std::move(file)), valid_(valid) {}

  // Makes the file one that can be written: makes it anew when it is not right or was removed.
  // Returns its size.
  absl::StatusOr<uint64_t> PrepareToWrite();
  // Octets that the records of these messages take.
  absl::StatusOr<uint64_t> RecordOctets(std::span<const uint32_t> uids) const;
  // Writes them to another file.
  absl::Status CopyTo(SlotFile* target, std::span<const uint32_t> uids) const;
  absl::Status WriteSlots(std::span<const std::pair<uint32_t, uint64_t>> slots);

  Env* const env_;
  const std::string path_;
  const uint32_t kind_;
  std::unique_ptr<File> file_;
  // Whether it starts right.
  bool valid_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_SLOT_FILE_H_
