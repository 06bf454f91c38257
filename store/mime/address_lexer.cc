#include "store/mime/address_lexer.h"

#include "store/mime/chars.h"

namespace rmail::mime {
namespace {

bool IsDropped(char c) { return c == '\r' || c == '\n' || c == '\0'; }

}  // namespace

// Reads to the character that closes the one at pos_ and moves behind it. Nothing, and no move,
// when it is not there.
std::optional<std::string> AddressLexer::Enclosed(char open, char close) {
  std::string content;
  int depth = 1;
  for (size_t i = pos_ + 1; i < text_.size(); ++i) {
    char c = text_[i];
    if (c == '\\' && i + 1 < text_.size()) {
      c = text_[++i];
    } else if (c == close) {
      if (--depth == 0) {
        pos_ = i + 1;
        return content;
      }
      continue;
    } else if (c == open && open == '(') {
      // Only comments nest (RFC 5322, 3.2.2).
      ++depth;
      continue;
    }
    if (!IsDropped(c)) content.push_back(c);
  }
  return std::nullopt;
}

std::string AddressLexer::Text() {
  constexpr std::string_view kEnds = "<>@,;:.\"[(";
  const size_t start = pos_++;
  while (pos_ < text_.size() && !IsSpace(text_[pos_]) &&
         kEnds.find(text_[pos_]) == std::string_view::npos) {
    ++pos_;
  }
  std::string text;
  for (const char c : text_.substr(start, pos_ - start)) {
    if (!IsDropped(c)) text.push_back(c);
  }
  return text;
}

std::optional<AddressToken> AddressLexer::Next() {
  AddressToken token;
  while (pos_ < text_.size() && IsSpace(text_[pos_])) {
    ++pos_;
    token.space_before = true;
  }
  if (pos_ == text_.size()) return std::nullopt;
  const char c = text_[pos_];
  const auto enclosed = [&](bool* none, char open, char close, AddressToken::Kind kind) {
    if (c != open || *none) return false;
    std::optional<std::string> content = Enclosed(open, close);
    *none = !content;
    if (!content) return false;
    token.kind = kind;
    token.text = *std::move(content);
    return true;
  };
  if (enclosed(&no_quote_, '"', '"', AddressToken::Kind::kQuoted) ||
      enclosed(&no_comment_, '(', ')', AddressToken::Kind::kComment)) {
    return token;
  }
  if (enclosed(&no_literal_, '[', ']', AddressToken::Kind::kLiteral)) {
    token.text = "[" + token.text + "]";
    return token;
  }
  constexpr std::string_view kSpecials = "<>@,;:.";
  if (kSpecials.find(c) != std::string_view::npos) {
    token.kind = AddressToken::Kind::kSpecial;
    token.text.assign(1, c);
    ++pos_;
    return token;
  }
  token.text = Text();
  return token;
}

}  // namespace rmail::mime
