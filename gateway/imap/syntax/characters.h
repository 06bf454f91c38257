// Character classes of the IMAP grammar (RFC 9051, 9).
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_CHARACTERS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_CHARACTERS_H_

#include <algorithm>
#include <string>
#include <string_view>

namespace rmail::gateway::imap {

// ATOM-CHAR: printable ASCII but for atom-specials.
constexpr bool IsAtomChar(char c) {
  if (c <= ' ' || c >= 0x7f) return false;
  switch (c) {
    case '(':
    case ')':
    case '{':
    case '%':
    case '*':
    case '"':
    case '\\':
    case ']':
      return false;
    default:
      return true;
  }
}

// ASTRING-CHAR.
constexpr bool IsAStringChar(char c) { return IsAtomChar(c) || c == ']'; }

// list-char: what may stand unquoted in a LIST pattern.
constexpr bool IsListChar(char c) { return IsAStringChar(c) || c == '%' || c == '*'; }

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

constexpr char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// ASCII only.
constexpr bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return ToUpper(x) == ToUpper(y);
         });
}

inline std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), ToUpper);
  return upper;
}

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_CHARACTERS_H_
