#include "store/service/search_text.h"

#include <unicode/unistr.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "store/base/status.h"
#include "store/mime/decode.h"
#include "store/mime/header.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// What is searched of one header and of all body parts.
constexpr uint64_t kMaxHeader = 1 << 20;
constexpr uint64_t kMaxBody = 16 << 20;
constexpr int64_t kMicrosPerMinute = 60'000'000;

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

std::string Fold(std::string text) {
  if (IsAscii(text)) {
    for (char& c : text) {
      if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    }
    return text;
  }
  std::string folded;
  icu::UnicodeString::fromUTF8(text).foldCase().toUTF8String(folded);
  return folded;
}

bool Contains(std::string_view text, std::string_view folded) {
  return text.find(folded) != std::string_view::npos;
}

std::string_view Charset(const pb::BodyPart& part) {
  for (const pb::Parameter& parameter : part.parameters()) {
    if (parameter.name() == "charset") return parameter.value();
  }
  return "us-ascii";
}

absl::StatusOr<bool> HeaderMatches(MessageText& text, const std::string& name,
                                   const std::string& wanted) {
  RMAIL_ASSIGN_OR_RETURN(const std::string* const header, text.RawHeader());
  mime::HeaderReader fields(*header);
  while (const std::optional<mime::HeaderField> field = fields.Next()) {
    if (!absl::EqualsIgnoreCase(ToAbsl(field->name), name)) continue;
    if (Contains(Fold(mime::DecodeWords(mime::Unfold(field->value))), wanted)) return true;
  }
  return false;
}

// RFC 9051, 6.4.4: SENTON and its like disregard time zone: the day is the sender's.
absl::StatusOr<std::optional<int64_t>> SentLocally(MessageText& text) {
  RMAIL_ASSIGN_OR_RETURN(const pb::MessageDigest* const digest, text.Digest());
  const pb::Envelope& envelope = digest->envelope();
  if (!envelope.has_sent()) return std::optional<int64_t>();
  return std::optional<int64_t>(envelope.sent() + envelope.sent_zone() * kMicrosPerMinute);
}

}  // namespace

absl::StatusOr<MessageReader*> MessageText::Reader() {
  if (!reader_) {
    RMAIL_ASSIGN_OR_RETURN(std::unique_ptr<File> file, mailbox_.OpenMessage(info_));
    reader_.emplace(std::move(file), info_.size);
  }
  return &*reader_;
}

absl::StatusOr<const pb::MessageDigest*> MessageText::Digest() {
  RMAIL_ASSIGN_OR_RETURN(MessageReader* const reader, Reader());
  return reader->Digest();
}

absl::StatusOr<const std::string*> MessageText::RawHeader() {
  if (!raw_header_) {
    RMAIL_ASSIGN_OR_RETURN(MessageReader* const reader, Reader());
    RMAIL_ASSIGN_OR_RETURN(const pb::MessageDigest* const digest, reader->Digest());
    RMAIL_ASSIGN_OR_RETURN(raw_header_,
                           reader->Read(0, std::min(digest->body().body_offset(), kMaxHeader)));
  }
  return &*raw_header_;
}

absl::StatusOr<const std::string*> MessageText::Header() {
  if (!header_) {
    RMAIL_ASSIGN_OR_RETURN(const std::string* const raw, RawHeader());
    std::string text;
    mime::HeaderReader fields(*raw);
    while (const std::optional<mime::HeaderField> field = fields.Next()) {
      text.append(field->name).append(": ");
      text.append(mime::DecodeWords(mime::Unfold(field->value))).append("\n");
    }
    header_ = Fold(std::move(text));
  }
  return &*header_;
}

absl::StatusOr<const std::string*> MessageText::Body() {
  if (!body_) {
    RMAIL_ASSIGN_OR_RETURN(const pb::MessageDigest* const digest, Digest());
    std::string text;
    RMAIL_RETURN_IF_ERROR(AddBody(digest->body(), &text));
    body_ = Fold(std::move(text));
  }
  return &*body_;
}

absl::Status MessageText::AddBody(const pb::BodyPart& part, std::string* text) {
  RMAIL_ASSIGN_OR_RETURN(MessageReader* const reader, Reader());
  for (const pb::BodyPart& inner : part.parts()) {
    if (part.has_envelope()) {
      const uint64_t size = std::min(
          inner.body_offset() - std::min(inner.header_offset(), inner.body_offset()), kMaxHeader);
      RMAIL_ASSIGN_OR_RETURN(const std::string header, reader->Read(inner.header_offset(), size));
      text->append(mime::DecodeWords(header)).append("\n");
    }
    RMAIL_RETURN_IF_ERROR(AddBody(inner, text));
  }
  if (!part.parts().empty() || part.type() != "text" || text->size() >= kMaxBody) {
    return absl::OkStatus();
  }
  const uint64_t room = kMaxBody - text->size();
  RMAIL_ASSIGN_OR_RETURN(const std::string raw,
                         reader->Read(part.body_offset(), std::min(part.body_size(), room)));
  text->append(mime::ToUtf8(mime::DecodeContent(raw, part.encoding()), Charset(part)));
  text->append("\n");
  return absl::OkStatus();
}

TextTest MakeTextTest(const pb::SearchExpression& expression) {
  switch (expression.condition_case()) {
    case pb::SearchExpression::kHeader:
      return [name = expression.header().field(), wanted = Fold(expression.header().text())](
                 MessageText& text) { return HeaderMatches(text, name, wanted); };
    case pb::SearchExpression::kBody:
      return [wanted = Fold(expression.body())](MessageText& text) -> absl::StatusOr<bool> {
        RMAIL_ASSIGN_OR_RETURN(const std::string* const body, text.Body());
        return Contains(*body, wanted);
      };
    case pb::SearchExpression::kText:
      return [wanted = Fold(expression.text())](MessageText& text) -> absl::StatusOr<bool> {
        RMAIL_ASSIGN_OR_RETURN(const std::string* const header, text.Header());
        if (Contains(*header, wanted)) return true;
        RMAIL_ASSIGN_OR_RETURN(const std::string* const body, text.Body());
        return Contains(*body, wanted);
      };
    case pb::SearchExpression::kSentFrom:
      return [from = expression.sent_from()](MessageText& text) -> absl::StatusOr<bool> {
        RMAIL_ASSIGN_OR_RETURN(const std::optional<int64_t> sent, SentLocally(text));
        return sent && *sent >= from;
      };
    default:
      return [before = expression.sent_before()](MessageText& text) -> absl::StatusOr<bool> {
        RMAIL_ASSIGN_OR_RETURN(const std::optional<int64_t> sent, SentLocally(text));
        return sent && *sent < before;
      };
  }
}

}  // namespace rmail::service
