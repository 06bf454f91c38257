// Arguments of the commands that name mailboxes.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT. Names are UTF-8.
struct MailboxArguments {
  std::string mailbox;
  bool operator==(const MailboxArguments&) const = default;
};

struct CreateArguments {
  std::string mailbox;
  // USE (RFC 6154, 3): in upper case, without the backslash.
  std::vector<std::string> uses;
  bool operator==(const CreateArguments&) const = default;
};

struct RenameArguments {
  std::string from;
  std::string to;
  bool operator==(const RenameArguments&) const = default;
};

// COPY and MOVE.
struct CopyArguments {
  SequenceSet set;
  std::string mailbox;
  bool operator==(const CopyArguments&) const = default;
};

// The order is that of kStatusItemNames.
enum class StatusItem {
  kMessages,
  kRecent,
  kUidNext,
  kUidValidity,
  kUnseen,
  // RFC 8438.
  kSize,
  // RFC 7162.
  kHighestModseq,
  kDeleted,
  // RFC 9208.
  kDeletedStorage,
  // RFC 8474.
  kMailboxId,
  // RFC 7889.
  kAppendLimit,
};

inline constexpr std::string_view kStatusItemNames[] = {
    "MESSAGES",      "RECENT",  "UIDNEXT",         "UIDVALIDITY", "UNSEEN",      "SIZE",
    "HIGHESTMODSEQ", "DELETED", "DELETED-STORAGE", "MAILBOXID",   "APPENDLIMIT",
};

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

// GETQUOTA and SETQUOTA (RFC 9208).
struct QuotaArguments {
  std::string root;
  // Only SETQUOTA's: names of resources, in upper case, and their limits.
  std::optional<std::vector<std::pair<std::string, uint64_t>>> limits;
  bool operator==(const QuotaArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_MAILBOX_ARGUMENTS_H_
