#include "gateway/smtp/syntax/xtext.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "gateway/smtp/syntax/utf8.h"
#include "store/mime/utf8.h"

namespace rmail::gateway::smtp {
namespace {

// Of a code point in braces.
constexpr size_t kMaxHexDigits = 6;

// RFC 3461, 4 has capital letters only.
std::optional<uint32_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool IsGraphic(char c) { return c > 0x20 && c < 0x7f; }

// RFC 6533, 3: QCHAR.
bool IsQchar(char c) { return IsGraphic(c) && c != '+' && c != '=' && c != '\\'; }

// The character of "\x{HEX}" at the start of `text`, which is removed.
std::optional<uint32_t> TakeEmbedded(std::string_view& text) {
  if (!text.starts_with("\\x{")) return std::nullopt;
  const size_t end = text.find('}');
  if (end == std::string_view::npos || end < 5 || end > 3 + kMaxHexDigits) return std::nullopt;
  uint32_t code_point = 0;
  for (const char c : text.substr(3, end - 3)) {
    const std::optional<uint32_t> digit = HexDigit(c);
    if (!digit.has_value()) return std::nullopt;
    code_point = code_point * 16 + *digit;
  }
  const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
  if (code_point == 0 || code_point > 0x10ffff || surrogate) return std::nullopt;
  text.remove_prefix(end + 1);
  return code_point;
}

}  // namespace

std::optional<std::string> DecodeXtext(std::string_view xtext, bool utf8) {
  std::string text;
  for (size_t i = 0; i < xtext.size(); ++i) {
    char c = xtext[i];
    if (!IsGraphic(c) || c == '=') return std::nullopt;
    if (c == '+') {
      if (xtext.size() - i < 3) return std::nullopt;
      const std::optional<uint32_t> high = HexDigit(xtext[i + 1]);
      const std::optional<uint32_t> low = HexDigit(xtext[i + 2]);
      if (!high.has_value() || !low.has_value()) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      const bool high_octet = static_cast<unsigned char>(c) >= 0x80;
      if (high_octet ? !utf8 : !IsGraphic(c) && c != ' ') return std::nullopt;
      i += 2;
    }
    text += c;
  }
  if (!IsUtf8(text)) return std::nullopt;
  return text;
}

std::string EncodeXtext(std::string_view text) {
  std::string xtext;
  for (const char c : text) {
    if (IsGraphic(c) && c != '+' && c != '=') {
      xtext += c;
    } else {
      xtext += fmt::format("+{:02X}", static_cast<unsigned char>(c));
    }
  }
  return xtext;
}

std::optional<std::string> DecodeUtf8Address(std::string_view encoded, bool utf8) {
  std::string address;
  while (!encoded.empty()) {
    const char c = encoded.front();
    if (c == '\\') {
      const std::optional<uint32_t> code_point = TakeEmbedded(encoded);
      if (!code_point.has_value() || *code_point < 0x20 || *code_point == 0x7f) {
        return std::nullopt;
      }
      mime::AppendUtf8(*code_point, &address);
      continue;
    }
    const bool high = static_cast<unsigned char>(c) >= 0x80;
    if (high ? !utf8 : !IsQchar(c)) return std::nullopt;
    address += c;
    encoded.remove_prefix(1);
  }
  if (address.empty() || !IsUtf8(address)) return std::nullopt;
  return address;
}

std::string EncodeUtf8Address(std::string_view address) {
  std::string encoded;
  for (size_t pos = 0; pos < address.size();) {
    const uint32_t code_point = mime::NextCodePoint(address, &pos);
    if (code_point < 0x80 && IsQchar(static_cast<char>(code_point))) {
      encoded += static_cast<char>(code_point);
    } else {
      encoded += fmt::format("\\x{{{:02X}}}", code_point);
    }
  }
  return encoded;
}

}  // namespace rmail::gateway::smtp
