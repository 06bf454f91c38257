#include "gateway/exchange/message_view.h"

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gateway/exchange/message_id.h"
#include "gateway/exchange/utf8.h"
#include "rmail/store/v1/message.pb.h"
#include "store/mime/decode.h"
#include "store/mime/header.h"

namespace rmail::gateway::exchange {
namespace {

namespace json = boost::json;

constexpr size_t kMaxHeaders = 500;
constexpr int kFirstKeyword = 5;
// 0000-01-01 to 9999-12-31, seconds since 1970.
constexpr int64_t kMinSeconds = -62167219200;
constexpr int64_t kMaxSeconds = 253402300799;

json::array KeywordsOf(uint64_t flags, const store::v1::Mailbox& mailbox) {
  json::array keywords;
  for (int i = 0; i < mailbox.keywords_size() && i < 64 - kFirstKeyword; ++i) {
    if ((flags >> (kFirstKeyword + i) & 1) == 0 || mailbox.keywords(i).empty()) continue;
    keywords.push_back(json::value(CleanUtf8(mailbox.keywords(i))));
  }
  return keywords;
}

json::value Optional(bool set, std::string_view value) {
  if (!set) return nullptr;
  return json::value(mime::DecodeWords(value));
}

// What the sender wrote in Date; null when it is missing or cannot be understood.
json::value SentTime(const store::v1::Envelope& envelope) {
  if (!envelope.has_sent()) return nullptr;
  return IsoTime(envelope.sent());
}

json::array AttachmentsOf(const MessageDetail& detail) {
  json::array attachments;
  for (size_t i = 0; i < detail.parts.attachments.size(); ++i) {
    const Part& part = detail.parts.attachments[i];
    json::object attachment;
    attachment["part"] = PartNumber(part);
    attachment["name"] = FileName(*part.body);
    attachment["type"] = CleanUtf8(part.body->type() + "/" + part.body->subtype());
    attachment["size"] = detail.attachment_sizes[i];
    attachment["inline"] = IsInline(*part.body);
    attachment["content_id"] = Optional(part.body->has_content_id(), part.body->content_id());
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

}  // namespace

json::value IsoTime(int64_t micros) {
  const int64_t seconds = absl::ToUnixSeconds(absl::FromUnixMicros(micros));
  if (seconds < kMinSeconds || seconds > kMaxSeconds) return nullptr;
  return json::value(absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds),
                                      absl::UTCTimeZone()));
}

json::array AddressesOf(
    const google::protobuf::RepeatedPtrField<store::v1::EnvelopeAddress>& addresses) {
  json::array list;
  for (const store::v1::EnvelopeAddress& address : addresses) {
    // RFC 9051, 7.5.2: without a host it is the start or the end of a group.
    if (!address.has_mailbox() || !address.has_host()) continue;
    json::object entry;
    entry["name"] = mime::DecodeWords(address.name());
    entry["address"] = CleanUtf8(address.host().empty() ? address.mailbox()
                                                        : address.mailbox() + "@" + address.host());
    list.push_back(std::move(entry));
  }
  return list;
}

json::array HeadersOf(std::string_view header) {
  json::array list;
  mime::HeaderReader reader(header);
  while (list.size() < kMaxHeaders) {
    const std::optional<mime::HeaderField> field = reader.Next();
    if (!field.has_value()) break;
    if (field->name.empty()) continue;
    json::object entry;
    entry["name"] = CleanUtf8(field->name);
    entry["value"] = mime::DecodeWords(field->value);
    list.push_back(std::move(entry));
  }
  return list;
}

json::object SummaryOf(const MessageRow& row, const store::v1::Mailbox& mailbox) {
  const store::v1::Envelope& envelope = row.digest.envelope();
  json::object message(32, {});
  message["id"] = EncodeMessageId({std::string(MailboxIdOf(mailbox.name())), row.uid});
  message["uid"] = row.uid;
  message["subject"] = mime::DecodeWords(envelope.subject());
  message["from"] = AddressesOf(envelope.from());
  message["to"] = AddressesOf(envelope.to());
  message["date"] = SentTime(envelope);
  message["received"] = IsoTime(row.internal_date);
  message["size"] = row.size;
  message["seen"] = (row.flags & store::v1::MESSAGE_FLAGS_SEEN) != 0;
  message["flagged"] = (row.flags & store::v1::MESSAGE_FLAGS_FLAGGED) != 0;
  message["answered"] = (row.flags & store::v1::MESSAGE_FLAGS_ANSWERED) != 0;
  message["draft"] = (row.flags & store::v1::MESSAGE_FLAGS_DRAFT) != 0;
  message["keywords"] = KeywordsOf(row.flags, mailbox);
  message["preview"] = CleanUtf8(row.digest.preview());
  message["has_attachments"] = row.has_attachments;
  return message;
}

json::object DetailOf(const MessageDetail& detail) {
  const store::v1::Envelope& envelope = detail.row.digest.envelope();
  json::object message = SummaryOf(detail.row, detail.mailbox);
  message["folder"] = std::string(MailboxIdOf(detail.mailbox.name()));
  message["sender"] = AddressesOf(envelope.sender());
  message["reply_to"] = AddressesOf(envelope.reply_to());
  message["cc"] = AddressesOf(envelope.cc());
  message["bcc"] = AddressesOf(envelope.bcc());
  message["message_id"] = Optional(envelope.has_message_id(), envelope.message_id());
  message["in_reply_to"] = Optional(envelope.has_in_reply_to(), envelope.in_reply_to());
  json::array references;
  for (const std::string& reference : detail.row.digest.references()) {
    references.push_back(json::value(CleanUtf8(reference)));
  }
  message["references"] = std::move(references);
  message["headers"] = HeadersOf(detail.header);
  message["text"] =
      detail.parts.text.body == nullptr ? json::value(nullptr) : json::value(detail.text);
  message["html"] =
      detail.parts.html.body == nullptr ? json::value(nullptr) : json::value(detail.html);
  message["truncated"] = detail.truncated;
  message["attachments"] = AttachmentsOf(detail);
  return message;
}

}  // namespace rmail::gateway::exchange
