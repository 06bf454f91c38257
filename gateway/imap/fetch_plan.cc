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
void AddSection(FetchPlan& plan, std::string label, SectionSpec spec) {
  for (size_t i = 0; i < plan.labels.size(); ++i) {
    if (plan.labels[i] == label &&
        plan.request.sections(static_cast<int>(i)).length() == spec.length()) {
      return;
    }
  }
  plan.labels.push_back(std::move(label));
  *plan.request.add_sections() = std::move(spec);
}

void AddBodySection(FetchPlan& plan, const FetchItem& item) {
  std::string label = "BODY[";
  AppendSection(label, item.section);
  label += ']';
  SectionSpec spec;
  spec.mutable_part()->Add(item.section.part.begin(), item.section.part.end());
  spec.set_kind(StoreKind(item.section.kind));
  for (const std::string& field : item.section.fields) spec.add_fields(field);
  if (item.partial) {
    spec.set_offset(item.partial->offset);
    spec.set_length(item.partial->length);
    // RFC 9051, 7.5.2: answers have the offset alone.
    label += '<';
    AppendNumber(label, item.partial->offset);
    label += '>';
  }
  plan.sets_seen |= !item.peek;
  AddSection(plan, std::move(label), std::move(spec));
}

void AddPlainSection(FetchPlan& plan, std::string label, SectionSpec::Kind kind) {
  SectionSpec spec;
  spec.set_kind(kind);
  AddSection(plan, std::move(label), std::move(spec));
}

void AddItem(FetchPlan& plan, const FetchItem& item) {
  using Kind = FetchItem::Kind;
  switch (item.kind) {
    case Kind::kFlags:
      plan.flags = true;
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
    case Kind::kSection:
      AddBodySection(plan, item);
      break;
  }
}

}  // namespace

FetchPlan MakeFetchPlan(const std::vector<FetchItem>& items, bool uid_command) {
  FetchPlan plan;
  plan.uid = uid_command;
  for (const FetchItem& item : items) AddItem(plan, item);
  plan.request.set_internal_dates(plan.internal_date);
  plan.request.set_sizes(plan.size);
  plan.request.set_digests(plan.envelope || plan.body || plan.body_structure);
  return plan;
}

}  // namespace rmail::gateway::imap
