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

// A search of the body under way: texts are looked at one by one. A text that is looked for over
// the end of one is not found: each part is a text of its own.
struct MessageText::BodySearch {
  std::string_view wanted;
  uint64_t room = kMaxBody;
  bool found = false;

  bool done() const { return found || room == 0; }
  void Add(std::string_view text) {
    found = found || Find(mime::FoldCase(text), wanted);
    room -= std::min<uint64_t>(room, text.size());
  }
};

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
  BodySearch search{wanted};
  RMAIL_RETURN_IF_ERROR(SearchPart(digest->body(), &search));
  return search.found;
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
  RMAIL_ASSIGN_OR_RETURN(const std::string_view header, RawHeader());
  std::string text;
  mime::HeaderReader fields(header);
  while (const std::optional<mime::HeaderField> field = fields.Next()) {
    text.append(field->name).append(": ");
    text.append(mime::DecodeWords(field->value)).append("\n");
  }
  return Find(mime::FoldCase(text), wanted);
}

// (Nested as deep as a digest may be.)
absl::Status MessageText::SearchPart(const pb::BodyPart& part, BodySearch* search) {
  for (const pb::BodyPart& inner : part.parts()) {
    if (search->done()) return absl::OkStatus();
    if (part.has_envelope()) RMAIL_RETURN_IF_ERROR(SearchEnclosedHeader(inner, search));
    RMAIL_RETURN_IF_ERROR(SearchPart(inner, search));
  }
  if (!part.parts().empty() || part.type() != "text" || search->done()) return absl::OkStatus();
  return SearchText(part, search);
}

absl::Status MessageText::SearchEnclosedHeader(const pb::BodyPart& message, BodySearch* search) {
  const uint64_t start = std::min(message.header_offset(), message.body_offset());
  const uint64_t size =
      std::min<uint64_t>(message.body_offset() - start, engine::kMaxSearchedHeader);
  RMAIL_ASSIGN_OR_RETURN(const std::string_view header, reader_.View(start, size));
  search->Add(mime::DecodeWords(header));
  return absl::OkStatus();
}

absl::Status MessageText::SearchText(const pb::BodyPart& part, BodySearch* search) {
  RMAIL_ASSIGN_OR_RETURN(
      const std::string_view raw,
      reader_.View(part.body_offset(), std::min(part.body_size(), search->room)));
  search->Add(mime::ToUtf8(mime::DecodeContent(raw, part.encoding()), Charset(part)));
  return absl::OkStatus();
}

}  // namespace rmail::service
