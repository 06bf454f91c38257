#include "gateway/imap/message_selection.h"

#include <algorithm>

namespace rmail::gateway::imap {

size_t Count(const std::vector<IndexRange>& messages) {
  size_t count = 0;
  for (const IndexRange& range : messages) count += range.last - range.first + 1;
  return count;
}

std::vector<IndexRange> ChangedSince(const SelectedMailbox& mailbox,
                                     const std::vector<IndexRange>& messages, uint64_t modseq) {
  std::vector<IndexRange> changed;
  for (const IndexRange& range : messages) {
    for (size_t index = range.first; index <= range.last; ++index) {
      if (mailbox.modseq(index) <= modseq) continue;
      if (!changed.empty() && changed.back().last + 1 == index) {
        changed.back().last = index;
      } else {
        changed.push_back({index, index});
      }
    }
  }
  return changed;
}

std::vector<IndexRange> Part(const std::vector<IndexRange>& messages, const PartialRange& part) {
  const PlaceRange places = PlacesOf(part, Count(messages));
  std::vector<IndexRange> chosen;
  size_t place = 0;
  for (const IndexRange& range : messages) {
    const size_t end = place + (range.last - range.first + 1);
    const size_t from = std::max(place, places.first);
    const size_t to = std::min(end, places.end);
    if (from < to) {
      chosen.push_back({range.first + (from - place), range.first + (to - place) - 1});
    }
    place = end;
  }
  return chosen;
}

}  // namespace rmail::gateway::imap
