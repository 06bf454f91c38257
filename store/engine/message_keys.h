// What SEARCH, SORT and THREAD need of a message, in a few hundred octets (FORMAT.md).
#ifndef RMAIL_STORE_ENGINE_MESSAGE_KEYS_H_
#define RMAIL_STORE_ENGINE_MESSAGE_KEYS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/header.h"

namespace rmail::engine {

// How much of a header is searched, in octets.
inline constexpr size_t kMaxSearchedHeader = 1 << 20;

// A field's value as it is searched: encoded words decoded, case folded.
std::string SearchedText(const mime::HeaderField& field);

// A message-id without its quoting: ids are compared so (RFC 5256, 3, REFERENCES).
std::string PlainMessageId(std::string_view id);

// Texts that messages are sorted by: keys of i;unicode-casemap, to be compared octet by octet.
enum class SortText : uint8_t {
  kBaseSubject,
  // The local part of the first address.
  kFrom,
  kTo,
  kCc,
  // RFC 5957: the display name of the first address, or else the address.
  kDisplayFrom,
  kDisplayTo,
};
inline constexpr size_t kSortTexts = 6;

// The question whether a header field contains a text. An empty text asks whether it is there.
class HeaderQuery {
 public:
  // `name` and `text` in any case.
  HeaderQuery(std::string_view name, std::string_view text);

  const std::string& name() const { return name_; }
  // With case folded.
  const std::string& text() const { return text_; }
  // Whether keys have the field's texts.
  bool in_keys() const { return field_ != 0; }
  // Looks at the header itself.
  bool Matches(std::string_view header) const;

 private:
  friend class MessageKeysView;
  std::string name_;  // in lower case
  std::string text_;
  // The field's number in the keys; 0 for one whose text they don't have.
  uint8_t field_;
  // Where the names' filter has bits for it.
  std::array<uint8_t, 2> bits_;
};

// Makes the keys of a message. `header` is its header, of which no more is looked at than
// kMaxSearchedHeader. At most about 40 KiB, whatever the message is.
std::string MakeMessageKeys(const store::v1::MessageDigest& digest, std::string_view header);

// What the Date field says.
struct SentDate {
  int64_t micros_utc = 0;    // since 1970
  int64_t zone_minutes = 0;  // east of UTC
};

// Keys that need not be parsed. A view of the octets it was made from.
class MessageKeysView {
 public:
  // nullopt for octets that are no keys, or those of another version.
  static std::optional<MessageKeysView> Parse(std::string_view keys);

  enum class Answer {
    kNo,
    kYes,
    // The keys can't tell: the message must be asked.
    kUnknown,
  };
  // The answer that HeaderQuery::Matches gives for the message's header, if it is known.
  Answer Matches(const HeaderQuery& query) const;
  // Whether one of the texts contains `folded`: then the header does. The reverse is not true.
  bool AnyTextContains(std::string_view folded) const;

  // nullopt when Date is missing or can't be understood.
  const std::optional<SentDate>& sent() const { return sent_; }

  // Long texts are cut and have a hash at their end instead, so that they stay distinct.
  std::string_view sort_text(SortText text) const { return sort_texts_[static_cast<size_t>(text)]; }
  // Whether the subject says that the message is a reply or was forwarded (RFC 5256, 2.1).
  bool reply_or_forward() const { return reply_or_forward_; }

  // Hashes of message-ids, never 0. RFC 5256, 3, REFERENCES.
  // The Message-ID's; 0 when there is none.
  uint64_t message_id() const { return message_id_; }
  // Those of References, or else the first of In-Reply-To, oldest first. Up to 100.
  size_t references() const { return references_.size() / sizeof(uint64_t); }
  uint64_t reference(size_t i) const;

 private:
  MessageKeysView() = default;

  std::string_view names_;
  std::optional<SentDate> sent_;
  std::array<std::string_view, kSortTexts> sort_texts_;
  std::string_view references_;
  std::string_view texts_;
  uint64_t message_id_ = 0;
  bool reply_or_forward_ = false;
  bool complete_ = false;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MESSAGE_KEYS_H_
