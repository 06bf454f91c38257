// Engine's mailboxes as the contract's messages.
#ifndef RMAIL_STORE_SERVICE_MAILBOX_VIEW_H_
#define RMAIL_STORE_SERVICE_MAILBOX_VIEW_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "store/engine/account.h"
#include "store/engine/index.h"
#include "store/engine/mailbox_list.h"
#include "store/engine/row_cursor.h"

namespace rmail::service {

// All but the counts.
void FillMailbox(const engine::Account& account, const std::string& id,
                 const engine::MailboxEntry& entry, store::v1::Mailbox* mailbox);
void FillCounts(const engine::MailboxEntry& entry, const engine::IndexCounts& counts,
                store::v1::MailboxCounts* out);
// Everything; opens the mailbox.
absl::Status FillMailboxWithCounts(engine::Account& account, const std::string& id,
                                   store::v1::Mailbox* mailbox);

// UIDs, flags and modseqs.
void AddRow(const engine::MessageRow& row, store::v1::MessageColumns* columns);

// The same for many.
void AddRun(const engine::RowRun& run, bool with_modseqs, store::v1::MessageColumns* columns);

// Ascending UIDs as ranges.
void AddRanges(const std::vector<uint32_t>& uids,
               google::protobuf::RepeatedPtrField<store::v1::UidRange>* ranges);
void AddRanges(const std::vector<engine::UidSpan>& spans,
               google::protobuf::RepeatedPtrField<store::v1::UidRange>* ranges);

// Ranges in order and without overlap; ranges that are none are left out. INVALID_REQUEST for more
// than 100,000.
absl::StatusOr<std::vector<engine::UidSpan>> ToSpans(
    const google::protobuf::RepeatedPtrField<store::v1::UidRange>& ranges);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_MAILBOX_VIEW_H_
