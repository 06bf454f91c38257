#include "store/mime/preview.h"

#include <algorithm>
#include <utility>

#include "store/mime/charset.h"
#include "store/mime/html_text.h"
#include "store/mime/part_kind.h"
#include "store/mime/text_folder.h"
#include "store/mime/transfer_encoding.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

constexpr size_t kPreviewCharacters = 200;
// Encoded 200 characters take less; the rest is for white space and quoting.
constexpr size_t kMaxPlain = 4096;
// Style sheets come first.
constexpr size_t kMaxHtml = 65536;

bool IsHtml(const store::v1::BodyPart& part) {
  return part.type() == "text" && part.subtype() == "html";
}

// A multipart counts as text: without any boundary it turns out to be nothing else.
bool IsPlain(const store::v1::BodyPart& part) {
  return (part.type() == "text" && part.subtype() == "plain") || IsMultipart(part);
}

std::string_view Charset(const store::v1::BodyPart& part) {
  for (const store::v1::Parameter& parameter : part.parameters()) {
    if (parameter.name() == "charset") return parameter.value();
  }
  return "";
}

void AppendPlain(std::string_view text, TextFolder* out) {
  for (size_t pos = 0; pos < text.size();) {
    if (!out->Add(NextCodePoint(text, &pos))) return;
  }
}

}  // namespace

void PreviewCollector::Begin(const store::v1::BodyPart& part) {
  Discard();
  if (!plain_.empty() || part.disposition() == "attachment") return;
  if (IsPlain(part)) {
    room_ = kMaxPlain;
  } else if (IsHtml(part) && html_.empty()) {
    room_ = kMaxHtml;
  } else {
    return;
  }
  part_ = &part;
}

void PreviewCollector::AppendSome(std::string_view bytes) {
  const size_t taken = std::min(bytes.size(), room_);
  body_.append(bytes.substr(0, taken));
  room_ -= taken;
}

void PreviewCollector::End() {
  if (part_ != nullptr && !body_.empty()) {
    const std::string text = ToUtf8(DecodeContent(body_, part_->encoding()), Charset(*part_));
    TextFolder folded(kPreviewCharacters);
    if (IsHtml(*part_)) {
      AppendHtmlText(text, &folded);
      html_ = folded.Take();
    } else {
      AppendPlain(text, &folded);
      plain_ = folded.Take();
    }
  }
  Discard();
}

void PreviewCollector::Discard() {
  part_ = nullptr;
  room_ = 0;
  body_.clear();
}

std::string PreviewCollector::Take() { return std::move(plain_.empty() ? html_ : plain_); }

}  // namespace rmail::mime
