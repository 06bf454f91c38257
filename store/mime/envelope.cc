#include "store/mime/envelope.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "store/mime/addresses.h"
#include "store/mime/chars.h"
#include "store/mime/dates.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

using store::v1::EnvelopeAddress;

// RFC 5322, 2.1.1: no line, so no id, is longer.
constexpr size_t kMaxMessageId = 998;

bool Is(std::string_view name, std::string_view lower) { return EqualsIgnoreCase(name, lower); }

bool IsGroupStart(const EnvelopeAddress& address) {
  return address.has_mailbox() && !address.has_host();
}

bool IsGroupEnd(const EnvelopeAddress& address) {
  return !address.has_mailbox() && !address.has_host();
}

std::string WithoutSpace(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!IsSpace(c) && c != '\0') out.push_back(c);
  }
  return ToValidUtf8(out);
}

}  // namespace

void EnvelopeReader::Add(const HeaderField& field) {
  const std::string_view name = field.name;
  // By size first: most fields of a header are none of these.
  switch (name.size()) {
    case 2:
      if (Is(name, "to")) AddAddresses(field.value, envelope_->mutable_to());
      if (Is(name, "cc")) AddAddresses(field.value, envelope_->mutable_cc());
      return;
    case 3:
      if (Is(name, "bcc")) AddAddresses(field.value, envelope_->mutable_bcc());
      return;
    case 4:
      if (Is(name, "from")) AddFirst(field.value, envelope_->mutable_from());
      if (Is(name, "date")) AddDate(field.value);
      return;
    case 6:
      if (Is(name, "sender")) AddFirst(field.value, envelope_->mutable_sender());
      return;
    case 7:
      if (Is(name, "subject") && !envelope_->has_subject()) {
        if (auto text = budget_->Keep(field.value)) envelope_->set_subject(*std::move(text));
      }
      return;
    case 8:
      if (Is(name, "reply-to")) AddFirst(field.value, envelope_->mutable_reply_to());
      return;
    case 10:
      if (Is(name, "message-id") && !envelope_->has_message_id()) {
        if (auto text = budget_->Keep(field.value)) envelope_->set_message_id(*std::move(text));
      }
      return;
    case 11:
      if (Is(name, "in-reply-to") && !envelope_->has_in_reply_to()) {
        if (auto text = budget_->Keep(field.value)) envelope_->set_in_reply_to(*std::move(text));
      }
      return;
    default:
      return;
  }
}

void EnvelopeReader::Finish() {
  // RFC 9051, 7.5.2: also when the field is there but empty.
  if (envelope_->sender().empty()) CopyFrom(envelope_->mutable_sender());
  if (envelope_->reply_to().empty()) CopyFrom(envelope_->mutable_reply_to());
}

void EnvelopeReader::AddDate(std::string_view value) {
  if (envelope_->has_date()) return;
  std::optional<std::string> text = budget_->Keep(value);
  if (!text) return;
  if (const std::optional<Date> date = ParseDate(*text)) {
    envelope_->set_sent(date->micros_utc);
    envelope_->set_sent_zone(date->zone_minutes);
  }
  envelope_->set_date(*std::move(text));
}

void EnvelopeReader::AddFirst(std::string_view value, Addresses* list) {
  if (list->empty()) AddAddresses(value, list);
}

void EnvelopeReader::AddAddresses(std::string_view value, Addresses* list) {
  const size_t max = budget_->limits().max_addresses;
  const auto size = static_cast<size_t>(list->size());
  if (size >= max || budget_->exhausted()) return;
  const size_t max_text = budget_->limits().max_field_bytes;
  for (EnvelopeAddress& address : ParseAddressList(value, max - size)) {
    const size_t octets = address.name().size() + address.mailbox().size() + address.host().size();
    // What is longer is no address; the group's end is kept, or its start would have none.
    if (!IsGroupEnd(address) && (octets > max_text || !budget_->Take(octets))) {
      if (IsGroupStart(address)) return;
      continue;
    }
    *list->Add() = std::move(address);
  }
}

void EnvelopeReader::CopyFrom(Addresses* list) {
  for (const EnvelopeAddress& address : envelope_->from()) {
    const size_t octets = address.name().size() + address.mailbox().size() + address.host().size();
    if (!IsGroupEnd(address) && !budget_->Take(octets)) {
      if (IsGroupStart(address)) return;
      continue;
    }
    *list->Add() = address;
  }
}

std::vector<std::string> ParseMessageIds(std::string_view value, size_t max) {
  std::vector<std::string> ids;
  const auto add = [&](std::string_view text) {
    if (text.size() > kMaxMessageId) return;
    std::string id = WithoutSpace(text);
    if (!id.empty()) ids.push_back(std::move(id));
  };
  const bool brackets = value.find('<') != std::string_view::npos;
  size_t pos = 0;
  while (brackets) {
    pos = value.find('<', pos);
    if (pos == std::string_view::npos) break;
    // An id that does not close ends where the next one starts.
    const size_t end = value.find_first_of("<>", pos + 1);
    add(value.substr(pos + 1, end == std::string_view::npos ? end : end - pos - 1));
    pos = end == std::string_view::npos ? value.size() : value[end] == '>' ? end + 1 : end;
  }
  while (!brackets && pos < value.size()) {
    const size_t end = std::min(value.find_first_of(" \t\r\n,", pos), value.size());
    const std::string_view word = value.substr(pos, end - pos);
    if (word.find('@') != std::string_view::npos) add(word);
    pos = end + 1;
  }
  if (ids.size() > max) {
    ids.erase(ids.begin() + (max > 0 ? 1 : 0),
              ids.end() - static_cast<ptrdiff_t>(max > 0 ? max - 1 : 0));
  }
  return ids;
}

}  // namespace rmail::mime
