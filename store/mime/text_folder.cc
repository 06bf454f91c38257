#include "store/mime/text_folder.h"

#include <utility>

#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

bool IsWhiteSpace(uint32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Newsletters pad their first lines with these.
bool IsInvisible(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x34F || c == 0x200B ||
         c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

// They matter within words (and emoji) only.
bool IsJoiner(uint32_t c) { return c == 0x200C || c == 0x200D; }

}  // namespace

bool TextFolder::Add(uint32_t code_point) {
  if (left_ == 0) return false;
  if (IsWhiteSpace(code_point)) {
    space_ = !text_.empty();
    return true;
  }
  if (IsInvisible(code_point)) return true;
  if (IsJoiner(code_point) && (space_ || text_.empty())) return true;
  if (std::exchange(space_, false)) {
    // A space that nothing fits behind is not shown.
    if (--left_ == 0) return false;
    text_.push_back(' ');
  }
  AppendUtf8(code_point, &text_);
  return --left_ > 0;
}

std::string TextFolder::Take() {
  space_ = false;
  return std::exchange(text_, {});
}

}  // namespace rmail::mime
