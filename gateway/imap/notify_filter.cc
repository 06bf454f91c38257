#include "gateway/imap/notify_filter.h"

#include "gateway/imap/syntax/list_pattern.h"

namespace rmail::gateway::imap {

namespace {

template <typename Map>
uint8_t Find(const Map& events, std::string_view path) {
  const auto found = events.find(path);
  return found == events.end() ? uint8_t{0} : found->second;
}

}  // namespace

NotifyFilter::NotifyFilter(const NotifyArguments& arguments) {
  for (const NotifyGroup& group : arguments.groups) Add(group);
}

void NotifyFilter::Add(const NotifyGroup& group) {
  using Filter = NotifyGroup::Filter;
  if (!group.of_selected()) all_ |= group.events;
  switch (group.filter) {
    case Filter::kSelected:
      pushes_expunges_ = true;
      [[fallthrough]];
    case Filter::kSelectedDelayed:
      selected_ = group.events;
      fetch_ = group.fetch;
      for (FetchItem& item : fetch_) item.peek = true;
      break;
    case Filter::kInboxes:
      // Mail is delivered nowhere else.
      mailboxes_["INBOX"] |= group.events;
      break;
    case Filter::kPersonal:
      personal_ |= group.events;
      break;
    case Filter::kSubscribed:
      subscribed_ |= group.events;
      break;
    case Filter::kSubtree:
      for (const std::string& mailbox : group.mailboxes) subtrees_[mailbox] |= group.events;
      break;
    case Filter::kMailboxes:
      for (const std::string& mailbox : group.mailboxes) mailboxes_[mailbox] |= group.events;
      break;
  }
}

uint8_t NotifyFilter::EventsOf(std::string_view path, bool subscribed) const {
  uint8_t events = personal_ | Find(mailboxes_, path);
  if (subscribed) events |= subscribed_;
  if (subtrees_.empty()) return events;
  while (true) {
    events |= Find(subtrees_, path);
    const size_t delimiter = path.rfind(kHierarchyDelimiter);
    if (delimiter == std::string_view::npos) return events;
    path = path.substr(0, delimiter);
  }
}

size_t CountNames(const NotifyArguments& arguments) {
  size_t count = 0;
  for (const NotifyGroup& group : arguments.groups) count += group.mailboxes.size();
  return count;
}

}  // namespace rmail::gateway::imap
