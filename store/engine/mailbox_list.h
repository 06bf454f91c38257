// mailboxes.json: which mailboxes an account has. Pure: no I/O.
#ifndef RMAIL_STORE_ENGINE_MAILBOX_LIST_H_
#define RMAIL_STORE_ENGINE_MAILBOX_LIST_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::engine {

using store::v1::SpecialUse;

struct MailboxEntry {
  std::string path;
  uint32_t uid_validity = 0;
  SpecialUse special_use = store::v1::SPECIAL_USE_UNSPECIFIED;
  bool subscribed = true;
  // Of the mailbox's own keywords: entry i is bit kFirstKeywordBit + kWellKnownKeywords.size() + i.
  // Only ever grows.
  std::vector<std::string> keywords;
};

struct MailboxList {
  // By id.
  std::map<std::string, MailboxEntry> mailboxes;
  // The highest UIDVALIDITY ever given: a new mailbox gets a higher one.
  uint32_t last_uid_validity = 0;

  // Null when no mailbox has the path.
  const std::pair<const std::string, MailboxEntry>* FindPath(std::string_view path) const;
};

// The keywords that every mailbox has.
const std::vector<std::string>& WellKnownKeywords();
// All keywords of a mailbox, by bit.
std::vector<std::string> AllKeywords(const MailboxEntry& entry);

// The path as it is stored: "INBOX" in upper case, also as first level ("inbox/x"), NFC.
// INVALID_PATH for a path that is empty, longer than 1,000 octets or 32 levels, not UTF-8, or has
// an empty level, '.' or '..' as a level, a level of more than 255 octets, or a control character.
absl::StatusOr<std::string> CanonicalPath(std::string_view path);

absl::StatusOr<MailboxList> ParseMailboxList(std::string_view json);
std::string FormatMailboxList(const MailboxList& list);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MAILBOX_LIST_H_
