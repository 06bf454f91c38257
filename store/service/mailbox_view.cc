#include "store/service/mailbox_view.h"

#include <algorithm>
#include <memory>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/address.h"

namespace rmail::service {
namespace {

constexpr int kMaxRanges = 100'000;

}  // namespace

void FillMailbox(const engine::Account& account, const std::string& id,
                 const engine::MailboxEntry& entry, store::v1::Mailbox* mailbox) {
  mailbox->set_name(engine::MailboxName(account.address().ToString(), id));
  mailbox->set_path(entry.path);
  mailbox->set_special_use(entry.special_use);
  mailbox->set_subscribed(entry.subscribed);
  for (const std::string& keyword : engine::AllKeywords(entry)) mailbox->add_keywords(keyword);
}

void FillCounts(const engine::MailboxEntry& entry, const engine::IndexCounts& counts,
                store::v1::MailboxCounts* out) {
  out->set_uid_validity(entry.uid_validity);
  out->set_uid_next(counts.uid_next);
  out->set_highest_modseq(counts.highest_modseq);
  out->set_messages(counts.messages);
  out->set_unseen(counts.unseen);
  out->set_deleted(counts.deleted);
  out->set_size(counts.size);
  out->set_deleted_size(counts.deleted_size);
}

absl::Status FillMailboxWithCounts(engine::Account& account, const std::string& id,
                                   store::v1::Mailbox* mailbox) {
  RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> opened, account.OpenMailbox(id));
  RMAIL_ASSIGN_OR_RETURN(const engine::IndexCounts counts, opened->Counts());
  RMAIL_ASSIGN_OR_RETURN(const engine::MailboxEntry entry, account.Entry(id));
  FillMailbox(account, id, entry, mailbox);
  FillCounts(entry, counts, mailbox->mutable_counts());
  return absl::OkStatus();
}

void AddRow(const engine::MessageRow& row, store::v1::MessageColumns* columns) {
  columns->add_uids(row.info.uid);
  columns->add_flags(row.info.flags);
  columns->add_modseqs(row.modseq);
}

void AddRun(const engine::RowRun& run, bool with_modseqs, store::v1::MessageColumns* columns) {
  const auto add = [&run](const auto& column, auto* out) {
    const auto begin = column.begin();
    out->Add(begin + static_cast<ptrdiff_t>(run.begin), begin + static_cast<ptrdiff_t>(run.end));
  };
  add(run.columns->uids, columns->mutable_uids());
  add(run.columns->flags, columns->mutable_flags());
  if (with_modseqs) add(run.columns->modseqs, columns->mutable_modseqs());
}

void AddRanges(const std::vector<uint32_t>& uids,
               google::protobuf::RepeatedPtrField<store::v1::UidRange>* ranges) {
  for (const uint32_t uid : uids) {
    if (!ranges->empty() && ranges->rbegin()->last() + 1 == uid) {
      ranges->rbegin()->set_last(uid);
    } else {
      store::v1::UidRange* const range = ranges->Add();
      range->set_first(uid);
      range->set_last(uid);
    }
  }
}

void AddRanges(const std::vector<engine::UidSpan>& spans,
               google::protobuf::RepeatedPtrField<store::v1::UidRange>* ranges) {
  for (const engine::UidSpan& span : spans) {
    store::v1::UidRange* const range = ranges->Add();
    range->set_first(span.first);
    range->set_last(span.last);
  }
}

absl::StatusOr<std::vector<engine::UidSpan>> ToSpans(
    const google::protobuf::RepeatedPtrField<store::v1::UidRange>& ranges) {
  if (ranges.size() > kMaxRanges) {
    return Error(store::v1::ERROR_REASON_INVALID_REQUEST, "too many ranges of UIDs");
  }
  std::vector<engine::UidSpan> sorted;
  for (const store::v1::UidRange& range : ranges) {
    if (range.first() >= 1 && range.first() <= range.last()) {
      sorted.push_back({range.first(), range.last()});
    }
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const engine::UidSpan& a, const engine::UidSpan& b) { return a.first < b.first; });
  std::vector<engine::UidSpan> spans;
  for (const engine::UidSpan& span : sorted) {
    if (!spans.empty() && span.first <= spans.back().last) {
      spans.back().last = std::max(spans.back().last, span.last);
    } else {
      spans.push_back(span);
    }
  }
  return spans;
}

}  // namespace rmail::service
