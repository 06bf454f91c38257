#include "gateway/imap/vanished_uids.h"

#include <algorithm>
#include <utility>

namespace rmail::gateway::imap {

uint32_t MatchedUid(const QresyncParameter& parameter, const SelectedMailbox& mailbox) {
  const auto& numbers = parameter.match_numbers.ranges;
  const auto& uids = parameter.match_uids.ranges;
  size_t i = numbers.size();
  size_t j = uids.size();
  // From the highest pair down: `number` and `uid` belong together.
  uint32_t number = 0;
  uint32_t uid = 0;
  while (true) {
    if (number == 0) {
      if (i == 0) return 0;
      number = numbers[--i].last;
    }
    if (uid == 0) {
      if (j == 0) return 0;
      uid = uids[--j].last;
    }
    // Pairs that follow each other; only those whose number there is are looked at.
    const uint32_t pairs = std::min(number - numbers[i].first, uid - uids[j].first) + 1;
    const uint64_t too_high = number > mailbox.size() ? number - mailbox.size() : 0;
    for (uint64_t k = too_high; k < pairs; ++k) {
      if (mailbox.uid(number - k - 1) == uid - k) return static_cast<uint32_t>(uid - k);
    }
    number = number - pairs < numbers[i].first ? 0 : number - pairs;
    uid = uid - pairs < uids[j].first ? 0 : uid - pairs;
  }
}

VanishedUids::VanishedUids(const SelectedMailbox& mailbox, const SequenceSet& known, uint32_t above)
    : mailbox_(mailbox) {
  // What the view does not know yet has not been there for the client either.
  const uint32_t highest = mailbox.uid_next() - 1;
  if (above >= highest) return;
  known_ = Intersect(Normalize(known, highest), {{above + 1, highest}});
}

void VanishedUids::Take(const store::v1::SyncMailboxResponse& response) {
  reset_ |= response.reset();
  for (const store::v1::UidRange& range : response.expunged()) {
    gone_.push_back({range.first(), range.last()});
  }
}

void VanishedUids::Finish() {
  if (reset_) {
    gone_ = std::move(known_);
  } else {
    // They come in the order in which they went.
    gone_ = Intersect(Normalize({std::move(gone_)}, 0), known_);
  }
  known_ = {};
}

bool VanishedUids::Append(std::string& out) {
  SetLines lines(out, "* VANISHED (EARLIER) ");
  for (; next_range_ < gone_.size(); ++next_range_, next_uid_ = 0) {
    const SequenceRange& range = gone_[next_range_];
    next_uid_ = std::max<uint64_t>(next_uid_, range.first);
    for (size_t index = mailbox_.LowerBound(static_cast<uint32_t>(next_uid_));
         next_uid_ <= range.last; ++index) {
      if (out.size() >= SelectedMailbox::kPiece) {
        lines.End();
        return false;
      }
      // Up to the next message that is there.
      const bool there = index < mailbox_.size() && mailbox_.uid(index) <= range.last;
      const uint64_t end = there ? mailbox_.uid(index) : uint64_t{range.last} + 1;
      if (next_uid_ < end) {
        lines.Add(static_cast<uint32_t>(next_uid_), static_cast<uint32_t>(end - 1));
      }
      next_uid_ = end + 1;
    }
  }
  lines.End();
  return true;
}

}  // namespace rmail::gateway::imap
