#include "store/engine/message_keys.h"

#include <string.h>
#include <xxhash.h>

#include <algorithm>
#include <span>

#include "store/engine/little_endian.h"
#include "store/engine/octet_cursor.h"
#include "store/mime/casemap.h"
#include "store/mime/chars.h"
#include "store/mime/decode.h"
#include "store/mime/envelope.h"
#include "store/mime/subject.h"

namespace rmail::engine {
namespace {

// 2: texts are decomposed.
constexpr char kVersion = 2;
// Bits of the second octet.
constexpr uint8_t kHasSent = 1;
constexpr uint8_t kReplyOrForward = 2;
// Not all texts are there.
constexpr uint8_t kCut = 4;

// Octets of the filter of the names of fields whose texts are not there.
constexpr size_t kNames = 16;
// Octets of texts.
constexpr size_t kMaxTexts = 32 << 10;
constexpr size_t kMaxSortText = 256;
constexpr size_t kMaxReferences = 100;

// Fields whose texts are kept; field i has the number i + 1, which never changes.
constexpr std::string_view kFields[] = {
    "from",        "to",         "cc",       "bcc",    "subject", "message-id",
    "in-reply-to", "references", "reply-to", "sender", "list-id",
};

uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

// `lower`: a name in lower case.
uint8_t FieldNumber(std::string_view lower) {
  const auto* const found = std::find(std::begin(kFields), std::end(kFields), lower);
  return found == std::end(kFields) ? 0 : static_cast<uint8_t>(found - kFields + 1);
}

std::array<uint8_t, 2> NameBits(std::string_view lower) {
  const uint64_t hash = Hash(lower);
  return {static_cast<uint8_t>(hash % (8 * kNames)),
          static_cast<uint8_t>((hash >> 32) % (8 * kNames))};
}

bool Contains(std::string_view text, std::string_view wanted) {
  return wanted.empty() ||
         memmem(text.data(), text.size(), wanted.data(), wanted.size()) != nullptr;
}

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t UnZigZag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

void PutText(std::string_view text, std::string* out) {
  PutVarint(text.size(), out);
  out->append(text);
}

std::string CutSortText(std::string key) {
  if (key.size() <= kMaxSortText) return key;
  const uint64_t hash = Hash(key);
  key.resize(kMaxSortText - sizeof(hash));
  PutFixed<uint64_t>(hash, &key);
  return key;
}

using Addresses = google::protobuf::RepeatedPtrField<store::v1::EnvelopeAddress>;

// RFC 5256, 3: addr-mailbox of the first address.
std::string MailboxKey(const Addresses& addresses) {
  if (addresses.empty()) return {};
  return CutSortText(mime::CasemapKey(addresses[0].mailbox()));
}

// RFC 5957, 3.
std::string DisplayKey(const Addresses& addresses) {
  if (addresses.empty()) return {};
  const store::v1::EnvelopeAddress& first = addresses[0];
  if (first.has_name()) return CutSortText(mime::CasemapKey(mime::DecodeWords(first.name())));
  if (!first.has_host()) return CutSortText(mime::CasemapKey(first.mailbox()));
  return CutSortText(mime::CasemapKey(first.mailbox() + "@" + first.host()));
}

uint64_t IdHash(std::string_view id) { return std::max<uint64_t>(Hash(PlainMessageId(id)), 1); }

// The ids that a message says about itself and its ancestors.
class Ids {
 public:
  void Add(std::string_view lower_name, std::string_view value) {
    if (lower_name == "message-id" && !id_) {
      const std::vector<std::string> ids = mime::ParseMessageIds(value, 1);
      id_ = ids.empty() ? 0 : IdHash(ids.front());
    } else if (lower_name == "references" && references_.empty()) {
      references_ = mime::ParseMessageIds(value, kMaxReferences);
    } else if (lower_name == "in-reply-to" && in_reply_to_.empty()) {
      in_reply_to_ = mime::ParseMessageIds(value, kMaxReferences);
    }
  }

  void PutTo(std::string* out) const {
    PutFixed<uint64_t>(id_.value_or(0), out);
    std::span<const std::string> ids(references_);
    if (ids.empty()) ids = std::span(in_reply_to_).first(std::min<size_t>(in_reply_to_.size(), 1));
    PutVarint(ids.size(), out);
    for (const std::string& id : ids) PutFixed<uint64_t>(IdHash(id), out);
  }

 private:
  std::optional<uint64_t> id_;
  std::vector<std::string> references_;
  std::vector<std::string> in_reply_to_;
};

// What is gathered in one pass over the header's fields.
struct HeaderKeys {
  std::string names = std::string(kNames, '\0');
  std::string texts;
  bool cut = false;
  Ids ids;

  void Add(const mime::HeaderField& field) {
    const std::string name = mime::ToLower(field.name);
    const uint8_t number = FieldNumber(name);
    if (number == 0) {
      for (const uint8_t bit : NameBits(name)) {
        names[bit / 8] = static_cast<char>(names[bit / 8] | 1 << bit % 8);
      }
      return;
    }
    ids.Add(name, field.value);
    if (cut || field.value.size() > kMaxTexts) {
      cut = true;
      return;
    }
    const std::string text = SearchedText(field);
    if (texts.size() + text.size() > kMaxTexts) {
      cut = true;
      return;
    }
    texts.push_back(static_cast<char>(number));
    PutText(text, &texts);
  }
};

}  // namespace

std::string PlainMessageId(std::string_view id) {
  std::string plain;
  for (size_t i = 0; i < id.size(); ++i) {
    if (id[i] == '"') continue;
    if (id[i] == '\\' && i + 1 < id.size()) ++i;
    plain.push_back(id[i]);
  }
  return plain;
}

std::string SearchedText(const mime::HeaderField& field) {
  return mime::FoldCase(mime::DecodeWords(field.value));
}

HeaderQuery::HeaderQuery(std::string_view name, std::string_view text)
    : name_(mime::ToLower(name)),
      text_(mime::FoldCase(text)),
      field_(FieldNumber(name_)),
      bits_(NameBits(name_)) {}

bool HeaderQuery::Matches(std::string_view header) const {
  mime::HeaderReader fields(header.substr(0, kMaxSearchedHeader));
  while (const std::optional<mime::HeaderField> field = fields.Next()) {
    if (!mime::EqualsIgnoreCase(field->name, name_)) continue;
    if (text_.empty() || Contains(SearchedText(*field), text_)) return true;
  }
  return false;
}

std::string MakeMessageKeys(const store::v1::MessageDigest& digest, std::string_view header) {
  HeaderKeys keys;
  mime::HeaderReader fields(header.substr(0, kMaxSearchedHeader));
  while (const std::optional<mime::HeaderField> field = fields.Next()) keys.Add(*field);

  const store::v1::Envelope& envelope = digest.envelope();
  const mime::BaseSubject subject = mime::BaseSubjectOf(envelope.subject());
  std::string out;
  out.push_back(kVersion);
  out.push_back(static_cast<char>((envelope.has_sent() ? kHasSent : 0) |
                                  (subject.reply_or_forward ? kReplyOrForward : 0) |
                                  (keys.cut ? kCut : 0)));
  out.append(keys.names);
  if (envelope.has_sent()) {
    PutVarint(ZigZag(envelope.sent()), &out);
    PutVarint(ZigZag(envelope.sent_zone()), &out);
  }
  PutText(CutSortText(mime::CasemapKey(subject.text)), &out);
  PutText(MailboxKey(envelope.from()), &out);
  PutText(MailboxKey(envelope.to()), &out);
  PutText(MailboxKey(envelope.cc()), &out);
  PutText(DisplayKey(envelope.from()), &out);
  PutText(DisplayKey(envelope.to()), &out);
  keys.ids.PutTo(&out);
  out.append(keys.texts);
  return out;
}

std::optional<MessageKeysView> MessageKeysView::Parse(std::string_view keys) {
  if (keys.size() < 2 || keys[0] != kVersion) return std::nullopt;
  const auto bits = static_cast<uint8_t>(keys[1]);
  MessageKeysView view;
  view.reply_or_forward_ = (bits & kReplyOrForward) != 0;
  view.complete_ = (bits & kCut) == 0;
  OctetCursor cursor(keys.substr(2));
  view.names_ = cursor.Take(kNames);
  if ((bits & kHasSent) != 0) {
    SentDate& sent = view.sent_.emplace();
    sent.micros_utc = UnZigZag(cursor.Varint());
    sent.zone_minutes = UnZigZag(cursor.Varint());
  }
  for (std::string_view& text : view.sort_texts_) text = cursor.Text();
  const std::string_view id = cursor.Take(sizeof(uint64_t));
  const uint64_t references = cursor.Varint();
  if (references > kMaxReferences) return std::nullopt;
  view.references_ = cursor.Take(references * sizeof(uint64_t));
  if (!cursor.ok()) return std::nullopt;
  view.message_id_ = GetFixed<uint64_t>(id.data());
  view.texts_ = cursor.rest();
  return view;
}

MessageKeysView::Answer MessageKeysView::Matches(const HeaderQuery& query) const {
  if (query.field_ == 0) {
    for (const uint8_t bit : query.bits_) {
      if ((names_[bit / 8] >> bit % 8 & 1) == 0) return Answer::kNo;
    }
    return Answer::kUnknown;
  }
  OctetCursor cursor(texts_);
  while (!cursor.rest().empty()) {
    const auto number = static_cast<uint8_t>(cursor.rest().front());
    cursor.Take(1);
    const std::string_view text = cursor.Text();
    if (!cursor.ok()) return Answer::kUnknown;
    if (number == query.field_ && Contains(text, query.text_)) return Answer::kYes;
  }
  return complete_ ? Answer::kNo : Answer::kUnknown;
}

bool MessageKeysView::AnyTextContains(std::string_view folded) const {
  OctetCursor cursor(texts_);
  while (!cursor.rest().empty()) {
    cursor.Take(1);
    const std::string_view text = cursor.Text();
    if (cursor.ok() && Contains(text, folded)) return true;
  }
  return false;
}

uint64_t MessageKeysView::reference(size_t i) const {
  return GetFixed<uint64_t>(references_.data() + i * sizeof(uint64_t));
}

}  // namespace rmail::engine
