// Sections of messages: BODY[...] of IMAP (RFC 9051, 6.4.5).
#ifndef RMAIL_STORE_MIME_SECTION_H_
#define RMAIL_STORE_MIME_SECTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::mime {

struct SectionExtent {
  // The message has no such section.
  bool missing = false;
  // Octets from the message's start; always within the message.
  uint64_t offset = 0;
  uint64_t size = 0;
  // The extent is a whole header, of which FilterHeader makes the section.
  bool filter_fields = false;
  // FilterHeader's argument of that name.
  bool negate = false;
  // Of the body of a part that is no multipart: its Content-Transfer-Encoding, in lower case. Empty
  // for all else, which has none.
  std::string encoding;
};

// Where a section of the message of `message_size` octets is. `spec.offset` and `spec.length` are
// not looked at.
SectionExtent ResolveSection(const store::v1::MessageDigest& digest, uint64_t message_size,
                             const store::v1::SectionSpec& spec);

// The fields of a header that are named in `fields` (in any case), or with `negate` all others:
// in their order, as they are folded, each time they stand there, and an empty line.
std::string FilterHeader(std::string_view header, const std::vector<std::string>& fields,
                         bool negate);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_SECTION_H_
