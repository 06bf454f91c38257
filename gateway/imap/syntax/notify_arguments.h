// Arguments of NOTIFY (RFC 5465).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_NOTIFY_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_NOTIFY_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/syntax/message_arguments.h"

namespace rmail::gateway::imap {

// Bits; bit i has the name kNotifyEventNames[i].
enum NotifyEvent : uint8_t {
  kMessageNew = 1,
  kMessageExpunge = 2,
  kFlagChange = 4,
  kMailboxName = 8,
  kSubscriptionChange = 16,
  kMailboxMetadataChange = 32,
  kServerMetadataChange = 64,
};
inline constexpr std::string_view kNotifyEventNames[] = {
    "MessageNew",         "MessageExpunge",        "FlagChange",           "MailboxName",
    "SubscriptionChange", "MailboxMetadataChange", "ServerMetadataChange",
};
inline constexpr uint8_t kMessageEvents = kMessageNew | kMessageExpunge | kFlagChange;

// What a client wants to hear of some mailboxes.
struct NotifyGroup {
  // The order is that of kNotifyFilterNames.
  enum class Filter {
    kSelected,
    kSelectedDelayed,
    kInboxes,
    kPersonal,
    kSubscribed,
    kSubtree,
    kMailboxes,
  };
  Filter filter = Filter::kSelected;
  // Of kSubtree and kMailboxes, at least one.
  std::vector<std::string> mailboxes;
  // NotifyEvent bits.
  uint8_t events = 0;
  // What is fetched of new messages in the selected mailbox.
  std::vector<FetchItem> fetch;
  // Events that are not known, in upper case.
  std::vector<std::string> unknown_events;
  bool operator==(const NotifyGroup&) const = default;

  bool of_selected() const {
    return filter == Filter::kSelected || filter == Filter::kSelectedDelayed;
  }
};

inline constexpr std::string_view kNotifyFilterNames[] = {
    "SELECTED", "SELECTED-DELAYED", "INBOXES", "PERSONAL", "SUBSCRIBED", "SUBTREE", "MAILBOXES",
};

struct NotifyArguments {
  // A STATUS answer of each mailbox comes first.
  bool status = false;
  // Empty for NONE.
  std::vector<NotifyGroup> groups;
  bool operator==(const NotifyArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_NOTIFY_ARGUMENTS_H_
