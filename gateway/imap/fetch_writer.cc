#include "gateway/imap/fetch_writer.h"

#include <algorithm>

#include "gateway/imap/syntax/digest_writer.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

void AppendFetchStart(std::string& out, size_t index) {
  out += "* ";
  AppendNumber(out, index + 1);
  out += " FETCH (";
}

}  // namespace

bool FetchWriter::Consume(const store::v1::FetchMessagesResponse& response) {
  const int rows = response.columns().uids_size();
  int row = 0;
  const auto begin_next = [&] {
    if (!End()) return false;
    Begin(response, row++);
    return true;
  };
  for (const store::v1::SectionData& data : response.sections()) {
    // Data of messages that this client does not know is dropped with them, so look ahead only to
    // rows that match.
    while (row < rows && response.columns().uids(row) <= data.uid()) {
      if (!begin_next()) return false;
    }
    if (data.uid() == uid_ && !AppendSectionData(data)) return false;
  }
  while (row < rows) {
    if (!begin_next()) return false;
  }
  return true;
}

bool FetchWriter::Finish() { return End(); }

void FetchWriter::Begin(const store::v1::FetchMessagesResponse& response, int row) {
  const uint32_t uid = response.columns().uids(row);
  const std::optional<size_t> index = mailbox_.IndexOf(uid);
  if (!index) return;
  uid_ = uid;
  first_item_ = true;
  ++messages_;
  const bool shows_flags =
      plan_.flags || std::binary_search(newly_seen_.begin(), newly_seen_.end(), uid_);
  if (row < response.columns().flags_size()) {
    mailbox_.SetFlags(*index, response.columns().flags(row), !shows_flags);
  }
  AppendFetchStart(out_, *index);
  if (plan_.uid) {
    Separate();
    out_ += "UID ";
    AppendNumber(out_, uid_);
  }
  if (shows_flags) {
    Separate();
    out_ += "FLAGS ";
    AppendFlags(out_, mailbox_.flags(*index), mailbox_.keywords());
  }
  AppendMetadata(response, row);
}

void FetchWriter::AppendMetadata(const store::v1::FetchMessagesResponse& response, int row) {
  const store::v1::MessageColumns& columns = response.columns();
  if (plan_.internal_date && row < columns.internal_dates_size()) {
    Separate();
    out_ += "INTERNALDATE ";
    AppendInternalDate(out_, columns.internal_dates(row));
  }
  if (plan_.size && row < columns.sizes_size()) {
    Separate();
    out_ += "RFC822.SIZE ";
    AppendNumber(out_, columns.sizes(row));
  }
  if (row >= response.digests_size()) return;
  const store::v1::MessageDigest& digest = response.digests(row);
  if (plan_.envelope) {
    Separate();
    out_ += "ENVELOPE ";
    AppendEnvelope(out_, digest.envelope());
  }
  if (plan_.body) {
    Separate();
    out_ += "BODY ";
    AppendBodyStructure(out_, digest.body(), false);
  }
  if (plan_.body_structure) {
    Separate();
    out_ += "BODYSTRUCTURE ";
    AppendBodyStructure(out_, digest.body(), true);
  }
}

bool FetchWriter::AppendSectionData(const store::v1::SectionData& data) {
  if (data.section() >= plan_.labels.size()) return false;
  if (data.position() == 0 || data.missing()) {
    if (literal_left_ > 0) return false;
    Separate();
    out_ += plan_.labels[data.section()];
    if (data.missing()) {
      // RFC 9051, 7.5.2: a part that is not there is NIL.
      out_ += " NIL";
      return true;
    }
    out_ += " {";
    AppendNumber(out_, data.total());
    out_ += "}\r\n";
    literal_left_ = data.total();
    literal_position_ = 0;
    literal_section_ = data.section();
  }
  if (data.section() != literal_section_ || data.position() != literal_position_ ||
      data.data().size() > literal_left_) {
    return false;
  }
  out_ += data.data();
  literal_position_ += data.data().size();
  literal_left_ -= data.data().size();
  return true;
}

bool FetchWriter::End() {
  if (uid_ == 0) return true;
  if (literal_left_ > 0) return false;
  uid_ = 0;
  out_ += ")\r\n";
  return true;
}

void FetchWriter::Separate() {
  if (!first_item_) out_ += ' ';
  first_item_ = false;
}

void AppendLocalFetch(std::string& out, const FetchPlan& plan, const SelectedMailbox& mailbox,
                      size_t index) {
  AppendFetchStart(out, index);
  if (plan.uid) {
    out += "UID ";
    AppendNumber(out, mailbox.uid(index));
  }
  if (plan.flags) {
    out += plan.uid ? " FLAGS " : "FLAGS ";
    AppendFlags(out, mailbox.flags(index), mailbox.keywords());
  }
  out += ")\r\n";
}

}  // namespace rmail::gateway::imap
