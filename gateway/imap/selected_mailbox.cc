#include "gateway/imap/selected_mailbox.h"

#include <algorithm>
#include <functional>

#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

// See store.v1.MessageFlags.
constexpr uint64_t kSystemFlags = 0x1f;
constexpr size_t kFirstKeywordBit = 5;
constexpr size_t kKeywordBits = 31;
constexpr uint64_t kAllFlags = (uint64_t{1} << (kFirstKeywordBit + kKeywordBits)) - 1;

}  // namespace

void SortUniqueUids(std::vector<uint32_t>& uids) {
  if (!std::is_sorted(uids.begin(), uids.end())) std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
}

SelectedMailbox::SelectedMailbox(std::string name, bool read_only)
    : name_(std::move(name)), read_only_(read_only) {}

std::optional<size_t> SelectedMailbox::IndexOf(uint32_t uid) const {
  const auto found = std::lower_bound(uids_.begin(), uids_.end(), uid);
  if (found == uids_.end() || *found != uid) return std::nullopt;
  return static_cast<size_t>(found - uids_.begin());
}

size_t SelectedMailbox::LowerBound(uint32_t uid) const {
  return static_cast<size_t>(std::lower_bound(uids_.begin(), uids_.end(), uid) - uids_.begin());
}

std::optional<size_t> SelectedMailbox::FirstUnseen() const {
  for (size_t i = 0; i < flags_.size(); ++i) {
    if ((flags_[i] & store::v1::MESSAGE_FLAGS_SEEN) == 0) return i;
  }
  return std::nullopt;
}

void SelectedMailbox::TrackModseqs() {
  if (tracks_modseqs_) return;
  tracks_modseqs_ = true;
  modseqs_.assign(uids_.size(), 0);
  refill_ = modseq_ != 0;
}

store::v1::SyncMailboxRequest SelectedMailbox::SyncRequest() const {
  store::v1::SyncMailboxRequest request;
  request.set_mailbox(name_);
  request.set_uid_validity(uid_validity_);
  request.set_since_modseq(refill_ ? 0 : modseq_);
  request.set_omit_modseqs(!tracks_modseqs_);
  return request;
}

bool SelectedMailbox::Apply(const store::v1::SyncMailboxResponse& response) {
  if (response.has_mailbox()) {
    const store::v1::MailboxCounts& counts = response.mailbox().counts();
    if (uid_validity_ != 0 && counts.uid_validity() != uid_validity_) return false;
    uid_validity_ = counts.uid_validity();
    uid_next_ = counts.uid_next();
    next_modseq_ = counts.highest_modseq();
    SetKeywords(response.mailbox().keywords());
    resetting_ = modseq_ != 0 && (refill_ || response.reset());
    listed_.clear();
    if (modseq_ == 0) {
      uids_.reserve(counts.messages());
      flags_.Reserve(counts.messages());
      if (tracks_modseqs_) modseqs_.reserve(counts.messages());
    }
  }
  ApplyColumns(response.changed());
  MarkExpunged(response.expunged());
  return true;
}

void SelectedMailbox::ApplyColumns(const store::v1::MessageColumns& columns) {
  const int count = std::min(columns.uids_size(), columns.flags_size());
  if (AppendColumns(columns, count)) return;
  size_t from = 0;
  for (int i = 0; i < count; ++i) {
    const uint32_t uid = columns.uids(i);
    const uint64_t modseq = i < columns.modseqs_size() ? columns.modseqs(i) : 0;
    if (resetting_) listed_.push_back(uid);
    if (uids_.empty() || uid > uids_.back()) {
      uids_.push_back(uid);
      flags_.Add(columns.flags(i) & named_flags_);
      if (tracks_modseqs_) modseqs_.push_back(modseq);
      continue;
    }
    // Most changes are of neighbours: look there first.
    if (from < uids_.size() && uids_[from] < uid) ++from;
    if (from >= uids_.size() || uids_[from] != uid) from = LowerBound(uid);
    // UIDs only grow (RFC 9051, 2.3.1.1): one that is new below the highest known can't be shown to
    // this client.
    if (uids_[from] != uid) continue;
    SetMessage(from, columns.flags(i), modseq, true);
  }
}

// A whole mailbox comes this way: no message is looked for.
bool SelectedMailbox::AppendColumns(const store::v1::MessageColumns& columns, int count) {
  if (resetting_ || count == 0) return false;
  const auto first = columns.uids().begin();
  const auto last = first + count;
  if (!uids_.empty() && *first <= uids_.back()) return false;
  if (std::adjacent_find(first, last, std::greater_equal<>()) != last) return false;
  uids_.insert(uids_.end(), first, last);
  flags_.Append({columns.flags().data(), static_cast<size_t>(count)}, named_flags_);
  if (!tracks_modseqs_) return true;
  for (int i = 0; i < count; ++i) {
    modseqs_.push_back(i < columns.modseqs_size() ? columns.modseqs(i) : 0);
  }
  return true;
}

void SelectedMailbox::FinishSync() {
  if (modseq_ != next_modseq_) ++generation_;
  modseq_ = next_modseq_;
  refill_ = false;
  if (!resetting_) return;
  resetting_ = false;
  SortUniqueUids(listed_);
  std::set_difference(uids_.begin(), uids_.end(), listed_.begin(), listed_.end(),
                      std::back_inserter(expunged_));
  listed_ = {};
}

void SelectedMailbox::ForgetChanges() {
  expunged_.clear();
  changed_.clear();
  keywords_changed_ = false;
  reported_size_ = uids_.size();
  told_modseq_ = modseq_;
  sent_modseq_ = modseq_;
}

void SelectedMailbox::SetMessage(size_t index, uint64_t flags, uint64_t modseq, bool report) {
  flags &= named_flags_;
  bool changed = flags_[index] != flags;
  if (changed) flags_.Set(index, flags);
  if (tracks_modseqs_ && modseq != 0) {
    // The first one that is known is no change.
    changed |= modseqs_[index] != 0 && modseqs_[index] != modseq;
    modseqs_[index] = modseq;
  }
  if (changed) ++generation_;
  if (changed && report) changed_.push_back(uids_[index]);
}

void SelectedMailbox::SetKeywords(const google::protobuf::RepeatedPtrField<std::string>& keywords) {
  if (std::equal(keywords.begin(), keywords.end(), keywords_.begin(), keywords_.end())) return;
  keywords_.assign(keywords.begin(), keywords.end());
  keywords_changed_ = true;
  named_flags_ = kSystemFlags;
  for (size_t i = 0; i < keywords_.size() && i < kKeywordBits; ++i) {
    if (!keywords_[i].empty()) named_flags_ |= uint64_t{1} << (kFirstKeywordBit + i);
  }
}

std::vector<uint32_t> SelectedMailbox::UnreportedExpunges() const {
  std::vector<uint32_t> uids = expunged_;
  SortUniqueUids(uids);
  return uids;
}

void SelectedMailbox::MarkExpunged(const UidRangeList& uids) {
  if (!uids.empty()) ++generation_;
  for (const store::v1::UidRange& range : uids) {
    const auto first = std::lower_bound(uids_.begin(), uids_.end(), range.first());
    const auto last = std::upper_bound(first, uids_.end(), range.last());
    expunged_.insert(expunged_.end(), first, last);
  }
}

void SelectedMailbox::AppendFlagsAnswers(std::string& out) const {
  constexpr uint64_t kEvery = ~uint64_t{0};
  out += "* FLAGS ";
  AppendFlags(out, kEvery, keywords_);
  out += "\r\n* OK [PERMANENTFLAGS ";
  if (read_only_) {
    out += "()] No flag can be changed\r\n";
    return;
  }
  AppendFlags(out, kEvery, keywords_);
  // RFC 9051, 7.1: new keywords can be made, as long as a bit is free.
  if (named_flags_ != kAllFlags) {
    out.pop_back();
    out += " \\*)";
  }
  out += "] Flags that can be changed\r\n";
}

std::optional<std::vector<IndexRange>> SelectedMailbox::ResolveSequence(
    const SequenceSet& set) const {
  if (set.saved) return ResolveUids(saved_);
  std::vector<IndexRange> messages;
  for (const SequenceRange& range : Normalize(set, static_cast<uint32_t>(uids_.size()))) {
    if (range.first > uids_.size()) return std::nullopt;
    messages.push_back({range.first - 1, std::min<size_t>(range.last, uids_.size()) - 1});
  }
  return messages;
}

std::vector<IndexRange> SelectedMailbox::ResolveUids(const SequenceSet& set) const {
  if (set.saved) return ResolveUids(saved_);
  std::vector<IndexRange> messages;
  auto from = uids_.begin();
  for (const SequenceRange& range : Normalize(set, uids_.empty() ? 0 : uids_.back())) {
    const auto first = std::lower_bound(from, uids_.end(), range.first);
    from = std::upper_bound(first, uids_.end(), range.last);
    if (first == from) continue;
    const auto first_index = static_cast<size_t>(first - uids_.begin());
    const auto last_index = static_cast<size_t>(from - uids_.begin()) - 1;
    if (!messages.empty() && messages.back().last + 1 == first_index) {
      messages.back().last = last_index;
    } else {
      messages.push_back({first_index, last_index});
    }
  }
  return messages;
}

void SelectedMailbox::AddUidRanges(const std::vector<IndexRange>& messages,
                                   UidRangeList& out) const {
  for (const IndexRange& range : messages) {
    store::v1::UidRange* uids = out.Add();
    uids->set_first(uids_[range.first]);
    uids->set_last(uids_[range.last]);
  }
}

std::string_view MailboxId(std::string_view name) { return name.substr(name.rfind('/') + 1); }

}  // namespace rmail::gateway::imap
