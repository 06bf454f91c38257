// The digest of a message: envelope, structure, preview, references.
#ifndef RMAIL_STORE_MIME_DIGEST_H_
#define RMAIL_STORE_MIME_DIGEST_H_

#include <memory>
#include <string_view>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/limits.h"

namespace rmail::mime {

// Makes a digest in one pass over a message (RFC 5322, RFC 2045, RFC 2046), given in chunks of any
// size; the result does not depend on how it is cut. Never fails: any bytes are some message.
// - Every string is valid UTF-8; header bytes that are none are read as windows-1252.
// - A multipart without a boundary, or in which it never stands, is text/plain. One that lies too
//   deep, or a message that does, is application/octet-stream. So a multipart has parts, and a
//   message/rfc822 (or message/global) an envelope and one part.
// - A body without a boundary's line end before it has a last line, even an unfinished one, that
//   counts.
// Linear time; memory is bounded by the limits. Not thread-safe.
class DigestBuilder {
 public:
  explicit DigestBuilder(DigestLimits limits = {});
  ~DigestBuilder();
  DigestBuilder(const DigestBuilder&) = delete;
  DigestBuilder& operator=(const DigestBuilder&) = delete;

  // The message's next bytes.
  void Update(std::string_view chunk);
  // The message is complete. The builder must not be used again.
  store::v1::MessageDigest Finish();

 private:
  class Scanner;
  std::unique_ptr<Scanner> scanner_;
};

// The digest of a message that is in memory.
store::v1::MessageDigest DigestOf(std::string_view message);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_DIGEST_H_
