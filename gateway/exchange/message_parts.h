// Which parts of a message are its text and which are attachments.
#ifndef RMAIL_GATEWAY_EXCHANGE_MESSAGE_PARTS_H_
#define RMAIL_GATEWAY_EXCHANGE_MESSAGE_PARTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"

namespace rmail::gateway::exchange {

// A part that is no multipart. Points into the digest.
struct Part {
  const store::v1::BodyPart* body = nullptr;
  // IMAP's part number (RFC 9051, 6.4.5.1): {1, 2} for "1.2".
  std::vector<uint32_t> number;
};

struct MessageParts {
  // The first text/plain and text/html that are not attachments; `body` is null where there is
  // none.
  Part text;
  Part html;
  // All others, in the order of the message. An enclosed message is one attachment.
  std::vector<Part> attachments;
};

MessageParts FindParts(const store::v1::BodyPart& root);

// Whether there is an attachment beyond pictures that the HTML shows.
bool HasAttachments(const MessageParts& parts);

// Whether the part is meant to be shown within the HTML ("cid:").
bool IsInline(const store::v1::BodyPart& part);

// The file name that the sender gave, decoded to UTF-8, without path and control characters; empty
// when there is none.
std::string FileName(const store::v1::BodyPart& part);

// "1.2"
std::string PartNumber(const Part& part);

// How many octets the part has decoded: counted where `encoded` (its body as transferred) is not
// empty, else estimated within a few octets from the lines and octets that it has.
uint64_t DecodedSize(const store::v1::BodyPart& part, std::string_view encoded);

// The text of a part in UTF-8: content and charset decoded.
std::string DecodeText(const store::v1::BodyPart& part, std::string_view encoded);

}  // namespace rmail::gateway::exchange

#endif  // RMAIL_GATEWAY_EXCHANGE_MESSAGE_PARTS_H_
