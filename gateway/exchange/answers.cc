#include "gateway/exchange/answers.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/exchange/message_id.h"
#include "gateway/exchange/message_view.h"
#include "gateway/exchange/utf8.h"

namespace rmail::gateway::exchange {
namespace {

namespace json = boost::json;

json::value SpecialUseOf(const store::v1::Mailbox& mailbox) {
  if (mailbox.path() == "INBOX") return "inbox";
  switch (mailbox.special_use()) {
    case store::v1::SPECIAL_USE_ALL:
      return "all";
    case store::v1::SPECIAL_USE_ARCHIVE:
      return "archive";
    case store::v1::SPECIAL_USE_DRAFTS:
      return "drafts";
    case store::v1::SPECIAL_USE_FLAGGED:
      return "flagged";
    case store::v1::SPECIAL_USE_JUNK:
      return "junk";
    case store::v1::SPECIAL_USE_SENT:
      return "sent";
    case store::v1::SPECIAL_USE_TRASH:
      return "trash";
    default:
      return nullptr;
  }
}

json::object FolderOf(const store::v1::Mailbox& mailbox) {
  json::object folder;
  folder["id"] = std::string(MailboxIdOf(mailbox.name()));
  folder["name"] = CleanUtf8(mailbox.path());
  folder["special_use"] = SpecialUseOf(mailbox);
  folder["subscribed"] = mailbox.subscribed();
  folder["messages"] = mailbox.counts().messages();
  folder["unseen"] = mailbox.counts().unseen();
  folder["size"] = mailbox.counts().size();
  folder["uid_validity"] = mailbox.counts().uid_validity();
  folder["uid_next"] = mailbox.counts().uid_next();
  return folder;
}

// Of each list of addresses, each name, address and subject in a list of messages.
constexpr int kListedAddresses = 50;
constexpr size_t kListedName = 512;
constexpr size_t kListedSubject = 2048;

// Cuts between characters and, where it can, between encoded words (RFC 2047), which have up to 75
// octets.
void Cut(std::string* text, size_t max) {
  if (text->size() <= max) return;
  size_t end = max;
  while (end > 0 && (static_cast<unsigned char>((*text)[end]) & 0xc0) == 0x80) --end;
  const size_t space = text->rfind(' ', end);
  if (space != std::string::npos && end - space < 80) end = space;
  text->resize(end);
}

void Shorten(google::protobuf::RepeatedPtrField<store::v1::EnvelopeAddress>& addresses) {
  if (addresses.size() > kListedAddresses) {
    addresses.DeleteSubrange(kListedAddresses, addresses.size() - kListedAddresses);
  }
  for (store::v1::EnvelopeAddress& address : addresses) {
    if (address.has_name()) Cut(address.mutable_name(), kListedName);
    // An address that is cut would be another one.
    if (address.mailbox().size() + address.host().size() > kListedName) {
      if (address.has_mailbox()) address.set_mailbox("");
      if (address.has_host()) address.set_host("");
    }
  }
}

}  // namespace

void KeepSummary(MessageRow& row) {
  row.has_attachments = HasAttachments(FindParts(row.digest.body()));
  store::v1::MessageDigest kept;
  store::v1::Envelope& all = *row.digest.mutable_envelope();
  store::v1::Envelope& envelope = *kept.mutable_envelope();
  kept.set_allocated_preview(row.digest.release_preview());
  if (all.has_subject()) envelope.set_allocated_subject(all.release_subject());
  if (envelope.has_subject()) Cut(envelope.mutable_subject(), kListedSubject);
  envelope.mutable_from()->Swap(all.mutable_from());
  envelope.mutable_to()->Swap(all.mutable_to());
  Shorten(*envelope.mutable_from());
  Shorten(*envelope.mutable_to());
  if (all.has_sent()) envelope.set_sent(all.sent());
  row.digest = std::move(kept);
}

std::string ToJson(const LoginAnswer& answer) {
  std::string_view address = answer.account;
  address.remove_prefix(address.find('/') + 1);
  const size_t at = address.rfind('@');
  json::object object;
  object["token"] = answer.token;
  object["username"] = CleanUtf8(address.substr(0, at));
  object["domain"] =
      CleanUtf8(at == std::string_view::npos ? std::string_view() : address.substr(at + 1));
  object["expires_in"] = answer.expires_in;
  return json::serialize(object);
}

std::string ToJson(const FolderList& answer) {
  json::array folders;
  for (const store::v1::Mailbox& mailbox : answer.mailboxes) folders.push_back(FolderOf(mailbox));
  json::object object;
  object["folders"] = std::move(folders);
  return json::serialize(object);
}

std::string ToJson(const MessagePage& answer) {
  const uint64_t total = answer.folder->uids->size();
  json::array messages;
  for (const MessageRow& row : answer.rows) {
    messages.push_back(SummaryOf(row, answer.folder->mailbox));
  }
  json::object object;
  object["folder"] = std::string(MailboxIdOf(answer.folder->mailbox.name()));
  object["page"] = answer.page;
  object["page_size"] = answer.page_size;
  object["total"] = total;
  object["pages"] = (total + answer.page_size - 1) / answer.page_size;
  object["messages"] = std::move(messages);
  return json::serialize(object);
}

std::string ToJson(const MessageDetail& answer) { return json::serialize(DetailOf(answer)); }

}  // namespace rmail::gateway::exchange
