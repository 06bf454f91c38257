// Text of any charset to UTF-8.
#ifndef RMAIL_STORE_MIME_CHARSET_H_
#define RMAIL_STORE_MIME_CHARSET_H_

#include <string>
#include <string_view>

namespace rmail::mime {

// `bytes`, which are in `charset` (a MIME name or a usual alias, in any case), as valid UTF-8.
// Characters that can't be read become U+FFFD. An empty, unknown or ASCII charset is a guess: the
// bytes stay when they are UTF-8 and are read as windows-1252 when they are not. Latin-1 is read as
// windows-1252, as browsers do.
std::string ToUtf8(std::string_view bytes, std::string_view charset);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_CHARSET_H_
