#include "gateway/exchange/message_parts.h"

#include "store/mime/decode.h"

namespace rmail::gateway::exchange {
namespace {

// The digest's own limits lie far below; this one guards the stack whatever a store sends.
constexpr size_t kMaxDepth = 64;

std::string_view Find(const google::protobuf::RepeatedPtrField<store::v1::Parameter>& parameters,
                      std::string_view name) {
  for (const store::v1::Parameter& parameter : parameters) {
    if (parameter.name() == name) return parameter.value();
  }
  return {};
}

// Whether a text part is the message's text rather than a file.
bool IsBodyText(const store::v1::BodyPart& part) {
  return part.type() == "text" && part.disposition() != "attachment" &&
         Find(part.disposition_parameters(), "filename").empty() &&
         Find(part.parameters(), "name").empty();
}

void Collect(const store::v1::BodyPart& body, std::vector<uint32_t>& number, MessageParts& parts) {
  if (body.type() == "multipart") {
    if (number.size() >= kMaxDepth) return;
    for (int i = 0; i < body.parts_size(); ++i) {
      number.push_back(static_cast<uint32_t>(i) + 1);
      Collect(body.parts(i), number, parts);
      number.pop_back();
    }
    return;
  }
  if (IsBodyText(body) && body.subtype() == "plain" && parts.text.body == nullptr) {
    parts.text = {&body, number};
  } else if (IsBodyText(body) && body.subtype() == "html" && parts.html.body == nullptr) {
    parts.html = {&body, number};
  } else {
    parts.attachments.push_back({&body, number});
  }
}

}  // namespace

MessageParts FindParts(const store::v1::BodyPart& root) {
  MessageParts parts;
  std::vector<uint32_t> number;
  // RFC 9051, 6.4.5.1: the only part of a message that is no multipart is part 1.
  if (root.type() != "multipart") number.push_back(1);
  Collect(root, number, parts);
  return parts;
}

bool HasAttachments(const MessageParts& parts) {
  for (const Part& part : parts.attachments) {
    if (!IsInline(*part.body)) return true;
  }
  return false;
}

bool IsInline(const store::v1::BodyPart& part) {
  return part.disposition() != "attachment" && part.has_content_id() && part.type() == "image";
}

std::string FileName(const store::v1::BodyPart& part) {
  std::string_view raw = Find(part.disposition_parameters(), "filename");
  if (raw.empty()) raw = Find(part.parameters(), "name");
  // DecodeWords also takes control characters and what is not UTF-8 away.
  std::string name = mime::DecodeWords(raw);
  const size_t slash = name.find_last_of("/\\");
  if (slash != std::string::npos) name.erase(0, slash + 1);
  if (name == "." || name == "..") name.clear();
  return name;
}

std::string PartNumber(const Part& part) {
  std::string text;
  for (const uint32_t number : part.number) {
    if (!text.empty()) text += '.';
    text += std::to_string(number);
  }
  return text;
}

uint64_t DecodedSize(const store::v1::BodyPart& part, std::string_view encoded) {
  if (!encoded.empty()) return mime::DecodeContent(encoded, part.encoding()).size();
  if (part.encoding() != "base64") return part.body_size();
  const uint64_t line_ends = 2 * part.lines();
  return part.body_size() > line_ends ? (part.body_size() - line_ends) / 4 * 3 : 0;
}

std::string DecodeText(const store::v1::BodyPart& part, std::string_view encoded) {
  return mime::ToUtf8(mime::DecodeContent(encoded, part.encoding()),
                      Find(part.parameters(), "charset"));
}

}  // namespace rmail::gateway::exchange
