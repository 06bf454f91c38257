#include "store/engine/index.h"

#include <algorithm>

namespace rmail::engine {
namespace {

constexpr size_t kMaxExpunged = 100'000;

}  // namespace

bool Index::Apply(const LogRecord& record) {
  if (record.modseq() <= counts_.highest_modseq) return false;
  bool applied = true;
  switch (record.change_case()) {
    case LogRecord::kAppended:
      applied = ApplyAppended(record.appended(), record.modseq());
      break;
    case LogRecord::kFlagsChanged:
      applied = ApplyFlags(record.flags_changed(), record.modseq());
      break;
    case LogRecord::kExpunged:
      applied = ApplyExpunged(record.expunged(), record.modseq());
      break;
    case LogRecord::kUidFloor:
      // Written when something may have been lost: what was expunged before is not known.
      counts_.uid_next = std::max(counts_.uid_next, record.uid_floor());
      expunged_floor_ = record.modseq();
      break;
    case LogRecord::CHANGE_NOT_SET:
      break;
  }
  counts_.highest_modseq = record.modseq();
  return applied;
}

bool Index::ApplyAppended(const Appended& appended, uint64_t modseq) {
  const int count = appended.uids_size();
  if (appended.internal_dates_size() != count || appended.sizes_size() != count ||
      appended.flags_size() != count) {
    return false;
  }
  for (int i = 0; i < count; ++i) {
    if (appended.uids(i) < counts_.uid_next || appended.uids(i) == UINT32_MAX) return false;
    uids_.push_back(appended.uids(i));
    flags_.push_back(appended.flags(i) & kAllFlags);
    modseqs_.push_back(modseq);
    internal_dates_.push_back(appended.internal_dates(i));
    sizes_.push_back(appended.sizes(i));
    Count(flags_.back(), sizes_.back(), 1);
    counts_.uid_next = appended.uids(i) + 1;
  }
  return true;
}

bool Index::ApplyFlags(const FlagsChanged& changed, uint64_t modseq) {
  if (changed.flags_size() != changed.uids_size()) return false;
  size_t at = 0;
  for (int i = 0; i < changed.uids_size(); ++i) {
    // Most changes are of neighbours: look there first.
    if (at >= uids_.size() || uids_[at] != changed.uids(i)) at = LowerBound(changed.uids(i));
    // A message that another process has expunged meanwhile.
    if (at >= uids_.size() || uids_[at] != changed.uids(i)) continue;
    Count(flags_[at], 0, -1);
    flags_[at] = changed.flags(i) & kAllFlags;
    modseqs_[at] = modseq;
    Count(flags_[at], 0, 1);
    ++at;
  }
  return true;
}

bool Index::ApplyExpunged(const Expunged& expunged, uint64_t modseq) {
  std::vector<size_t> gone;
  for (const uint32_t uid : expunged.uids()) {
    const size_t at = LowerBound(uid);
    if (at >= uids_.size() || uids_[at] != uid) continue;
    if (!gone.empty() && at <= gone.back()) return false;
    gone.push_back(at);
    Count(flags_[at], sizes_[at], -1);
    expunged_.emplace_back(modseq, uid);
  }
  const auto compact = [&gone](auto& column) {
    size_t next = 0;
    size_t to = gone.empty() ? 0 : gone[0];
    for (size_t from = to; from < column.size(); ++from) {
      if (next < gone.size() && gone[next] == from) {
        ++next;
      } else {
        column[to++] = column[from];
      }
    }
    column.resize(column.size() - gone.size());
  };
  if (!gone.empty()) {
    compact(uids_);
    compact(flags_);
    compact(modseqs_);
    compact(internal_dates_);
    compact(sizes_);
  }
  if (expunged_.size() > 2 * kMaxExpunged) {
    const auto keep = expunged_.end() - kMaxExpunged;
    expunged_floor_ = std::prev(keep)->first;
    expunged_.erase(expunged_.begin(), keep);
  }
  return true;
}

void Index::Count(uint64_t flags, uint64_t size, int sign) {
  const auto add = [sign](auto& count) { count += sign; };
  add(counts_.messages);
  if (!(flags & kSeen)) add(counts_.unseen);
  if (flags & kDeleted) add(counts_.deleted);
  counts_.size += sign > 0 ? size : 0 - size;
}

size_t Index::LowerBound(uint32_t uid) const {
  return std::lower_bound(uids_.begin(), uids_.end(), uid) - uids_.begin();
}

MessageRow Index::RowAt(size_t i) const {
  return {{uids_[i], flags_[i], internal_dates_[i], sizes_[i]}, modseqs_[i]};
}

std::optional<MessageRow> Index::Find(uint32_t uid) const {
  const size_t at = LowerBound(uid);
  if (at >= uids_.size() || uids_[at] != uid) return std::nullopt;
  return RowAt(at);
}

std::vector<MessageRow> Index::Rows(const std::vector<UidSpan>& spans) const {
  std::vector<MessageRow> rows;
  for (const UidSpan& span : spans) {
    for (size_t i = LowerBound(span.first); i < uids_.size() && uids_[i] <= span.last; ++i) {
      rows.push_back(RowAt(i));
    }
  }
  return rows;
}

std::vector<MessageRow> Index::AllRows() const { return Rows({{1, UINT32_MAX}}); }

std::vector<MessageRow> Index::ChangedSince(uint64_t modseq) const {
  std::vector<MessageRow> rows;
  for (size_t i = 0; i < uids_.size(); ++i) {
    if (modseqs_[i] > modseq) rows.push_back(RowAt(i));
  }
  return rows;
}

std::optional<std::vector<uint32_t>> Index::ExpungedSince(uint64_t modseq) const {
  if (modseq < expunged_floor_) return std::nullopt;
  std::vector<uint32_t> uids;
  const auto first =
      std::upper_bound(expunged_.begin(), expunged_.end(), std::make_pair(modseq, UINT32_MAX));
  for (auto it = first; it != expunged_.end(); ++it) uids.push_back(it->second);
  std::sort(uids.begin(), uids.end());
  return uids;
}

}  // namespace rmail::engine
