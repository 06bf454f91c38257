// The part of Mailbox that keeps records beside the messages.
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {

void Mailbox::PutRecords(std::span<const UidRecords> records) {
  const absl::Status written = WriteRecords(env_, directory_, records);
  if (!written.ok()) {
    LogWarning("{}: records are not kept: {}", directory_, FromAbsl(written.message()));
  }
}

void Mailbox::StoreRecords(std::span<const UidRecords> records) {
  MutexLock lock(&mutex_);
  const absl::StatusOr<FileLock> file_lock = LockAndRefresh();
  if (file_lock.ok()) PutRecords(records);
}

void Mailbox::CopyRecordsTo(const Mailbox& target, std::span<const uint32_t> uids,
                            std::span<const uint32_t> target_uids) const {
  const absl::Status copied = CopyRecords(env_, directory_, uids, target.directory_, target_uids);
  if (!copied.ok()) {
    LogWarning("{}: records are not kept: {}", target.directory_, FromAbsl(copied.message()));
  }
}

}  // namespace rmail::engine
