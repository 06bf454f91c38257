#include "gateway/imap/fetch_plan.h"

#include <utility>

#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

using store::v1::SectionSpec;

SectionSpec::Kind StoreKind(Section::Kind kind) {
  switch (kind) {
    case Section::Kind::kAll:
      return SectionSpec::KIND_UNSPECIFIED;
    case Section::Kind::kHeader:
      return SectionSpec::KIND_HEADER;
    case Section::Kind::kHeaderFields:
      return SectionSpec::KIND_HEADER_FIELDS;
    case Section::Kind::kHeaderFieldsNot:
      return SectionSpec::KIND_HEADER_FIELDS_NOT;
    case Section::Kind::kText:
      return SectionSpec::KIND_TEXT;
    case Section::Kind::kMime:
      return SectionSpec::KIND_MIME;
  }
  return SectionSpec::KIND_UNSPECIFIED;
}

// Identical sections are asked for once; their labels say nothing of a partial one's length.
void AddSection(FetchPlan& plan, FetchSection section, SectionSpec spec) {
  for (size_t i = 0; i < plan.sections.size(); ++i) {
    if (plan.sections[i].label == section.label &&
        plan.request.sections(static_cast<int>(i)).length() == spec.length()) {
      return;
    }
  }
  plan.sections.push_back(std::move(section));
  *plan.request.add_sections() = std::move(spec);
}

// BODY[...], BINARY[...], BINARY.SIZE[...].
void AddItemSection(FetchPlan& plan, const FetchItem& item) {
  FetchSection section;
  SectionSpec spec = MakeSectionSpec(item.section, item.partial);
  if (item.kind == FetchItem::Kind::kSection) {
    section.label = "BODY[";
  } else {
    spec.set_decoded(true);
    const bool size_only = item.kind == FetchItem::Kind::kBinarySize;
    spec.set_size_only(size_only);
    section.form = size_only ? FetchSection::Form::kSize : FetchSection::Form::kBinary;
    section.label = size_only ? "BINARY.SIZE[" : "BINARY[";
  }
  AppendSection(section.label, item.section);
  section.label += ']';
  if (item.partial) {
    // RFC 9051, 7.5.2: answers have the offset alone.
    section.label += '<';
    AppendNumber(section.label, item.partial->offset);
    section.label += '>';
  }
  plan.sets_seen |= !item.peek && section.form != FetchSection::Form::kSize;
  AddSection(plan, std::move(section), std::move(spec));
}

void AddPlainSection(FetchPlan& plan, std::string label, SectionSpec::Kind kind) {
  SectionSpec spec;
  spec.set_kind(kind);
  AddSection(plan, {std::move(label), FetchSection::Form::kText}, std::move(spec));
}

void AddItem(FetchPlan& plan, const FetchItem& item) {
  using Kind = FetchItem::Kind;
  switch (item.kind) {
    case Kind::kFlags:
      plan.flags = true;
      break;
    case Kind::kModseq:
      plan.modseq = true;
      break;
    case Kind::kUid:
      plan.uid = true;
      break;
    case Kind::kInternalDate:
      plan.internal_date = true;
      break;
    case Kind::kSize:
      plan.size = true;
      break;
    case Kind::kEnvelope:
      plan.envelope = true;
      break;
    case Kind::kBody:
      plan.body = true;
      break;
    case Kind::kBodyStructure:
      plan.body_structure = true;
      break;
    case Kind::kRfc822:
      plan.sets_seen = true;
      AddPlainSection(plan, "RFC822", SectionSpec::KIND_UNSPECIFIED);
      break;
    case Kind::kRfc822Header:
      // Like BODY.PEEK[HEADER] (RFC 3501, 6.4.5).
      AddPlainSection(plan, "RFC822.HEADER", SectionSpec::KIND_HEADER);
      break;
    case Kind::kRfc822Text:
      plan.sets_seen = true;
      AddPlainSection(plan, "RFC822.TEXT", SectionSpec::KIND_TEXT);
      break;
    case Kind::kSaveDate:
      plan.save_date = true;
      break;
    case Kind::kEmailId:
      plan.email_id = true;
      break;
    case Kind::kThreadId:
      plan.thread_id = true;
      break;
    case Kind::kPreview:
      plan.preview = true;
      break;
    case Kind::kSection:
    case Kind::kBinary:
    case Kind::kBinarySize:
      AddItemSection(plan, item);
      break;
  }
}

}  // namespace

SectionSpec MakeSectionSpec(const Section& section, const std::optional<Partial>& partial) {
  SectionSpec spec;
  spec.mutable_part()->Add(section.part.begin(), section.part.end());
  spec.set_kind(StoreKind(section.kind));
  for (const std::string& field : section.fields) spec.add_fields(field);
  if (partial) {
    spec.set_offset(partial->offset);
    spec.set_length(partial->length);
  }
  return spec;
}

FetchPlan MakeFetchPlan(const std::vector<FetchItem>& items, bool uid_command) {
  FetchPlan plan;
  plan.uid = uid_command;
  for (const FetchItem& item : items) AddItem(plan, item);
  plan.request.set_internal_dates(plan.internal_date);
  plan.request.set_sizes(plan.size);
  plan.request.set_digests(plan.digests());
  if (plan.envelope) plan.request.add_digest_parts(store::v1::DIGEST_PART_ENVELOPE);
  if (plan.body || plan.body_structure) plan.request.add_digest_parts(store::v1::DIGEST_PART_BODY);
  if (plan.preview) plan.request.add_digest_parts(store::v1::DIGEST_PART_PREVIEW);
  if (plan.save_date || plan.email_id || plan.thread_id) {
    plan.request.add_digest_parts(store::v1::DIGEST_PART_IDENTITY);
  }
  return plan;
}

}  // namespace rmail::gateway::imap
