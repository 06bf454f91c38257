// The part of Mailbox that opens a mailbox after its machine has gone down.
//
// Flag changes and expunges are not synced, and an append can be seen a moment before it is. So
// clients may have been told UIDs and modseqs that are lost: none of them is given again. And names
// and log may be of different moments: they are compared, all of them, once. No file is ever
// removed for it.
#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {
namespace {

// As many changes are not made between two syncs of a log.
constexpr uint64_t kModseqGap = 1 << 20;

void AddTo(Appended* appended, const MessageInfo& info) {
  appended->add_uids(info.uid);
  appended->add_internal_dates(info.internal_date);
  appended->add_sizes(info.size);
  appended->add_flags(info.flags);
}

}  // namespace

absl::Status Mailbox::RecoverFromPowerLoss() {
  // What was last written of the account's total may be lost too.
  RMAIL_RETURN_IF_ERROR(ChangeUnknownSize([] { return absl::OkStatus(); }));
  RMAIL_ASSIGN_OR_RETURN(const std::optional<IndexMark> read, lock_file_->ReadMark());
  const IndexMark mark = read.value_or(IndexMark());
  const uint32_t known = index_.counts().uid_next;
  // What it says may have reached the disk before what was done earlier. Only messages that belong
  // together are on disk before anything else is done.
  const Appended appended = last_.record.appended();
  if (appended.together() || appended.replaces() != 0) {
    RMAIL_RETURN_IF_ERROR(SettleAppended(appended));
  }
  last_.settled = true;
  RMAIL_ASSIGN_OR_RETURN(std::vector<uint32_t> shards, ListShards(env_, directory_));
  const uint32_t floor = UidFloor(shards);
  const uint64_t epoch = log_->header().epoch;
  for (const ShardSummary& shard : index_.Shards()) shards.push_back(shard.shard);
  std::sort(shards.begin(), shards.end());
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  std::vector<MessageInfo> strays;
  for (const uint32_t shard : shards) {
    RMAIL_RETURN_IF_ERROR(ReconcileShard(shard, known, &strays));
  }
  // Damage was found on the way, and the index made anew from the names: it has them all.
  if (log_->header().epoch != epoch) strays.clear();
  LogRecord record;
  record.set_uid_floor(std::max({index_.counts().uid_next, mark.uid_next, floor}));
  // An index that was made anew, and is lost too, began at the time of that moment.
  const auto now = static_cast<uint64_t>(absl::ToUnixMicros(absl::Now()));
  record.set_modseq(std::max({index_.counts().highest_modseq, mark.modseq, now}) + kModseqGap);
  RMAIL_RETURN_IF_ERROR(log_->Append(record));
  RMAIL_RETURN_IF_ERROR(index_.Apply(record));
  RMAIL_RETURN_IF_ERROR(WriteMark());
  RMAIL_RETURN_IF_ERROR(AdoptStrays(strays));
  return log_->Sync();
}

absl::Status Mailbox::ReconcileShard(uint32_t shard, uint32_t uid_next,
                                     std::vector<MessageInfo>* strays) {
  const uint32_t first = shard * kShardSize;
  const std::vector<UidSpan> span = {{std::max(first, 1u), first + (kShardSize - 1)}};
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, RowsLocked(span));
  std::vector<MessageInfo> wanted;
  for (const MessageRow& row : rows) wanted.push_back(row.info);
  std::vector<uint32_t> missing;
  RMAIL_RETURN_IF_ERROR(MendShard(wanted, &missing));
  RMAIL_RETURN_IF_ERROR(ForgetMessages(missing));

  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageInfo> files, ListShard(env_, directory_, shard));
  LogRecord record;
  Appended* const appended = record.mutable_appended();
  const auto by_uid = [](const MessageInfo& a, const MessageInfo& b) { return a.uid < b.uid; };
  for (const MessageInfo& file : files) {
    if (std::binary_search(wanted.begin(), wanted.end(), file, by_uid)) continue;
    const bool again = !appended->uids().empty() && *appended->uids().rbegin() == file.uid;
    if (file.uid < uid_next || again) {
      strays->push_back(file);
    } else {
      AddTo(appended, file);
    }
  }
  return Adopt(&record);
}

absl::Status Mailbox::Adopt(LogRecord* record) {
  if (record->appended().uids().empty()) return absl::OkStatus();
  LogWarning("{}: {} messages were missing in the log", directory_, record->appended().uids_size());
  const auto adopt = [&]() -> absl::Status {
    mutex_.AssertHeld();
    return AppendRecord(record);
  };
  RMAIL_RETURN_IF_ERROR(ChangeUnknownSize(adopt));
  last_.settled = true;
  return absl::OkStatus();
}

// Files of messages that the log says are gone: they were being moved away, and the rename was
// lost, or were expunged, and the unlink was. The one must not be lost and the other may be undone;
// they become new messages, for clients may know that the old UIDs are gone.
absl::Status Mailbox::AdoptStrays(const std::vector<MessageInfo>& strays) {
  for (size_t at = 0; at < strays.size(); at += kMaxRecordMessages) {
    const size_t end = std::min<size_t>(strays.size(), at + kMaxRecordMessages);
    const uint32_t first = index_.counts().uid_next;
    if (end - at >= UINT32_MAX - first) {
      return Error(store::v1::ERROR_REASON_CORRUPT_MAILBOX, "no UID is left in this mailbox");
    }
    RMAIL_RETURN_IF_ERROR(EnsureShards(first, first + static_cast<uint32_t>(end - at) - 1));
    LogRecord record;
    std::vector<MessageInfo> adopted;
    for (size_t i = at; i < end; ++i) {
      adopted.push_back(strays[i]);
      adopted.back().uid = first + static_cast<uint32_t>(i - at);
      AddTo(record.mutable_appended(), adopted.back());
    }
    RMAIL_RETURN_IF_ERROR(Adopt(&record));
    last_.settled = false;
    for (size_t i = at; i < end; ++i) {
      RMAIL_RETURN_IF_ERROR(env_->Rename(PathOf(strays[i]), PathOf(adopted[i - at])));
    }
    last_.settled = true;
  }
  return absl::OkStatus();
}

}  // namespace rmail::engine
