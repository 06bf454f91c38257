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
  AppendFetchStart(out_, *index);
  const store::v1::MessageColumns& columns = response.columns();
  AppendState(*index, row < columns.flags_size() ? columns.flags(row) : mailbox_.flags(*index),
              row < columns.modseqs_size() ? columns.modseqs(row) : 0);
  AppendMetadata(response, row);
}

void FetchWriter::AppendState(size_t index, uint64_t flags, uint64_t modseq) {
  const bool newly_seen = std::binary_search(newly_seen_.begin(), newly_seen_.end(), uid_);
  const bool shows_flags = plan_.flags || newly_seen;
  const bool shows_modseq = plan_.modseq || (newly_seen && mailbox_.tracks_modseqs());
  // What is not shown here is told after the command.
  const bool shows_all = shows_flags && (shows_modseq || !mailbox_.tracks_modseqs());
  // Flags that lack a new keyword's name would go out with a modseq that says they are complete.
  if (mailbox_.Names(flags)) mailbox_.SetMessage(index, flags, modseq, !shows_all);
  if (plan_.uid) {
    Separate();
    out_ += "UID ";
    AppendNumber(out_, uid_);
  }
  if (shows_flags) {
    Separate();
    out_ += "FLAGS ";
    AppendFlags(out_, mailbox_.flags(index), mailbox_.keywords());
  }
  if (shows_modseq && mailbox_.modseq(index) != 0) {
    Separate();
    mailbox_.AppendModseqItem(out_, mailbox_.modseq(index));
  }
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
  AppendIdentity(digest);
}

void FetchWriter::AppendIdentity(const store::v1::MessageDigest& digest) {
  if (plan_.preview) {
    Separate();
    out_ += "PREVIEW ";
    AppendString(out_, digest.preview());
  }
  if (plan_.save_date) {
    Separate();
    out_ += "SAVEDATE ";
    if (digest.saved() == 0) {
      out_ += "NIL";
    } else {
      AppendInternalDate(out_, digest.saved());
    }
  }
  const auto append_id = [&](std::string_view name, const std::string& id) {
    Separate();
    out_ += name;
    out_ += id.empty() ? " NIL" : " (" + id + ")";
  };
  if (plan_.email_id) append_id("EMAILID", digest.email_id());
  if (plan_.thread_id) append_id("THREADID", digest.thread_id());
}

bool FetchWriter::BeginSection(const store::v1::SectionData& data) {
  if (literal_left_ > 0) return false;
  const FetchSection& section = plan_.sections[data.section()];
  const bool absent = data.missing() || data.unknown_encoding();
  unknown_encoding_ |= data.unknown_encoding();
  Separate();
  out_ += section.label;
  out_ += ' ';
  if (section.form == FetchSection::Form::kSize) {
    // There is no NIL here (RFC 3516).
    AppendNumber(out_, absent ? 0 : data.total());
    return true;
  }
  if (absent) {
    // RFC 9051, 7.5.2: a part that is not there is NIL.
    out_ += "NIL";
    return true;
  }
  literal_left_ = data.total();
  literal_position_ = 0;
  literal_section_ = data.section();
  // What is still to come may have a NUL too.
  literal8_ = section.form == FetchSection::Form::kBinary &&
              (data.data().size() < data.total() || data.data().find('\0') != std::string::npos);
  out_ += literal8_ ? "~{" : "{";
  AppendNumber(out_, data.total());
  out_ += "}\r\n";
  return true;
}

bool FetchWriter::AppendSectionData(const store::v1::SectionData& data) {
  if (data.section() >= plan_.sections.size()) return false;
  if (data.position() == 0 || data.missing()) {
    if (!BeginSection(data)) return false;
    if (literal_left_ == 0) return data.data().empty();
  }
  if (data.section() != literal_section_ || data.position() != literal_position_ ||
      data.data().size() > literal_left_) {
    return false;
  }
  const size_t start = out_.size();
  out_ += data.data();
  if (!literal8_) ReplaceNul(out_, start);
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

void ReplaceNul(std::string& text, size_t start) {
  while ((start = text.find('\0', start)) != std::string::npos) text[start] = '\x80';
}

void AppendLocalFetch(std::string& out, const FetchPlan& plan, SelectedMailbox& mailbox,
                      size_t index) {
  AppendFetchStart(out, index);
  if (plan.uid) {
    out += "UID ";
    AppendNumber(out, mailbox.uid(index));
    out += ' ';
  }
  if (plan.flags) {
    out += "FLAGS ";
    AppendFlags(out, mailbox.flags(index), mailbox.keywords());
    out += ' ';
  }
  if (plan.modseq) {
    mailbox.AppendModseqItem(out, mailbox.modseq(index));
    out += ' ';
  }
  out.back() = ')';
  out += "\r\n";
}

}  // namespace rmail::gateway::imap
