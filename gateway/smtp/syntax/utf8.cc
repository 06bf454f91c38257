#include "gateway/smtp/syntax/utf8.h"

#include <algorithm>
#include <cstdint>

namespace rmail::smtp {

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    size_t length = 0;
    uint32_t lowest = 0;
    if ((lead & 0xe0) == 0xc0) {
      length = 2;
      lowest = 0xa0;  // U+0080 to U+009F are control characters.
    } else if ((lead & 0xf0) == 0xe0) {
      length = 3;
      lowest = 0x800;
    } else if ((lead & 0xf8) == 0xf0) {
      length = 4;
      lowest = 0x10000;
    } else {
      return false;
    }
    if (length > text.size() - i) return false;
    uint32_t point = lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3fu);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < lowest || point > 0x10ffff || surrogate) return false;
    i += length;
  }
  return true;
}

}  // namespace rmail::smtp
