// The part of Mailbox that keeps records beside the messages.
#include <algorithm>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

// Of messages that go one by one, each so-manieth is a reason to look at a shard's records.
constexpr size_t kTidyEach = 16;

}  // namespace

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
  const absl::Status copied = CopyRecords(env_, directory_, uids, target.directory_, target_uids,
                                          absl::ToUnixMicros(absl::Now()));
  if (!copied.ok()) {
    LogWarning("{}: records are not kept: {}", target.directory_, FromAbsl(copied.message()));
  }
}

void Mailbox::TidyRecordsOf(std::span<const uint32_t> uids) {
  while (!uids.empty()) {
    const uint32_t shard = uids.front() / kShardSize;
    const auto next = std::find_if(uids.begin(), uids.end(),
                                   [&](uint32_t uid) { return uid / kShardSize != shard; });
    const auto count = static_cast<size_t>(next - uids.begin());
    uids = uids.subspan(count);
    const uint32_t first = shard * kShardSize;
    const absl::StatusOr<std::vector<MessageRow>> rows =
        RowsLocked({{first, first + (kShardSize - 1)}});
    if (!rows.ok() || (count < kTidyEach && rows->size() % kTidyEach != 0)) continue;
    std::vector<uint32_t> live;
    live.reserve(rows->size());
    for (const MessageRow& row : *rows) live.push_back(row.info.uid);
    const absl::Status tidied = TidyRecords(env_, directory_, shard, live);
    if (!tidied.ok()) {
      LogWarning("{}: records are not tidied: {}", directory_, FromAbsl(tidied.message()));
    }
  }
}

}  // namespace rmail::engine
