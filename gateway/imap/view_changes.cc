// What a selected mailbox's client is told of changes.
#include <algorithm>

#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

void AppendUntaggedNumber(std::string& out, uint64_t number, std::string_view name) {
  out += "* ";
  AppendNumber(out, number);
  out += ' ';
  out += name;
}

}  // namespace

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
  SortUniqueUids(expunged_);
  SetLines vanished(out, "* VANISHED ");
  auto gone = expunged_.begin();
  size_t kept = 0;
  size_t reported = 0;
  for (size_t i = 0; i < uids_.size(); ++i) {
    // Once the piece is full, the rest keeps its place for the next one.
    const bool full = out.size() >= kPiece;
    while (!full && gone != expunged_.end() && *gone < uids_[i]) ++gone;
    if (!full && gone != expunged_.end() && *gone == uids_[i]) {
      // A message that came and went without the client's knowledge has no number there.
      if (i < reported_size_) {
        ++reported;
        if (vanished_) {
          vanished.Add(uids_[i], uids_[i]);
        } else {
          // Each EXPUNGE lowers the numbers behind it (RFC 9051, 7.5.1).
          AppendUntaggedNumber(out, kept + 1, "EXPUNGE\r\n");
        }
      }
      ++gone;
      continue;
    }
    uids_[kept] = uids_[i];
    flags_.Copy(i, kept);
    if (tracks_modseqs_) modseqs_[kept] = modseqs_[i];
    ++kept;
  }
  // Behind the last message there is nothing to report.
  if (out.size() < kPiece) gone = expunged_.end();
  vanished.End();
  uids_.resize(kept);
  flags_.Truncate(kept);
  if (tracks_modseqs_) modseqs_.resize(kept);
  reported_size_ -= reported;
  if (gone == expunged_.end()) {
    expunged_ = {};
  } else {
    expunged_.erase(expunged_.begin(), gone);
  }
}

void SelectedMailbox::TakeFlagChanges(std::string& out) {
  SortUniqueUids(changed_);
  auto next = changed_.begin();
  for (; next != changed_.end() && out.size() < kPiece; ++next) {
    const std::optional<size_t> index = IndexOf(*next);
    if (!index) continue;
    AppendUntaggedNumber(out, *index + 1, "FETCH (UID ");
    AppendNumber(out, *next);
    out += ' ';
    AppendFlagsItem(out, *index);
    out += ")\r\n";
  }
  if (next == changed_.end()) {
    changed_ = {};
  } else {
    changed_.erase(changed_.begin(), next);
  }
}

void SelectedMailbox::AppendFlagsItem(std::string& out, size_t index) {
  out += "FLAGS ";
  AppendFlags(out, flags_[index], keywords_);
  if (modseq(index) == 0) return;
  out += ' ';
  AppendModseqItem(out, modseq(index));
}

void SelectedMailbox::AppendModseqItem(std::string& out, uint64_t modseq) {
  out += "MODSEQ (";
  AppendNumber(out, modseq);
  out += ')';
  NoteModseqSent(modseq);
}

void SelectedMailbox::TakeHighestModseq(std::string& out) {
  const bool told_all = expunged_.empty() && changed_.empty();
  if (told_all) told_modseq_ = std::max(told_modseq_, modseq_);
  if (!vanished_ || sent_modseq_ == told_modseq_) return;
  out += "* OK [HIGHESTMODSEQ ";
  AppendNumber(out, told_modseq_);
  out += told_all ? "] Highest\r\n" : "] Changes are still to be reported\r\n";
  sent_modseq_ = told_modseq_;
}

void SelectedMailbox::TakeKeywordChange(std::string& out) {
  if (!keywords_changed_) return;
  keywords_changed_ = false;
  AppendFlagsAnswers(out);
}

}  // namespace rmail::gateway::imap
