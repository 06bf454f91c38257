#include "store/service/digest_parts.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "rmail/store/v1/digest.pb.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;
using google::protobuf::internal::WireFormatLite;

constexpr uint32_t Bit(int field) { return 1U << field; }

uint32_t FieldsOf(int part) {
  switch (part) {
    case pb::DIGEST_PART_ENVELOPE:
      return Bit(pb::MessageDigest::kEnvelopeFieldNumber);
    case pb::DIGEST_PART_BODY:
      return Bit(pb::MessageDigest::kBodyFieldNumber);
    case pb::DIGEST_PART_PREVIEW:
      return Bit(pb::MessageDigest::kPreviewFieldNumber);
    case pb::DIGEST_PART_REFERENCES:
      return Bit(pb::MessageDigest::kReferencesFieldNumber);
    case pb::DIGEST_PART_IDENTITY:
      return Bit(pb::MessageDigest::kEmailIdFieldNumber) |
             Bit(pb::MessageDigest::kThreadIdFieldNumber) |
             Bit(pb::MessageDigest::kSavedFieldNumber);
    default:
      return 0;
  }
}

}  // namespace

DigestParts::DigestParts(const google::protobuf::RepeatedField<int>& parts) {
  for (const int part : parts) fields_ |= FieldsOf(part);
  if (parts.empty()) fields_ = ~0U;
}

bool DigestParts::Append(std::string_view digest, std::string* out) const {
  const size_t before = out->size();
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(digest.data()),
                                               static_cast<int>(digest.size()));
  int start = 0;
  while (const uint32_t tag = input.ReadTag()) {
    const auto field = static_cast<uint32_t>(WireFormatLite::GetTagFieldNumber(tag));
    if (!WireFormatLite::SkipField(&input, tag)) break;
    const int end = input.CurrentPosition();
    if (field < 32 && (fields_ & Bit(static_cast<int>(field))) != 0) {
      out->append(digest, static_cast<size_t>(start), static_cast<size_t>(end - start));
    }
    start = end;
  }
  if (static_cast<size_t>(start) == digest.size()) return true;
  out->resize(before);
  return false;
}

}  // namespace rmail::service
