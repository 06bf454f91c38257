// Arguments of the commands that name mailboxes.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_ARGUMENTS_H_

#include <string>
#include <vector>

namespace rmail::gateway::imap {

// CREATE, SELECT, EXAMINE. Names are UTF-8.
struct MailboxArguments {
  std::string mailbox;
  bool operator==(const MailboxArguments&) const = default;
};

enum class StatusItem { kMessages, kRecent, kUidNext, kUidValidity, kUnseen, kSize };

struct StatusArguments {
  std::string mailbox;
  std::vector<StatusItem> items;
  bool operator==(const StatusArguments&) const = default;
};

// LIST and LSUB, LIST with the options of RFC 5258, RFC 5819 and RFC 6154.
struct ListArguments {
  // Whether a form of RFC 5258 was used.
  bool extended = false;
  bool select_subscribed = false;
  bool select_remote = false;
  bool select_recursive_match = false;
  bool select_special_use = false;
  std::string reference;
  // At least one; with '%' and '*'.
  std::vector<std::string> patterns;
  bool return_subscribed = false;
  bool return_children = false;
  bool return_special_use = false;
  std::vector<StatusItem> return_status;
  bool operator==(const ListArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_ARGUMENTS_H_
