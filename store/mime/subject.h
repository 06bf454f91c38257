// Base subjects (RFC 5256, 2.1).
#ifndef RMAIL_STORE_MIME_SUBJECT_H_
#define RMAIL_STORE_MIME_SUBJECT_H_

#include <string>
#include <string_view>

namespace rmail::mime {

struct BaseSubject {
  // What a subject is about, in UTF-8, its case kept. May be empty.
  std::string text;
  // Whether something was taken off that says "re:" or "forwarded".
  bool reply_or_forward = false;
};

// The base subject of a Subject field's value, encoded words and all. Linear in its size.
BaseSubject BaseSubjectOf(std::string_view subject);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_SUBJECT_H_
