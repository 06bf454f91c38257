// Tokens of structured fields that hold addresses.
#ifndef RMAIL_STORE_MIME_ADDRESS_LEXER_H_
#define RMAIL_STORE_MIME_ADDRESS_LEXER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::mime {

struct AddressToken {
  enum class Kind {
    // Anything that is no other kind: atoms and what stands for them in broken mail.
    kText,
    // A quoted string; `text` is its content.
    kQuoted,
    // A domain literal; `text` has its brackets.
    kLiteral,
    // A comment; `text` is its content, without the comments inside.
    kComment,
    // One of "<>@,;:.".
    kSpecial,
  };
  Kind kind = Kind::kText;
  std::string text;
  // White space or a comment stood before it.
  bool space_before = false;

  bool Is(char special) const { return kind == Kind::kSpecial && text[0] == special; }
};

// Never fails: what does not close is read as text. Linear in the size of the text.
class AddressLexer {
 public:
  explicit AddressLexer(std::string_view text) : text_(text) {}

  // The next token, or none at the end.
  std::optional<AddressToken> Next();

 private:
  std::optional<std::string> Enclosed(char open, char close);
  std::string Text();

  const std::string_view text_;
  size_t pos_ = 0;
  // Some quote, bracket or parenthesis does not close: none after it does.
  bool no_quote_ = false;
  bool no_literal_ = false;
  bool no_comment_ = false;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_ADDRESS_LEXER_H_
