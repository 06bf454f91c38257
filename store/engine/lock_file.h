// A mailbox's lock file: the flock that whoever changes the mailbox holds, and what must be known
// about the index outside of it (FORMAT.md).
#ifndef RMAIL_STORE_ENGINE_LOCK_FILE_H_
#define RMAIL_STORE_ENGINE_LOCK_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"

namespace rmail::engine {

// How far the index was when it was last changed: one that is found to be behind that has lost
// something.
struct IndexMark {
  uint64_t modseq = 0;
  uint32_t uid_next = 0;
};

// Not thread-safe. Everything but Acquire is called with the lock held.
class LockFile {
 public:
  // MAILBOX_NOT_FOUND when the mailbox has no folder.
  static absl::StatusOr<std::unique_ptr<LockFile>> Open(Env* env, const std::string& directory);

  // MAILBOX_NOT_FOUND when the mailbox was deleted.
  absl::StatusOr<FileLock> Acquire();

  // nullopt when there is none that is whole.
  absl::StatusOr<std::optional<IndexMark>> ReadMark() const;
  absl::Status WriteMark(const IndexMark& mark);

  // Whether this machine (`boot_id`: Env::BootId) has gone down since it last had the mailbox open:
  // what was written and not synced may be lost. What the mark says is of no use then.
  absl::StatusOr<bool> WentDown(const std::string& boot_id) const;
  // Writes down that this machine has the mailbox open; on disk when it returns, for what it tells
  // of is that things were not. Costs two syncs, once a boot.
  absl::Status NoteBoot(const std::string& boot_id);

 private:
  LockFile(Env* env, std::string directory, std::unique_ptr<File> file)
      : env_(env), directory_(std::move(directory)), file_(std::move(file)) {}
  // A line for each machine.
  absl::StatusOr<std::string> ReadBoots() const;

  Env* const env_;
  const std::string directory_;
  const std::unique_ptr<File> file_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_LOCK_FILE_H_
