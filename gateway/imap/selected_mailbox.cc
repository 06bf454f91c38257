#include "gateway/imap/selected_mailbox.h"

#include <algorithm>

#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

// See store.v1.MessageFlags.
constexpr uint64_t kSystemFlags = 0x1f;
constexpr size_t kFirstKeywordBit = 5;
constexpr size_t kKeywordBits = 31;
constexpr uint64_t kAllFlags = (uint64_t{1} << (kFirstKeywordBit + kKeywordBits)) - 1;

void SortUnique(std::vector<uint32_t>& uids) {
  if (!std::is_sorted(uids.begin(), uids.end())) std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
}

void AppendUntaggedNumber(std::string& out, uint64_t number, std::string_view name) {
  out += "* ";
  AppendNumber(out, number);
  out += ' ';
  out += name;
}

}  // namespace

SelectedMailbox::SelectedMailbox(std::string name, bool read_only)
    : name_(std::move(name)), read_only_(read_only) {}

std::optional<size_t> SelectedMailbox::IndexOf(uint32_t uid) const {
  const auto found = std::lower_bound(uids_.begin(), uids_.end(), uid);
  if (found == uids_.end() || *found != uid) return std::nullopt;
  return static_cast<size_t>(found - uids_.begin());
}

std::optional<size_t> SelectedMailbox::FirstUnseen() const {
  for (size_t i = 0; i < flags_.size(); ++i) {
    if ((flags_[i] & store::v1::MESSAGE_FLAGS_SEEN) == 0) return i;
  }
  return std::nullopt;
}

store::v1::SyncMailboxRequest SelectedMailbox::SyncRequest() const {
  store::v1::SyncMailboxRequest request;
  request.set_mailbox(name_);
  request.set_uid_validity(uid_validity_);
  request.set_since_modseq(modseq_);
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
    resetting_ = response.reset() && modseq_ != 0;
    listed_.clear();
    if (modseq_ == 0) {
      uids_.reserve(counts.messages());
      flags_.reserve(counts.messages());
    }
  }
  ApplyColumns(response.changed());
  MarkExpunged(response.expunged());
  return true;
}

void SelectedMailbox::ApplyColumns(const store::v1::MessageColumns& columns) {
  const int count = std::min(columns.uids_size(), columns.flags_size());
  size_t from = 0;
  for (int i = 0; i < count; ++i) {
    const uint32_t uid = columns.uids(i);
    if (resetting_) listed_.push_back(uid);
    if (uids_.empty() || uid > uids_.back()) {
      uids_.push_back(uid);
      flags_.push_back(columns.flags(i) & named_flags_);
      continue;
    }
    const auto found =
        std::lower_bound(uids_.begin() + static_cast<std::ptrdiff_t>(from), uids_.end(), uid);
    from = static_cast<size_t>(found - uids_.begin());
    // UIDs only grow (RFC 9051, 2.3.1.1): one that is new below the highest known can't be shown to
    // this client.
    if (*found != uid) continue;
    SetFlags(from, columns.flags(i), true);
  }
}

void SelectedMailbox::FinishSync() {
  modseq_ = next_modseq_;
  if (!resetting_) return;
  resetting_ = false;
  SortUnique(listed_);
  std::set_difference(uids_.begin(), uids_.end(), listed_.begin(), listed_.end(),
                      std::back_inserter(expunged_));
  listed_ = {};
}

void SelectedMailbox::ForgetChanges() {
  expunged_.clear();
  changed_.clear();
  keywords_changed_ = false;
  reported_size_ = uids_.size();
}

void SelectedMailbox::SetFlags(size_t index, uint64_t flags, bool report) {
  flags &= named_flags_;
  if (flags_[index] == flags) return;
  flags_[index] = flags;
  if (report) changed_.push_back(uids_[index]);
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

void SelectedMailbox::MarkExpunged(const UidRangeList& uids) {
  for (const store::v1::UidRange& range : uids) {
    const auto first = std::lower_bound(uids_.begin(), uids_.end(), range.first());
    const auto last = std::upper_bound(first, uids_.end(), range.last());
    expunged_.insert(expunged_.end(), first, last);
  }
}

bool SelectedMailbox::TakeChanges(std::string& out, bool expunges) {
  if (expunges && !expunged_.empty()) TakeExpunges(out);
  if (expunges && !expunged_.empty()) return false;
  if (uids_.size() != reported_size_) {
    AppendUntaggedNumber(out, uids_.size(), "EXISTS\r\n");
    reported_size_ = uids_.size();
  }
  TakeKeywordChange(out);
  if (!changed_.empty()) TakeFlagChanges(out);
  return changed_.empty();
}

void SelectedMailbox::TakeExpunges(std::string& out) {
  SortUnique(expunged_);
  auto gone = expunged_.begin();
  size_t kept = 0;
  size_t unreported = 0;
  for (size_t i = 0; i < uids_.size(); ++i) {
    // Once the piece is full, the rest keeps its place for the next one.
    const bool full = out.size() >= kPiece;
    while (!full && gone != expunged_.end() && *gone < uids_[i]) ++gone;
    if (!full && gone != expunged_.end() && *gone == uids_[i]) {
      // A message that came and went without the client's knowledge has no number there.
      if (i < reported_size_) {
        // Each EXPUNGE lowers the numbers behind it (RFC 9051, 7.5.1).
        AppendUntaggedNumber(out, kept + 1, "EXPUNGE\r\n");
        ++unreported;
      }
      ++gone;
      continue;
    }
    uids_[kept] = uids_[i];
    flags_[kept] = flags_[i];
    ++kept;
  }
  // Behind the last message there is nothing to report.
  if (out.size() < kPiece) gone = expunged_.end();
  uids_.resize(kept);
  flags_.resize(kept);
  reported_size_ -= unreported;
  if (gone == expunged_.end()) {
    expunged_ = {};
  } else {
    expunged_.erase(expunged_.begin(), gone);
  }
}

void SelectedMailbox::TakeFlagChanges(std::string& out) {
  SortUnique(changed_);
  auto next = changed_.begin();
  for (; next != changed_.end() && out.size() < kPiece; ++next) {
    const std::optional<size_t> index = IndexOf(*next);
    if (!index) continue;
    AppendUntaggedNumber(out, *index + 1, "FETCH (UID ");
    AppendNumber(out, *next);
    out += " FLAGS ";
    AppendFlags(out, flags_[*index], keywords_);
    out += ")\r\n";
  }
  if (next == changed_.end()) {
    changed_ = {};
  } else {
    changed_.erase(changed_.begin(), next);
  }
}

void SelectedMailbox::TakeKeywordChange(std::string& out) {
  if (!keywords_changed_) return;
  keywords_changed_ = false;
  AppendFlagsAnswers(out);
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
  std::vector<IndexRange> messages;
  for (const SequenceRange& range : Normalize(set, static_cast<uint32_t>(uids_.size()))) {
    if (range.first > uids_.size()) return std::nullopt;
    messages.push_back({range.first - 1, std::min<size_t>(range.last, uids_.size()) - 1});
  }
  return messages;
}

std::vector<IndexRange> SelectedMailbox::ResolveUids(const SequenceSet& set) const {
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

}  // namespace rmail::gateway::imap
