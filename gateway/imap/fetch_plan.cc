#include "gateway/imap/fetch_plan.h"

#include <algorithm>

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

// Returns where to describe a new section, or null when the label is there already.
SectionSpec* AddSection(FetchPlan& plan, std::string label) {
  if (std::find(plan.labels.begin(), plan.labels.end(), label) != plan.labels.end()) return nullptr;
  plan.labels.push_back(std::move(label));
  return plan.request.add_sections();
}

void AddBodySection(FetchPlan& plan, const FetchItem& item) {
  std::string label = "BODY[";
  AppendSection(label, item.section);
  label += ']';
  // The length only tells requests apart; answers have the offset alone (RFC 9051, 7.5.2).
  const size_t end = label.size();
  if (item.partial) {
    label += '<';
    AppendNumber(label, item.partial->offset);
    label += '.';
    AppendNumber(label, item.partial->length);
    label += '>';
  }
  plan.sets_seen |= !item.peek;
  SectionSpec* spec = AddSection(plan, std::move(label));
  if (spec == nullptr) return;
  spec->mutable_part()->Add(item.section.part.begin(), item.section.part.end());
  spec->set_kind(StoreKind(item.section.kind));
  for (const std::string& field : item.section.fields) spec->add_fields(field);
  if (!item.partial) return;
  spec->set_offset(item.partial->offset);
  spec->set_length(item.partial->length);
  plan.labels.back().resize(end);
  plan.labels.back() += '<';
  AppendNumber(plan.labels.back(), item.partial->offset);
  plan.labels.back() += '>';
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
      AddSection(plan, "RFC822");
      break;
    case Kind::kRfc822Header:
      // Like BODY.PEEK[HEADER] (RFC 3501, 6.4.5).
      if (auto* spec = AddSection(plan, "RFC822.HEADER")) spec->set_kind(SectionSpec::KIND_HEADER);
      break;
    case Kind::kRfc822Text:
      plan.sets_seen = true;
      if (auto* spec = AddSection(plan, "RFC822.TEXT")) spec->set_kind(SectionSpec::KIND_TEXT);
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
