#include "gateway/exchange/message_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

constexpr size_t kMaxMailboxId = 64;
constexpr size_t kUidOctets = 4;

}  // namespace

std::string EncodeMessageId(const MessageId& id) {
  std::string bytes;
  bytes.reserve(kUidOctets + id.mailbox_id.size());
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((id.uid >> shift) & 0xff));
  }
  bytes += id.mailbox_id;
  return absl::WebSafeBase64Escape(bytes);
}

std::optional<MessageId> DecodeMessageId(std::string_view text) {
  if (text.size() > (kUidOctets + kMaxMailboxId + 2) / 3 * 4) return std::nullopt;
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(ToAbsl(text), &bytes)) return std::nullopt;
  if (bytes.size() <= kUidOctets) return std::nullopt;
  MessageId id;
  for (size_t i = 0; i < kUidOctets; ++i) {
    id.uid = id.uid << 8 | static_cast<unsigned char>(bytes[i]);
  }
  id.mailbox_id = bytes.substr(kUidOctets);
  if (id.uid == 0 || !IsMailboxId(id.mailbox_id)) return std::nullopt;
  // The decoder takes padding, white space and unused bits too.
  if (EncodeMessageId(id) != text) return std::nullopt;
  return id;
}

bool IsMailboxId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxMailboxId &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c); });
}

std::string MailboxName(std::string_view account, std::string_view mailbox_id) {
  std::string name(account);
  name += "/mailboxes/";
  name += mailbox_id;
  return name;
}

std::string_view MailboxIdOf(std::string_view mailbox_name) {
  return mailbox_name.substr(mailbox_name.rfind('/') + 1);
}

}  // namespace rmail::gateway::exchange
