// What clients are told, typed, and its JSON. All strings that go out are valid UTF-8, times are
// ISO 8601 in UTC.
#ifndef RMAIL_GATEWAY_EXCHANGE_ANSWERS_H_
#define RMAIL_GATEWAY_EXCHANGE_ANSWERS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/exchange/folder_state.h"
#include "gateway/exchange/message_parts.h"
#include "rmail/store/v1/digest.pb.h"
#include "rmail/store/v1/mailbox.pb.h"

namespace rmail::gateway::exchange {

// POST /auth/login
struct LoginAnswer {
  std::string token;
  // `accounts/{user@domain}`.
  std::string account;
  // Seconds.
  uint32_t expires_in = 0;
};

// GET /folders
struct FolderList {
  // With counts.
  std::vector<store::v1::Mailbox> mailboxes;
};

// A message's metadata.
struct MessageRow {
  uint32_t uid = 0;
  // See MessageFlags.
  uint64_t flags = 0;
  // Microseconds since 1970.
  int64_t internal_date = 0;
  // Octets.
  uint64_t size = 0;
  // See HasAttachments.
  bool has_attachments = false;
  store::v1::MessageDigest digest;
};

// Drops from the digest what a list does not show, and bounds the rest to some 100 KiB whatever a
// hostile message holds: a page has 200 of them in memory. The row of a list has no parts any more.
void KeepSummary(MessageRow& row);

// GET /folders/{folder}/messages
struct MessagePage {
  std::shared_ptr<const FolderState> folder;
  uint32_t page = 1;
  uint32_t page_size = 0;
  // In the order of the answer.
  std::vector<MessageRow> rows;
};

// GET /messages/{id}. Moved only: `parts` points into its own digest.
struct MessageDetail {
  MessageDetail() = default;
  MessageDetail(MessageDetail&&) = default;
  MessageDetail& operator=(MessageDetail&&) = default;

  // `name` is set, `keywords` where the message has any.
  store::v1::Mailbox mailbox;
  MessageRow row;
  // The message's header as it stands, possibly cut.
  std::string header;
  // Decoded; meaningful where `parts` has them.
  std::string text;
  std::string html;
  // Whether text or html was cut.
  bool truncated = false;
  MessageParts parts;
  // Decoded octets of parts.attachments.
  std::vector<uint64_t> attachment_sizes;
};

std::string ToJson(const LoginAnswer& answer);
std::string ToJson(const FolderList& answer);
std::string ToJson(const MessagePage& answer);
std::string ToJson(const MessageDetail& answer);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_ANSWERS_H_
