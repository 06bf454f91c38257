// Character references of HTML.
#ifndef RMAIL_STORE_MIME_HTML_ENTITIES_H_
#define RMAIL_STORE_MIME_HTML_ENTITIES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rmail::mime {

struct Entity {
  uint32_t code_point;
  // How many octets the reference has.
  size_t size;
};

// The reference at the start of `text`, which starts with "&": numbers and the names that mail
// uses. Anything else is the "&" itself.
Entity ParseEntity(std::string_view text);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_HTML_ENTITIES_H_
