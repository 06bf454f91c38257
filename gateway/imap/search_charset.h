// The charsets that searches may come in.
#ifndef RMAIL_GATEWAY_IMAP_SEARCH_CHARSET_H_
#define RMAIL_GATEWAY_IMAP_SEARCH_CHARSET_H_

#include <string_view>
#include <vector>

#include "gateway/imap/syntax/search_arguments.h"

namespace rmail::gateway::imap {

// Turns the texts that are looked for into UTF-8. `charset` is in upper case, empty when none was
// given; any that ICU knows will do. False: the charset is not known, or a text is not in it.
bool TextsToUtf8(std::string_view charset, std::vector<SearchKey>& keys);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SEARCH_CHARSET_H_
