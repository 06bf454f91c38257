// Encoded words (RFC 2047).
#ifndef RMAIL_STORE_MIME_WORDS_H_
#define RMAIL_STORE_MIME_WORDS_H_

#include <string>
#include <string_view>

namespace rmail::mime {

// A header value for people to read: unfolded, encoded words decoded, everything else as UTF-8 or,
// where it is none, as windows-1252. Valid UTF-8 without control characters but for tabs. Lenient:
// words of any length, in quotes or without white space around them, characters split between
// words.
std::string DecodeWords(std::string_view raw);

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_WORDS_H_
