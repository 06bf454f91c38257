#include "store/engine/index.h"

#include <algorithm>
#include <utility>

#include "store/base/status.h"

namespace rmail::engine {
namespace {

absl::Status Contradiction() {
  return MakeStatus(absl::StatusCode::kDataLoss, "a log record contradicts the index");
}

uint32_t ShardOf(uint32_t uid) { return uid / kShardSize; }

}  // namespace

Index::Index(std::shared_ptr<const SnapshotFile> snapshot) : snapshot_(std::move(snapshot)) {
  counts_.uid_next = snapshot_->header().uid_next;
  counts_.highest_modseq = snapshot_->header().modseq;
  expunged_ = snapshot_->expunged();
  expunged_floor_ = snapshot_->header().expunged_floor;
  blocks_.reserve(snapshot_->shards().size());
  for (const ShardSummary& summary : snapshot_->shards()) {
    Block block;
    block.summary = summary;
    block.file_index = blocks_.size();
    blocks_.push_back(std::move(block));
    counts_.messages += summary.messages;
    counts_.unseen += summary.unseen;
    counts_.deleted += summary.deleted;
    counts_.size += summary.size;
    counts_.deleted_size += summary.deleted_size;
  }
}

size_t Index::LowerBlock(uint32_t shard) const {
  return std::lower_bound(
             blocks_.begin(), blocks_.end(), shard,
             [](const Block& block, uint32_t number) { return block.summary.shard < number; }) -
         blocks_.begin();
}

Index::Block* Index::BlockOf(uint32_t uid) {
  const size_t at = LowerBlock(ShardOf(uid));
  if (at == blocks_.size() || blocks_[at].summary.shard != ShardOf(uid)) return nullptr;
  return &blocks_[at];
}

absl::Status Index::Load(Block& block) {
  if (block.columns != nullptr) return absl::OkStatus();
  RMAIL_ASSIGN_OR_RETURN(block.columns, snapshot_->ReadShard(block.file_index));
  return absl::OkStatus();
}

absl::StatusOr<ShardColumns*> Index::Mutable(Block& block) {
  RMAIL_RETURN_IF_ERROR(Load(block));
  if (block.shared) {
    block.columns = std::make_shared<ShardColumns>(*block.columns);
    block.shared = false;
  }
  return block.columns.get();
}

absl::Status Index::LoadShardOf(uint32_t uid) {
  Block* const block = BlockOf(uid);
  return block == nullptr ? absl::OkStatus() : Load(*block);
}

absl::Status Index::Prepare(const LogRecord& record) {
  const google::protobuf::RepeatedField<uint32_t>* uids = nullptr;
  if (record.has_appended()) uids = &record.appended().uids();
  if (record.has_flags_changed()) uids = &record.flags_changed().uids();
  if (record.has_expunged()) uids = &record.expunged().uids();
  if (uids == nullptr) return absl::OkStatus();
  uint32_t last = UINT32_MAX;
  for (const uint32_t uid : *uids) {
    if (ShardOf(uid) == last) continue;
    last = ShardOf(uid);
    RMAIL_RETURN_IF_ERROR(LoadShardOf(uid));
  }
  return absl::OkStatus();
}

absl::Status Index::Apply(const LogRecord& record, std::vector<MessageInfo>* removed) {
  if (record.modseq() <= counts_.highest_modseq) return Contradiction();
  switch (record.change_case()) {
    case LogRecord::kAppended:
      RMAIL_RETURN_IF_ERROR(ApplyAppended(record.appended(), record.modseq()));
      break;
    case LogRecord::kFlagsChanged:
      RMAIL_RETURN_IF_ERROR(ApplyFlags(record.flags_changed(), record.modseq()));
      break;
    case LogRecord::kExpunged:
      RMAIL_RETURN_IF_ERROR(ApplyExpunged(record.expunged(), record.modseq(), removed));
      break;
    case LogRecord::kUidFloor:
      // Written when something may have been lost: what was expunged before is not known.
      counts_.uid_next = std::max(counts_.uid_next, record.uid_floor());
      expunged_.clear();
      expunged_floor_ = record.modseq();
      break;
    case LogRecord::kMoving:
    case LogRecord::kSuperseded:
    case LogRecord::kSettled:
    case LogRecord::CHANGE_NOT_SET:
      break;
  }
  counts_.highest_modseq = record.modseq();
  return absl::OkStatus();
}

absl::Status Index::ApplyAppended(const Appended& appended, uint64_t modseq) {
  const int count = appended.uids_size();
  if (appended.internal_dates_size() != count || appended.sizes_size() != count ||
      appended.flags_size() != count) {
    return Contradiction();
  }
  for (int i = 0; i < count; ++i) {
    const MessageInfo info{appended.uids(i), appended.flags(i) & kAllFlags,
                           appended.internal_dates(i), appended.sizes(i)};
    if (info.uid < counts_.uid_next || info.uid == UINT32_MAX) return Contradiction();
    if (blocks_.empty() || blocks_.back().summary.shard != ShardOf(info.uid)) {
      Block block;
      block.summary.shard = ShardOf(info.uid);
      block.columns = std::make_shared<ShardColumns>();
      blocks_.push_back(std::move(block));
    }
    Block& block = blocks_.back();
    RMAIL_ASSIGN_OR_RETURN(ShardColumns* const columns, Mutable(block));
    columns->Add(info, modseq);
    block.summary.max_modseq = modseq;
    Count(block, info.flags, info.size, 1);
    counts_.uid_next = info.uid + 1;
  }
  return absl::OkStatus();
}

absl::Status Index::ApplyFlags(const FlagsChanged& changed, uint64_t modseq) {
  if (changed.flags_size() != changed.uids_size()) return Contradiction();
  Block* block = nullptr;
  ShardColumns* columns = nullptr;
  size_t at = 0;
  for (int i = 0; i < changed.uids_size(); ++i) {
    const uint32_t uid = changed.uids(i);
    if (block == nullptr || block->summary.shard != ShardOf(uid)) {
      block = BlockOf(uid);
      // A message that was expunged meanwhile.
      if (block == nullptr) continue;
      RMAIL_ASSIGN_OR_RETURN(columns, Mutable(*block));
      at = 0;
    }
    // Most changes are of neighbours: look there first.
    if (at >= columns->size() || columns->uids[at] != uid) at = columns->LowerBound(uid);
    if (at >= columns->size() || columns->uids[at] != uid) continue;
    Count(*block, columns->flags[at], columns->sizes[at], -1);
    columns->flags[at] = changed.flags(i) & kAllFlags;
    columns->modseqs[at] = modseq;
    block->summary.max_modseq = modseq;
    Count(*block, columns->flags[at], columns->sizes[at], 1);
    ++at;
  }
  return absl::OkStatus();
}

absl::Status Index::ApplyExpunged(const Expunged& expunged, uint64_t modseq,
                                  std::vector<MessageInfo>* removed) {
  int i = 0;
  while (i < expunged.uids_size()) {
    const uint32_t shard = ShardOf(expunged.uids(i));
    int end = i + 1;
    while (end < expunged.uids_size() && ShardOf(expunged.uids(end)) == shard) {
      if (expunged.uids(end) <= expunged.uids(end - 1)) return Contradiction();
      ++end;
    }
    Block* const block = BlockOf(expunged.uids(i));
    if (block == nullptr) {
      i = end;
      continue;
    }
    RMAIL_ASSIGN_OR_RETURN(ShardColumns* const columns, Mutable(*block));
    // One pass over the shard: what stays moves down.
    size_t to = columns->LowerBound(expunged.uids(i));
    for (size_t from = to; from < columns->size(); ++from) {
      const MessageRow row = columns->Row(from);
      while (i < end && expunged.uids(i) < row.info.uid) ++i;
      if (i < end && expunged.uids(i) == row.info.uid) {
        Count(*block, row.info.flags, row.info.size, -1);
        RememberExpunged(modseq, row.info.uid);
        if (removed != nullptr) removed->push_back(row.info);
        continue;
      }
      columns->flags[to] = row.info.flags;
      columns->modseqs[to] = row.modseq;
      columns->internal_dates[to] = row.info.internal_date;
      columns->sizes[to] = row.info.size;
      columns->uids[to] = row.info.uid;
      ++to;
    }
    columns->flags.resize(to);
    columns->modseqs.resize(to);
    columns->internal_dates.resize(to);
    columns->sizes.resize(to);
    columns->uids.resize(to);
    if (to == 0) blocks_.erase(blocks_.begin() + (block - blocks_.data()));
    i = end;
  }
  return absl::OkStatus();
}

void Index::RememberExpunged(uint64_t modseq, uint32_t uid) {
  if (!expunged_.empty() && expunged_.back().modseq == modseq &&
      expunged_.back().uids.last + 1 == uid) {
    expunged_.back().uids.last = uid;
    return;
  }
  if (expunged_.size() >= 2 * kMaxExpunged) {
    const auto keep = expunged_.end() - kMaxExpunged;
    expunged_floor_ = std::prev(keep)->modseq;
    expunged_.erase(expunged_.begin(), keep);
  }
  expunged_.push_back({modseq, {uid, uid}});
}

void Index::Count(Block& block, uint64_t flags, uint64_t size, int sign) {
  const auto add = [sign](auto& a, auto& b) {
    a += sign;
    b += sign;
  };
  add(counts_.messages, block.summary.messages);
  if (!(flags & kSeen)) add(counts_.unseen, block.summary.unseen);
  const uint64_t change = sign > 0 ? size : 0 - size;
  counts_.size += change;
  block.summary.size += change;
  if (flags & kDeleted) {
    add(counts_.deleted, block.summary.deleted);
    counts_.deleted_size += change;
    block.summary.deleted_size += change;
  }
}

absl::StatusOr<std::vector<MessageRow>> Index::Rows(const std::vector<UidSpan>& spans) {
  std::vector<MessageRow> rows;
  for (const UidSpan& span : spans) {
    for (size_t b = LowerBlock(ShardOf(span.first));
         b < blocks_.size() && blocks_[b].summary.shard <= ShardOf(span.last); ++b) {
      RMAIL_RETURN_IF_ERROR(Load(blocks_[b]));
      const ShardColumns& columns = *blocks_[b].columns;
      for (size_t i = columns.LowerBound(span.first);
           i < columns.size() && columns.uids[i] <= span.last; ++i) {
        rows.push_back(columns.Row(i));
      }
    }
  }
  return rows;
}

absl::StatusOr<RowCursor> Index::View(const std::vector<UidSpan>& spans, uint64_t changed_since) {
  std::vector<std::shared_ptr<const ShardColumns>> blocks;
  size_t next = 0;
  for (const UidSpan& span : spans) {
    for (size_t b = std::max(next, LowerBlock(ShardOf(span.first)));
         b < blocks_.size() && blocks_[b].summary.shard <= ShardOf(span.last); ++b) {
      next = b + 1;
      Block& block = blocks_[b];
      if (block.summary.max_modseq <= changed_since) continue;
      RMAIL_RETURN_IF_ERROR(Load(block));
      block.shared = true;
      blocks.push_back(block.columns);
    }
  }
  return RowCursor(std::move(blocks), spans, changed_since);
}

std::optional<std::vector<UidSpan>> Index::ExpungedSince(uint64_t modseq) const {
  if (modseq < expunged_floor_) return std::nullopt;
  auto next = std::upper_bound(
      expunged_.begin(), expunged_.end(), modseq,
      [](uint64_t value, const ExpungedSpan& span) { return value < span.modseq; });
  std::vector<UidSpan> sorted;
  for (; next != expunged_.end(); ++next) sorted.push_back(next->uids);
  std::sort(sorted.begin(), sorted.end(),
            [](const UidSpan& a, const UidSpan& b) { return a.first < b.first; });
  std::vector<UidSpan> spans;
  for (const UidSpan& span : sorted) {
    if (!spans.empty() && spans.back().last + 1 == span.first) {
      spans.back().last = span.last;
    } else {
      spans.push_back(span);
    }
  }
  return spans;
}

std::vector<ShardSummary> Index::Shards() const {
  std::vector<ShardSummary> shards;
  shards.reserve(blocks_.size());
  for (const Block& block : blocks_) shards.push_back(block.summary);
  return shards;
}

SnapshotImage Index::Image() {
  SnapshotImage image;
  image.header.modseq = counts_.highest_modseq;
  image.header.uid_next = counts_.uid_next;
  image.header.expunged_floor = expunged_floor_;
  image.expunged = expunged_;
  image.shards.reserve(blocks_.size());
  for (Block& block : blocks_) {
    block.shared = true;
    image.shards.push_back({block.summary, block.columns, snapshot_, block.file_index});
  }
  return image;
}

}  // namespace rmail::engine
