#include "gateway/imap/flag_update.h"

#include <algorithm>
#include <utility>

namespace rmail::gateway::imap {

FlagUpdate::FlagUpdate(store::v1::UpdateFlagsRequest request, const SelectedMailbox& mailbox,
                       std::vector<IndexRange> messages)
    : request_(std::move(request)), mailbox_(mailbox), messages_(std::move(messages)) {
  request_.set_mailbox(mailbox_.name());
}

std::optional<store::v1::UpdateFlagsRequest> FlagUpdate::Next() {
  if (next_ == messages_.size()) return std::nullopt;
  std::vector<IndexRange> step;
  size_t room = kStep;
  while (room > 0 && next_ < messages_.size()) {
    IndexRange& range = messages_[next_];
    const size_t last = std::min(range.last, range.first + room - 1);
    step.push_back({range.first, last});
    room -= last - range.first + 1;
    if (last == range.last) {
      ++next_;
    } else {
      range.first = last + 1;
    }
  }
  request_.clear_uids();
  mailbox_.AddUidRanges(step, *request_.mutable_uids());
  return request_;
}

}  // namespace rmail::gateway::imap
