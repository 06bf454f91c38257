// LIST and LSUB answers from the account's mailboxes. Pure.
#ifndef RMAIL_GATEWAY_IMAP_MAILBOX_LISTING_H_
#define RMAIL_GATEWAY_IMAP_MAILBOX_LISTING_H_

#include <string>
#include <vector>

#include "gateway/imap/syntax/command.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::gateway::imap {

using MailboxList = google::protobuf::RepeatedPtrField<store::v1::Mailbox>;

// Appends LIST (or LSUB) answers, and the STATUS answers that go with them. `mailboxes` is sorted;
// it has
// counts when the arguments ask for STATUS; a mailbox without gets no STATUS answer.
void AppendList(std::string& out, const ListArguments& arguments, const MailboxList& mailboxes);
void AppendLsub(std::string& out, const ListArguments& arguments, const MailboxList& mailboxes);

// "* STATUS INBOX (MESSAGES 3)"; the mailbox has counts.
void AppendStatus(std::string& out, const store::v1::Mailbox& mailbox,
                  const std::vector<StatusItem>& items);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_MAILBOX_LISTING_H_
