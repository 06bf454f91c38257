// The first words of a message.
#ifndef RMAIL_STORE_MIME_PREVIEW_H_
#define RMAIL_STORE_MIME_PREVIEW_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "rmail/store/v1/digest.pb.h"

namespace rmail::mime {

// Listens to the parts of a message as they pass and makes the preview of the first text/plain that
// has any text, or else of the first such text/html. Attachments are passed over. Keeps at most
// 64 KiB. Not thread-safe.
class PreviewCollector {
 public:
  // A part's body starts; the part must live until it ends.
  void Begin(const store::v1::BodyPart& part);
  // Bytes of that body, as they are transferred.
  void Append(std::string_view bytes) {
    if (room_ > 0) AppendSome(bytes);
  }
  // The body ends.
  void End();
  // What was appended is no part's body after all (a multipart's preamble).
  void Discard();

  // UTF-8, up to 200 characters, white space folded.
  std::string Take();

 private:
  void AppendSome(std::string_view bytes);

  // Null: not listening.
  const store::v1::BodyPart* part_ = nullptr;
  size_t room_ = 0;
  std::string body_;
  std::string plain_;
  std::string html_;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_PREVIEW_H_
