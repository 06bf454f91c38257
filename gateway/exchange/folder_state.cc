#include "gateway/exchange/folder_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

// What an entry costs beyond its UIDs, counted in UIDs.
constexpr size_t kEntryCost = 256;

}  // namespace

void FolderUpdate::Add(const store::v1::SyncMailboxResponse& answer) {
  if (answer.has_mailbox()) mailbox_ = answer.mailbox();
  if (answer.reset()) known_ = nullptr;
  for (const uint32_t uid : answer.changed().uids()) {
    if (known_ != nullptr && std::binary_search(known_->uids->begin(), known_->uids->end(), uid)) {
      continue;
    }
    added_.push_back(uid);
  }
  expunged_.insert(expunged_.end(), answer.expunged().begin(), answer.expunged().end());
}

absl::StatusOr<std::shared_ptr<const FolderState>> FolderUpdate::Finish() {
  if (!mailbox_.has_counts()) {
    return MakeStatus(absl::StatusCode::kInternal, "the store sent a mailbox without counts");
  }
  auto state = std::make_shared<FolderState>();
  state->mailbox = std::move(mailbox_);
  if (known_ != nullptr && added_.empty() && expunged_.empty()) {
    state->uids = known_->uids;
    return state;
  }
  if (!std::is_sorted(added_.begin(), added_.end())) std::sort(added_.begin(), added_.end());
  added_.erase(std::unique(added_.begin(), added_.end()), added_.end());
  auto uids = std::make_shared<std::vector<uint32_t>>();
  if (known_ != nullptr) {
    uids->reserve(known_->uids->size() + added_.size());
    std::merge(known_->uids->begin(), known_->uids->end(), added_.begin(), added_.end(),
               std::back_inserter(*uids));
  } else {
    *uids = std::move(added_);
  }
  ApplyExpunged(*uids);
  state->uids = std::move(uids);
  return state;
}

void FolderUpdate::ApplyExpunged(std::vector<uint32_t>& uids) const {
  if (expunged_.empty()) return;
  std::vector<store::v1::UidRange> ranges = expunged_;
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.first() < b.first(); });
  auto range = ranges.begin();
  std::erase_if(uids, [&](uint32_t uid) {
    while (range != ranges.end() && range->last() < uid) ++range;
    return range != ranges.end() && range->first() <= uid;
  });
}

std::vector<uint32_t> PageOf(const std::vector<uint32_t>& uids, uint32_t page, uint32_t page_size) {
  const uint64_t skip = (uint64_t{page} - 1) * page_size;
  if (skip >= uids.size()) return {};
  const auto first = uids.rbegin() + static_cast<ptrdiff_t>(skip);
  const size_t count = std::min<size_t>(page_size, uids.size() - skip);
  return {first, first + static_cast<ptrdiff_t>(count)};
}

std::vector<store::v1::UidRange> ToRanges(const std::vector<uint32_t>& descending) {
  std::vector<store::v1::UidRange> ranges;
  for (auto uid = descending.rbegin(); uid != descending.rend(); ++uid) {
    if (!ranges.empty() && ranges.back().last() + 1 == *uid) {
      ranges.back().set_last(*uid);
      continue;
    }
    store::v1::UidRange& range = ranges.emplace_back();
    range.set_first(*uid);
    range.set_last(*uid);
  }
  return ranges;
}

size_t FolderCache::Cost(const FolderState& state) { return kEntryCost + state.uids->size(); }

std::shared_ptr<const FolderState> FolderCache::Get(const std::string& mailbox) {
  MutexLock lock(&mutex_);
  const auto found = index_.find(mailbox);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->state;
}

void FolderCache::Put(const std::string& mailbox, std::shared_ptr<const FolderState> state) {
  const size_t cost = Cost(*state);
  MutexLock lock(&mutex_);
  if (const auto found = index_.find(mailbox); found != index_.end()) {
    cost_ -= Cost(*found->second->state);
    entries_.erase(found->second);
    index_.erase(found);
  }
  entries_.push_front({mailbox, std::move(state)});
  index_[mailbox] = entries_.begin();
  cost_ += cost;
  // The newest stays, however large, until the next one comes.
  while (cost_ > max_uids_ && entries_.size() > 1) {
    cost_ -= Cost(*entries_.back().state);
    index_.erase(entries_.back().mailbox);
    entries_.pop_back();
  }
}

}  // namespace rmail::gateway::exchange
