// Parts that hold other parts.
#ifndef RMAIL_STORE_MIME_PART_KIND_H_
#define RMAIL_STORE_MIME_PART_KIND_H_

#include "rmail/store/v1/digest.pb.h"

namespace rmail::mime {

inline bool IsMultipart(const store::v1::BodyPart& part) { return part.type() == "multipart"; }

// RFC 2046, 5.2.1, and its UTF-8 form, RFC 6532, 3.7.
inline bool IsMessage(const store::v1::BodyPart& part) {
  return part.type() == "message" && (part.subtype() == "rfc822" || part.subtype() == "global");
}

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_PART_KIND_H_
