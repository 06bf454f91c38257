// What a client asked NOTIFY for (RFC 5465). Pure.
#ifndef RMAIL_GATEWAY_IMAP_NOTIFY_FILTER_H_
#define RMAIL_GATEWAY_IMAP_NOTIFY_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/syntax/command.h"

namespace rmail::gateway::imap {

class NotifyFilter {
 public:
  explicit NotifyFilter(const NotifyArguments& arguments);

  // NotifyEvent bits that any group asks for of a mailbox.
  uint8_t EventsOf(std::string_view path, bool subscribed) const;
  // Of any mailbox but the selected one, and of the server.
  uint8_t events() const { return all_; }

  // What is pushed of the selected mailbox: NotifyEvent bits, and what is fetched of new messages,
  // without marking them as seen.
  uint8_t selected_events() const { return selected_; }
  // Expunged messages too, when no command is under way ("selected"), or not ("selected-delayed").
  bool pushes_expunges() const { return pushes_expunges_; }
  const std::vector<FetchItem>& fetch() const { return fetch_; }

 private:
  using EventsByPath = std::map<std::string, uint8_t, std::less<>>;

  void Add(const NotifyGroup& group);

  EventsByPath mailboxes_;
  EventsByPath subtrees_;
  uint8_t personal_ = 0;
  uint8_t subscribed_ = 0;
  uint8_t all_ = 0;
  uint8_t selected_ = 0;
  bool pushes_expunges_ = false;
  std::vector<FetchItem> fetch_;
};

// Names of mailboxes in the groups.
size_t CountNames(const NotifyArguments& arguments);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_NOTIFY_FILTER_H_
