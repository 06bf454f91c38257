// What an account's messages take, in octets: exact, across all processes of a mail_root.
//
// The file `usage` in the account's folder holds the total. Whoever changes what an account stores
// does it within a step: lock the file, check the limit, mark it as being changed, append the log
// record, write the new total. A file that is found marked belongs to a process that died there, or
// to a repair: the total is then counted anew from the indexes.
//
// The lock is the innermost: mailboxes' locks may be held, and none is taken under it.
#ifndef RMAIL_STORE_ENGINE_USAGE_H_
#define RMAIL_STORE_ENGINE_USAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/mutex.h"

namespace rmail::engine {

// Thread-safe. Errors: OVER_QUOTA, and those of the file system.
class Usage {
 public:
  // `recount` adds up all mailboxes. It runs within a step, so it takes no mailbox's lock and calls
  // nothing here (ReadMailboxSize).
  Usage(Env* env, std::string account_directory, std::function<absl::StatusOr<uint64_t>()> recount);

  // Runs `change`, which makes the account's messages larger by `delta` octets (or smaller). When
  // that would take it above `limit` (0: none), OVER_QUOTA, and nothing is run. When `change`
  // fails, nothing has changed.
  absl::Status Step(int64_t delta, uint64_t limit, const std::function<absl::Status()>& change);

  // Runs a change whose size is not known: the next step counts anew.
  absl::Status UnknownStep(const std::function<absl::Status()>& change);

  absl::StatusOr<uint64_t> Total();

 private:
  // Opens and locks the file.
  absl::StatusOr<FileLock> Lock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the file says; nullopt: to be counted.
  absl::StatusOr<std::optional<uint64_t>> Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<uint64_t> ReadOrCount() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Write(bool known, uint64_t total) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Env* const env_;
  const std::string path_;
  const std::function<absl::StatusOr<uint64_t>()> recount_;
  // Hashes: which machine this is, and since when.
  const uint64_t machine_;
  const uint64_t boot_;
  Mutex mutex_;
  std::unique_ptr<File> file_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_USAGE_H_
