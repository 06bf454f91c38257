// Content-Transfer-Encoding (RFC 2045, 6).
#ifndef RMAIL_STORE_MIME_TRANSFER_ENCODING_H_
#define RMAIL_STORE_MIME_TRANSFER_ENCODING_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rmail::mime {

// Decodes a body in pieces of any size. The result does not depend on how it is cut. Broken input
// is decoded as far as it goes: base64 skips what is not of its alphabet, quoted-printable keeps
// what is no escape. Any encoding but base64 and quoted-printable leaves the bytes as they are.
// Memory use is constant. Not thread-safe.
class ContentDecoder {
 public:
  // `encoding` in any case.
  explicit ContentDecoder(std::string_view encoding);

  // Appends what `chunk` decodes to.
  void Update(std::string_view chunk, std::string* out);
  // Appends what was held back. The decoder must not be used again.
  void Finish(std::string* out);

 private:
  enum class Encoding { kIdentity, kBase64, kQuotedPrintable };

  void Base64(std::string_view chunk, std::string* out);
  void FlushBase64(std::string* out);
  void QuotedPrintable(std::string_view chunk, std::string* out);
  void QuotedPrintableOctet(char c, std::string* out);
  bool Escape(char c, std::string* out);

  Encoding encoding_;
  // base64: up to three values of six bits.
  uint32_t bits_ = 0;
  int count_ = 0;
  // quoted-printable: "=" and what followed it, or white space that may turn out to end a line.
  std::string held_;
};

// A whole body.
std::string DecodeContent(std::string_view body, std::string_view encoding);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_TRANSFER_ENCODING_H_
