#include "store/mime/section.h"

#include <algorithm>
#include <optional>

#include "store/mime/chars.h"
#include "store/mime/header.h"
#include "store/mime/part_kind.h"

namespace rmail::mime {
namespace {

using store::v1::BodyPart;
using store::v1::SectionSpec;
using PartNumber = google::protobuf::RepeatedField<uint32_t>;

// Part 1 of a message that is no multipart is its body (RFC 9051, 6.4.5).
const BodyPart* PartOfMessage(const BodyPart& body, uint32_t number) {
  if (!IsMultipart(body)) return number == 1 ? &body : nullptr;
  const auto count = static_cast<uint32_t>(body.parts_size());
  return number >= 1 && number <= count ? &body.parts(static_cast<int>(number - 1)) : nullptr;
}

// The body of the message that a message/rfc822 part encloses, or nothing for other parts.
const BodyPart* EnclosedBody(const BodyPart& part) {
  return IsMessage(part) && part.parts_size() > 0 ? &part.parts(0) : nullptr;
}

const BodyPart* FindPart(const BodyPart& root, const PartNumber& numbers) {
  const BodyPart* part = nullptr;
  // Where the next number counts: the message's body, an enclosed one's, or a multipart.
  const BodyPart* scope = &root;
  for (const uint32_t number : numbers) {
    if (part != nullptr) scope = IsMultipart(*part) ? part : EnclosedBody(*part);
    if (scope == nullptr) return nullptr;
    part = PartOfMessage(*scope, number);
    if (part == nullptr) return nullptr;
  }
  return part;
}

SectionExtent Between(uint64_t start, uint64_t end, uint64_t message_size) {
  SectionExtent extent;
  extent.offset = std::min(start, message_size);
  extent.size = std::max(extent.offset, std::min(end, message_size)) - extent.offset;
  return extent;
}

SectionExtent Missing() {
  SectionExtent extent;
  extent.missing = true;
  return extent;
}

SectionExtent Header(const BodyPart& part, uint64_t message_size) {
  return Between(part.header_offset(), part.body_offset(), message_size);
}

SectionExtent Body(const BodyPart& part, uint64_t message_size) {
  const uint64_t start = std::min(part.body_offset(), message_size);
  return Between(start, start + std::min(part.body_size(), message_size), message_size);
}

}  // namespace

SectionExtent ResolveSection(const store::v1::MessageDigest& digest, uint64_t message_size,
                             const SectionSpec& spec) {
  const bool whole = spec.part().empty();
  const BodyPart* const part = whole ? nullptr : FindPart(digest.body(), spec.part());
  if (!whole && part == nullptr) return Missing();
  if (spec.kind() == SectionSpec::KIND_UNSPECIFIED) {
    if (whole) return Between(0, message_size, message_size);
    SectionExtent extent = Body(*part, message_size);
    if (!IsMultipart(*part)) extent.encoding = part->encoding();
    return extent;
  }
  if (spec.kind() == SectionSpec::KIND_MIME) {
    return whole ? Missing() : Header(*part, message_size);
  }
  // The others are for messages only.
  const BodyPart* const message = whole ? &digest.body() : EnclosedBody(*part);
  if (message == nullptr) return Missing();
  switch (spec.kind()) {
    case SectionSpec::KIND_HEADER:
      return Header(*message, message_size);
    case SectionSpec::KIND_HEADER_FIELDS:
    case SectionSpec::KIND_HEADER_FIELDS_NOT: {
      SectionExtent extent = Header(*message, message_size);
      extent.filter_fields = true;
      extent.negate = spec.kind() == SectionSpec::KIND_HEADER_FIELDS_NOT;
      return extent;
    }
    case SectionSpec::KIND_TEXT:
      return Body(*message, message_size);
    default:
      return Missing();
  }
}

std::string FilterHeader(std::string_view header, const std::vector<std::string>& fields,
                         bool negate) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const std::string& field : fields) names.push_back(ToLower(field));
  std::sort(names.begin(), names.end());
  std::string out;
  HeaderReader reader(header);
  while (const std::optional<HeaderField> field = reader.Next()) {
    const bool named = !field->name.empty() &&
                       std::binary_search(names.begin(), names.end(), ToLower(field->name));
    if (named == negate) continue;
    out.append(field->raw);
    if (field->raw.back() != '\n') out.append("\r\n");
  }
  out.append("\r\n");
  return out;
}

}  // namespace rmail::mime
