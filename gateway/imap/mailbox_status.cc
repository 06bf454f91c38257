// STATUS answers.
#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

uint64_t StatusNumber(StatusItem item, const store::v1::MailboxCounts& counts,
                      const ListingOptions& options) {
  switch (item) {
    case StatusItem::kMessages:
      return counts.messages();
    case StatusItem::kUidNext:
      return counts.uid_next();
    case StatusItem::kUidValidity:
      return counts.uid_validity();
    case StatusItem::kUnseen:
      return counts.unseen();
    case StatusItem::kSize:
      return counts.size();
    case StatusItem::kHighestModseq:
      return counts.highest_modseq();
    case StatusItem::kDeleted:
      return counts.deleted();
    case StatusItem::kDeletedStorage:
      return counts.deleted_size();
    case StatusItem::kAppendLimit:
      return options.append_limit;
    case StatusItem::kRecent:
    case StatusItem::kMailboxId:
      break;
  }
  // \Recent is not kept.
  return 0;
}

}  // namespace

void AppendStatus(std::string& out, const store::v1::Mailbox& mailbox,
                  const std::vector<StatusItem>& items, const ListingOptions& options) {
  out += "* STATUS ";
  AppendMailboxName(out, mailbox.path(), options.utf8);
  char separator = '(';
  out += ' ';
  for (const StatusItem item : items) {
    out += separator;
    separator = ' ';
    out += StatusItemName(item);
    out += ' ';
    if (item == StatusItem::kMailboxId) {
      // RFC 8474, 4.3.
      out += '(';
      out += MailboxId(mailbox.name());
      out += ')';
    } else {
      AppendNumber(out, StatusNumber(item, mailbox.counts(), options));
    }
  }
  out += ")\r\n";
}

}  // namespace rmail::gateway::imap
