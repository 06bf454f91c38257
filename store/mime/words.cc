#include "store/mime/words.h"

#include <algorithm>
#include <optional>

#include "store/mime/chars.h"
#include "store/mime/charset.h"
#include "store/mime/header.h"
#include "store/mime/transfer_encoding.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

struct EncodedWord {
  std::string_view charset;
  bool base64;
  std::string_view text;
  // With its delimiters.
  size_t size;
};

// The encoded word at the start of `text`, which starts with "=?". It looks no further than three
// question marks, so that a text full of "=?" is still read in linear time.
std::optional<EncodedWord> ParseWord(std::string_view text) {
  const size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  if (charset_end + 3 > text.size() || text[charset_end + 2] != '?') return std::nullopt;
  const char encoding = ToLower(text[charset_end + 1]);
  if (encoding != 'b' && encoding != 'q') return std::nullopt;
  const size_t start = charset_end + 3;
  const size_t end = text.find('?', start);
  if (end == std::string_view::npos || end + 1 >= text.size() || text[end + 1] != '=') {
    return std::nullopt;
  }
  EncodedWord word;
  word.charset = text.substr(2, charset_end - 2);
  // RFC 2231, 5: a language may follow the charset.
  word.charset = word.charset.substr(0, word.charset.find('*'));
  word.base64 = encoding == 'b';
  word.text = text.substr(start, end - start);
  word.size = end + 2;
  return word;
}

// RFC 2047, 4.2.
std::string DecodeQ(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '_' ? ' ' : text[i]);
    }
  }
  return out;
}

// Collects decoded bytes of neighbouring words of one charset, so that a character split between
// them is whole again when it is converted.
class WordJoiner {
 public:
  explicit WordJoiner(std::string* out) : out_(out) {}

  void Add(const EncodedWord& word) {
    if (!EqualsIgnoreCase(word.charset, charset_)) Flush();
    charset_ = word.charset;
    bytes_ += word.base64 ? DecodeContent(word.text, "base64") : DecodeQ(word.text);
  }

  void Flush() {
    if (!bytes_.empty()) out_->append(ToUtf8(bytes_, charset_));
    bytes_.clear();
  }

 private:
  std::string* const out_;
  std::string_view charset_;
  std::string bytes_;
};

bool IsControl(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F'; }

}  // namespace

std::string DecodeWords(std::string_view raw) {
  const std::string line = Unfold(raw);
  const std::string_view text = line;
  std::string out;
  WordJoiner joiner(&out);
  size_t done = 0;
  bool after_word = false;
  for (size_t at = text.find("=?"); at != std::string_view::npos;) {
    const std::optional<EncodedWord> word = ParseWord(text.substr(at));
    if (!word) {
      at = text.find("=?", at + 2);
      continue;
    }
    const std::string_view gap = text.substr(done, at - done);
    // RFC 2047, 6.2: white space between encoded words is not shown.
    if (!after_word || !std::all_of(gap.begin(), gap.end(), IsBlank)) {
      joiner.Flush();
      out += ToValidUtf8(gap);
    }
    joiner.Add(*word);
    after_word = true;
    done = at + word->size;
    at = text.find("=?", done);
  }
  joiner.Flush();
  out += ToValidUtf8(text.substr(done));
  // A decoded word must not smuggle line ends into what is made from it.
  std::replace_if(out.begin(), out.end(), IsControl, ' ');
  return out;
}

}  // namespace rmail::mime
