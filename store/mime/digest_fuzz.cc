#include "store/mime/digest_fuzz.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "store/mime/decode.h"
#include "store/mime/digest.h"
#include "store/mime/header.h"
#include "store/mime/part_kind.h"
#include "store/mime/section.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

using google::protobuf::FieldDescriptor;
using store::v1::BodyPart;
using store::v1::MessageDigest;
using store::v1::SectionSpec;

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void CheckStrings(const google::protobuf::Message& message) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (text) {
        const std::string value = field->is_repeated()
                                      ? reflection.GetRepeatedString(message, field, i)
                                      : reflection.GetString(message, field);
        Check(IsValidUtf8(value), "strings are UTF-8");
        Check(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
              "strings have no line ends");
      } else if (nested) {
        CheckStrings(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                          : reflection.GetMessage(message, field));
      }
    }
  }
}

void CheckPart(const BodyPart& part, uint64_t start, uint64_t end, std::string_view message) {
  Check(!part.type().empty() && !part.subtype().empty(), "a part has a type");
  Check(!part.encoding().empty(), "a part has an encoding");
  Check(start <= part.header_offset() && part.header_offset() <= part.body_offset(),
        "a header lies in its parent");
  Check(part.body_offset() + part.body_size() <= std::max(end, part.body_offset()),
        "a body lies in its parent");
  Check(part.body_offset() + part.body_size() <= message.size(), "a body lies in the message");
  const std::string_view body = message.substr(part.body_offset(), part.body_size());
  const auto ends = static_cast<uint64_t>(std::count(body.begin(), body.end(), '\n'));
  Check(part.lines() == ends + (!body.empty() && body.back() != '\n' ? 1 : 0), "lines are right");
  if (IsMultipart(part)) Check(!part.parts().empty(), "a multipart has parts");
  if (IsMessage(part)) Check(part.parts_size() == 1 && part.has_envelope(), "a message is whole");
  if (!IsMultipart(part) && !IsMessage(part)) Check(part.parts().empty(), "a leaf has no parts");
  for (const BodyPart& child : part.parts()) {
    CheckPart(child, part.body_offset(), part.body_offset() + part.body_size(), message);
  }
}

void CheckSections(const MessageDigest& digest, std::string_view message) {
  for (const std::vector<uint32_t>& number :
       std::vector<std::vector<uint32_t>>{{}, {1}, {2}, {1, 1}, {2, 1}, {1, 2, 1}, {3, 1, 1}}) {
    for (int kind = 0; kind <= SectionSpec::KIND_MIME; ++kind) {
      SectionSpec spec;
      spec.mutable_part()->Assign(number.begin(), number.end());
      spec.set_kind(static_cast<SectionSpec::Kind>(kind));
      const SectionExtent extent = ResolveSection(digest, message.size(), spec);
      Check(extent.offset + extent.size <= message.size(), "a section lies in the message");
      if (!extent.filter_fields) continue;
      const std::string_view header = message.substr(extent.offset, extent.size);
      Check(FilterHeader(header, {"subject", "To"}, extent.negate).ends_with("\r\n"),
            "a filtered header ends");
    }
  }
}

std::string Serialized(const MessageDigest& digest) { return digest.SerializeAsString(); }

void CheckChunks(std::string_view message, const std::string& expected) {
  for (const size_t size : {size_t{1}, size_t{7}, size_t{1023}}) {
    DigestBuilder builder;
    for (size_t pos = 0; pos < message.size(); pos += size) {
      builder.Update(message.substr(pos, size));
    }
    Check(Serialized(builder.Finish()) == expected, "a digest does not depend on chunks");
  }
}

void CheckDecoders(std::string_view text) {
  Check(IsValidUtf8(DecodeWords(text)), "decoded words are UTF-8");
  Check(IsValidUtf8(ToValidUtf8(text)), "repaired text is UTF-8");
  for (const std::string_view charset :
       {"utf-8", "utf-16", "iso-2022-jp", "gb2312", "big5", "utf-7", "x-unknown", ""}) {
    Check(IsValidUtf8(ToUtf8(text, charset)), "converted text is UTF-8");
  }
  // A charset from the input itself.
  Check(IsValidUtf8(ToUtf8("abc", text.substr(0, 20))), "any charset gives UTF-8");
  for (const std::string_view encoding : {"base64", "quoted-printable"}) {
    std::string cut;
    ContentDecoder decoder(encoding);
    for (size_t pos = 0; pos < text.size(); pos += 3) decoder.Update(text.substr(pos, 3), &cut);
    decoder.Finish(&cut);
    Check(cut == DecodeContent(text, encoding), "decoding does not depend on chunks");
  }
  ParseDate(text);
  for (const auto& address : ParseAddressList(text)) {
    Check(address.has_mailbox() || !address.has_host(), "an address has a local part");
    CheckStrings(address);
  }
}

}  // namespace
}  // namespace rmail::mime

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rmail::mime;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const rmail::store::v1::MessageDigest digest = DigestOf(message);
  CheckStrings(digest);
  CheckPart(digest.body(), 0, message.size(), message);
  CheckSections(digest, message);
  CheckChunks(message, Serialized(digest));
  CheckDecoders(message);
  return 0;
}
