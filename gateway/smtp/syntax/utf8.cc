#include "gateway/smtp/syntax/utf8.h"

#include <algorithm>

#include "store/mime/utf8.h"

namespace rmail::gateway::smtp {

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsUtf8(std::string_view text) {
  if (!mime::IsValidUtf8(text)) return false;
  // In well-formed text 0xc2 leads a character of two octets: U+0080 to U+00BF.
  for (size_t i = text.find('\xc2'); i != std::string_view::npos; i = text.find('\xc2', i + 2)) {
    if (static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

}  // namespace rmail::gateway::smtp
