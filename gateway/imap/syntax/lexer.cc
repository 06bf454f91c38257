#include "gateway/imap/syntax/lexer.h"

#include <algorithm>
#include <utility>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/mailbox_name.h"

namespace rmail::gateway::imap {

bool Lexer::Fail(std::string_view error) {
  if (error_.empty()) error_ = error;
  return false;
}

bool Lexer::End() { return rest_.empty() || Fail("Unexpected text after the arguments"); }

bool Lexer::TryChar(char c) {
  if (rest_.empty() || rest_.front() != c) return false;
  rest_.remove_prefix(1);
  return true;
}

bool Lexer::Char(char c) {
  if (TryChar(c)) return true;
  switch (c) {
    case ' ':
      return Fail(rest_.empty() ? "Missing arguments" : "Space expected");
    case '(':
    case ')':
      return Fail("Parenthesis expected");
    default:
      return Fail("Unexpected character");
  }
}

bool Lexer::TryPrefix(std::string_view upper) {
  if (!EqualsIgnoreCase(rest_.substr(0, upper.size()), upper)) return false;
  rest_.remove_prefix(upper.size());
  return true;
}

bool Lexer::Run(bool (*member)(char), std::string& out, std::string_view what, size_t most) {
  const std::string_view front = rest_.substr(0, most);
  const auto end = std::find_if_not(front.begin(), front.end(), member);
  const auto length = static_cast<size_t>(end - front.begin());
  if (length == 0) return Fail(what);
  if (length == most && length < rest_.size() && member(rest_[length])) return Fail(what);
  out.assign(rest_.substr(0, length));
  rest_.remove_prefix(length);
  return true;
}

bool Lexer::Tag(std::string& tag) {
  // RFC 9051, tag: any ASTRING-CHAR but '+'.
  return Run([](char c) { return IsAStringChar(c) && c != '+'; }, tag, "Invalid tag", kMaxWord);
}

bool Lexer::Atom(std::string& atom) {
  return Run([](char c) { return IsAtomChar(c); }, atom, "Atom expected");
}

bool Lexer::Keyword(std::string& keyword) {
  if (!Run([](char c) { return IsAtomChar(c); }, keyword, "Atom expected", kMaxWord)) return false;
  std::transform(keyword.begin(), keyword.end(), keyword.begin(), ToUpper);
  return true;
}

bool Lexer::Quoted(std::string& text) {
  text.clear();
  rest_.remove_prefix(1);
  while (true) {
    const size_t special = rest_.find_first_of(std::string_view("\"\\\r\n\0", 5));
    if (special == std::string_view::npos) return Fail("Unterminated quoted string");
    text += rest_.substr(0, special);
    const char c = rest_[special];
    rest_.remove_prefix(special + 1);
    if (c == '"') return true;
    if (c != '\\') return Fail("Control character in a quoted string");
    if (Peek() != '"' && Peek() != '\\') return Fail("Invalid escape in a quoted string");
    text += rest_.front();
    rest_.remove_prefix(1);
  }
}

bool Lexer::Literal(std::string& text) {
  // RFC 9051, CHAR8.
  return LiteralOctets(text) && (text.find('\0') == std::string::npos || Fail("NUL in a literal"));
}

bool Lexer::Literal8(std::string& octets) {
  return rest_.starts_with("~{") && TryChar('~') ? LiteralOctets(octets) : Fail("Literal expected");
}

bool Lexer::LiteralOctets(std::string& text) {
  rest_.remove_prefix(1);
  uint64_t octets = 0;
  if (!Number(octets)) return false;
  TryChar('+');
  if (!Char('}') || !Char('\r') || !Char('\n')) return false;
  if (octets > rest_.size()) return Fail("Incomplete literal");
  text.assign(rest_.substr(0, octets));
  rest_.remove_prefix(octets);
  return true;
}

bool Lexer::String(std::string& text) {
  if (Peek() == '"') return Quoted(text);
  if (Peek() == '{') return Literal(text);
  return Fail("String expected");
}

bool Lexer::AString(std::string& text) {
  if (Peek() == '"' || Peek() == '{') return String(text);
  return Run([](char c) { return IsAStringChar(c); }, text, "String expected");
}

bool Lexer::NString(std::optional<std::string>& text) {
  if (TryPrefix("NIL")) {
    text.reset();
    return true;
  }
  return String(text.emplace());
}

bool Lexer::DecodeName(std::string wire, std::string& name) {
  if (options_.utf8_names) {
    if (!IsUtf8(wire)) return Fail("Name is not in UTF-8");
    name = std::move(wire);
    return true;
  }
  std::optional<std::string> decoded = DecodeMailboxName(wire);
  if (!decoded) return Fail("Name is not in modified UTF-7");
  name = *std::move(decoded);
  return true;
}

bool Lexer::Mailbox(std::string& name) {
  std::string wire;
  if (!AString(wire) || !DecodeName(std::move(wire), name)) return false;
  // RFC 9051, mailbox: INBOX is case-insensitive.
  if (EqualsIgnoreCase(name, "INBOX")) name = "INBOX";
  return true;
}

bool Lexer::ListMailbox(std::string& pattern) {
  std::string wire;
  const bool read = Peek() == '"' || Peek() == '{'
                        ? String(wire)
                        : Run([](char c) { return IsListChar(c); }, wire, "Pattern expected");
  return read && DecodeName(std::move(wire), pattern);
}

bool Lexer::Number(uint64_t& number, uint64_t highest) {
  if (!IsDigit(Peek())) return Fail("Number expected");
  number = 0;
  while (IsDigit(Peek())) {
    const auto digit = static_cast<uint64_t>(rest_.front() - '0');
    if (number > (highest - digit) / 10) return Fail("Number too large");
    number = number * 10 + digit;
    rest_.remove_prefix(1);
  }
  return true;
}

bool Lexer::NonZero(uint32_t& number) {
  uint64_t wide = 0;
  if (!Number(wide, UINT32_MAX)) return false;
  if (wide == 0) return Fail("Number must not be zero");
  number = static_cast<uint32_t>(wide);
  return true;
}

bool Lexer::SequenceNumber(uint32_t& number) {
  if (TryChar('*')) {
    number = kStar;
    return true;
  }
  return NonZero(number);
}

bool Lexer::Sequence(SequenceSet& set) {
  // RFC 5182, seq-last-command: it stands alone.
  if (TryChar('$')) {
    set.saved = true;
    return true;
  }
  do {
    SequenceRange& range = set.ranges.emplace_back();
    if (!SequenceNumber(range.first)) return false;
    range.last = range.first;
    if (TryChar(':') && !SequenceNumber(range.last)) return false;
  } while (TryChar(','));
  return true;
}

bool Lexer::FinalLiteral(LiteralSize& size) {
  size.binary = TryChar('~');
  if (!TryChar('{')) return Fail("Literal expected");
  if (!Number(size.octets)) return false;
  size.synchronizing = !TryChar('+');
  return Char('}') && End();
}

}  // namespace rmail::gateway::imap
