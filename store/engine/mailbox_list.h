// mailboxes.json: which mailboxes an account has; and mailbox.json, its spare in each mailbox's
// folder. Pure: no I/O.
#ifndef RMAIL_STORE_ENGINE_MAILBOX_LIST_H_
#define RMAIL_STORE_ENGINE_MAILBOX_LIST_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::engine {

using store::v1::SpecialUse;

inline constexpr char kInbox[] = "INBOX";

struct MailboxEntry {
  std::string path;
  uint32_t uid_validity = 0;
  SpecialUse special_use = store::v1::SPECIAL_USE_UNSPECIFIED;
  bool subscribed = false;
  // Of the mailbox's own keywords: entry i is bit kFirstKeywordBit + kWellKnownKeywords.size() + i.
  // Only ever grows.
  std::vector<std::string> keywords;

  friend bool operator==(const MailboxEntry&, const MailboxEntry&) = default;
};

struct MailboxList {
  // By id.
  std::map<std::string, MailboxEntry> mailboxes;
  // The highest UIDVALIDITY ever given: a new mailbox gets a higher one.
  uint32_t last_uid_validity = 0;
  // Ids of mailboxes that were deleted and whose folders may still be there.
  std::set<std::string> deleted;
  // Paths that the user is subscribed to and that no mailbox has (any more).
  std::set<std::string> subscribed_paths;
  // Each mailbox's folder has its mailbox.json. False in lists of before there were any.
  bool described = true;

  // Null when no mailbox has the path.
  const std::pair<const std::string, MailboxEntry>* FindPath(std::string_view path) const;
  // The ids of the mailboxes below a path.
  std::vector<std::string> Below(std::string_view path) const;
  // A UIDVALIDITY that was never given in this account (RFC 9051, 2.3.1.1), and notes it.
  // CORRUPT_MAILBOX when none is left.
  absl::StatusOr<uint32_t> NextUidValidity(int64_t now_seconds);

  // After a change of `before` into this: subscriptions stay with the paths (RFC 9051, 6.3.7),
  // whichever mailbox has them now. A mailbox is unsubscribed only by a change of its own
  // `subscribed`, with its path as it was.
  void KeepSubscriptions(const MailboxList& before);
};

// The keywords that every mailbox has.
const std::vector<std::string>& WellKnownKeywords();
// How many of its own a mailbox may have.
size_t MaxOwnKeywords();
// All keywords of a mailbox, by bit.
std::vector<std::string> AllKeywords(const MailboxEntry& entry);

// The path as it is stored: "INBOX" in upper case, also as first level ("inbox/x"), NFC.
// INVALID_PATH for a path that is empty, longer than 1,000 octets or 32 levels, not UTF-8, or has
// an empty level, '.' or '..' as a level, a level of more than 255 octets, or a control character
// (also one of U+0080 to U+009F, U+2028, U+2029: RFC 5198, 2). '%' and '*' are allowed: they are
// "valid in a mailbox name" (RFC 9051, 5.1), only LIST can't name it exactly, and mailboxes that
// come from elsewhere have them.
absl::StatusOr<std::string> CanonicalPath(std::string_view path);

// DATA_LOSS for what is damaged, FAILED_PRECONDITION for a list of a later version of rmail; both
// are CORRUPT_MAILBOX. An entry whose path can't be one, or is another's too, gets the path that
// RecoveredPath gives.
absl::StatusOr<MailboxList> ParseMailboxList(std::string_view json);
std::string FormatMailboxList(const MailboxList& list);

// The path of a mailbox that has lost its own.
std::string RecoveredPath(std::string_view id);

// What mailbox.json says.
struct MailboxDescription {
  MailboxEntry entry;
  // MailboxList::last_uid_validity when it was written.
  uint32_t last_uid_validity = 0;
};
// DATA_LOSS for what is damaged.
absl::StatusOr<MailboxDescription> ParseMailboxDescription(std::string_view json);
std::string FormatMailboxDescription(const MailboxDescription& description);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_LIST_H_
