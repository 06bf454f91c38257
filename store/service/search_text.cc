#include "store/service/search_text.h"

#include <string.h>

#include <algorithm>

#include "store/base/status.h"
#include "store/mime/casemap.h"
#include "store/mime/decode.h"
#include "store/mime/header.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

// What is searched of all body parts, decoded, in octets.
constexpr uint64_t kMaxBody = 16 << 20;
constexpr int64_t kMicrosPerMinute = 60'000'000;

bool Find(std::string_view text, std::string_view wanted) {
  return wanted.empty() ||
         memmem(text.data(), text.size(), wanted.data(), wanted.size()) != nullptr;
}

std::string_view Charset(const pb::BodyPart& part) {
  for (const pb::Parameter& parameter : part.parameters()) {
    if (parameter.name() == "charset") return parameter.value();
  }
  return "us-ascii";
}

}  // namespace

MessageText::MessageText(MessageReader& reader) : reader_(reader), room_(kMaxBody) {}

absl::StatusOr<bool> MessageText::HeaderMatches(const engine::HeaderQuery& query) {
  RMAIL_ASSIGN_OR_RETURN(const engine::MessageKeysView keys, reader_.Keys());
  const engine::MessageKeysView::Answer answer = keys.Matches(query);
  if (answer != engine::MessageKeysView::Answer::kUnknown) {
    return answer == engine::MessageKeysView::Answer::kYes;
  }
  RMAIL_ASSIGN_OR_RETURN(const std::string_view header, RawHeader());
  return query.Matches(header);
}

absl::StatusOr<bool> MessageText::BodyContains(std::string_view wanted) {
  if (wanted.empty()) return true;
  RMAIL_ASSIGN_OR_RETURN(const pb::MessageDigest* const digest, reader_.Digest());
  if (!pieces_) {
    pieces_.emplace();
    AddPieces(digest->body());
  }
  for (size_t i = 0;; ++i) {
    if (i == texts_.size()) {
      if (i == pieces_->size() || room_ == 0) return false;
      RMAIL_RETURN_IF_ERROR(AddText());
    }
    if (Find(texts_[i], wanted)) return true;
  }
}

absl::StatusOr<bool> MessageText::Contains(std::string_view wanted) {
  RMAIL_ASSIGN_OR_RETURN(const engine::MessageKeysView keys, reader_.Keys());
  if (keys.AnyTextContains(wanted)) return true;
  RMAIL_ASSIGN_OR_RETURN(const bool in_header, HeaderContains(wanted));
  return in_header ? true : BodyContains(wanted);
}

absl::StatusOr<std::optional<int64_t>> MessageText::SentLocally() {
  RMAIL_ASSIGN_OR_RETURN(const engine::MessageKeysView keys, reader_.Keys());
  if (!keys.sent()) return std::optional<int64_t>();
  return std::optional<int64_t>(keys.sent()->micros_utc +
                                keys.sent()->zone_minutes * kMicrosPerMinute);
}

absl::StatusOr<std::string_view> MessageText::RawHeader() {
  RMAIL_ASSIGN_OR_RETURN(const pb::MessageDigest* const digest, reader_.Digest());
  return reader_.View(0,
                      std::min<uint64_t>(digest->body().body_offset(), engine::kMaxSearchedHeader));
}

absl::StatusOr<bool> MessageText::HeaderContains(std::string_view wanted) {
  if (!header_) {
    RMAIL_ASSIGN_OR_RETURN(const std::string_view header, RawHeader());
    std::string text;
    mime::HeaderReader fields(header);
    while (const std::optional<mime::HeaderField> field = fields.Next()) {
      text.append(field->name).append(": ");
      text.append(mime::DecodeWords(field->value)).append("\n");
    }
    header_ = mime::FoldCase(text);
  }
  return Find(*header_, wanted);
}

// (Nested as deep as a digest may be.)
void MessageText::AddPieces(const pb::BodyPart& part) {
  for (const pb::BodyPart& inner : part.parts()) {
    if (part.has_envelope()) pieces_->push_back({&inner, true});
    AddPieces(inner);
  }
  if (part.parts().empty() && part.type() == "text") pieces_->push_back({&part, false});
}

absl::Status MessageText::AddText() {
  const Piece& piece = (*pieces_)[texts_.size()];
  RMAIL_ASSIGN_OR_RETURN(std::string text,
                         piece.header ? EnclosedHeader(*piece.part) : PartText(*piece.part));
  if (text.size() > room_) text.resize(room_);
  room_ -= text.size();
  texts_.push_back(mime::FoldCase(text));
  return absl::OkStatus();
}

absl::StatusOr<std::string> MessageText::EnclosedHeader(const pb::BodyPart& message) {
  const uint64_t start = std::min(message.header_offset(), message.body_offset());
  const uint64_t size =
      std::min<uint64_t>(message.body_offset() - start, engine::kMaxSearchedHeader);
  RMAIL_ASSIGN_OR_RETURN(const std::string_view header, reader_.View(start, size));
  return mime::DecodeWords(header);
}

absl::StatusOr<std::string> MessageText::PartText(const pb::BodyPart& part) {
  RMAIL_ASSIGN_OR_RETURN(const std::string_view raw,
                         reader_.View(part.body_offset(), std::min(part.body_size(), room_)));
  return mime::ToUtf8(mime::DecodeContent(raw, part.encoding()), Charset(part));
}

}  // namespace rmail::service
