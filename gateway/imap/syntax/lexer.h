// Reads the elements of one complete command.
//
// The text is the command without its last line ending; literals stand in it as they came:
// "{3}\r\nabc". Functions that return bool take an element off the front and return true, or leave
// an error and return false, so that a grammar reads `lexer.Space() && lexer.AString(user)`.
// Functions called Try leave no error. Not thread-safe.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_LEXER_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_LEXER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// A literal's announcement.
struct LiteralSize {
  uint64_t octets = 0;
  // False for "{n+}" (RFC 7888): the client does not wait.
  bool synchronizing = true;
  // "~{n}", a literal8 (RFC 3516): its octets may be NUL.
  bool binary = false;
  bool operator==(const LiteralSize&) const = default;
};

// What the session's client has enabled, as far as it changes what a command means.
struct ParseOptions {
  // Mailbox names are UTF-8 as they are (RFC 6855, 3; RFC 9051, 5.1); otherwise modified UTF-7 is
  // decoded.
  bool utf8_names = false;
};

class Lexer {
 public:
  // Octets of a tag or a keyword.
  static constexpr size_t kMaxWord = 128;

  // The text outlives the lexer.
  explicit Lexer(std::string_view text, ParseOptions options = {})
      : rest_(text), options_(options) {}

  bool AtEnd() const { return rest_.empty(); }
  // '\0' at the end.
  char Peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }
  // The first error; empty when there was none.
  std::string_view error() const { return error_; }
  // Leaves an error if there is none yet. Returns false.
  bool Fail(std::string_view error);

  // The very end.
  bool End();
  // This character.
  bool Char(char c);
  bool TryChar(char c);
  bool Space() { return Char(' '); }
  // The front in any case, whatever follows it.
  bool TryPrefix(std::string_view upper);

  // Up to kMaxWord octets.
  bool Tag(std::string& tag);
  bool Atom(std::string& atom);
  // An atom of up to kMaxWord octets, in upper case.
  bool Keyword(std::string& keyword);
  // A quoted string or a literal.
  bool String(std::string& text);
  bool AString(std::string& text);
  // A literal8 (RFC 3516): any octets.
  bool Literal8(std::string& octets);
  bool NString(std::optional<std::string>& text);
  // A mailbox's name, in UTF-8, by the options.
  bool Mailbox(std::string& name);
  // A LIST pattern, in UTF-8, by the options.
  bool ListMailbox(std::string& pattern);
  bool Number(uint64_t& number, uint64_t highest = UINT64_MAX);
  // nz-number.
  bool NonZero(uint32_t& number);
  bool Sequence(SequenceSet& set);
  // "{n}", "{n+}" or the same with a "~" at the end of the text.
  bool FinalLiteral(LiteralSize& size);

 private:
  // One to `most` octets; the first that is too many is not looked at.
  bool Run(bool (*member)(char), std::string& out, std::string_view what,
           size_t most = std::string_view::npos);
  bool Quoted(std::string& text);
  bool Literal(std::string& text);
  bool LiteralOctets(std::string& octets);
  bool SequenceNumber(uint32_t& number);
  bool DecodeName(std::string wire, std::string& name);

  std::string_view rest_;
  ParseOptions options_;
  std::string_view error_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_LEXER_H_
