#include "store/mime/subject.h"

#include <cstddef>

#include "store/mime/chars.h"
#include "store/mime/words.h"

namespace rmail::mime {
namespace {

constexpr std::string_view kForwardTrailer = "(fwd)";
constexpr std::string_view kForwardHeader = "[fwd:";

// RFC 5256, 2.1 (1): on one line, each run of white space one space.
std::string Decode(std::string_view subject) {
  std::string text;
  for (const char c : DecodeWords(subject)) {
    const char shown = IsSpace(c) ? ' ' : c;
    if (shown != ' ' || (!text.empty() && text.back() != ' ')) text.push_back(shown);
  }
  return text;
}

bool StartsWith(std::string_view text, std::string_view lower) {
  return EqualsIgnoreCase(text.substr(0, lower.size()), lower);
}

bool EndsWith(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         EqualsIgnoreCase(text.substr(text.size() - lower.size()), lower);
}

size_t SpaceAt(std::string_view text, size_t pos) {
  const size_t start = pos;
  while (pos < text.size() && IsBlank(text[pos])) ++pos;
  return pos - start;
}

// The size of a subj-blob at `pos`, 0 when there is none.
size_t BlobAt(std::string_view text, size_t pos) {
  if (pos >= text.size() || text[pos] != '[') return 0;
  const size_t end = text.find_first_of("[]", pos + 1);
  if (end == std::string_view::npos || text[end] == '[') return 0;
  return end + 1 + SpaceAt(text, end + 1) - pos;
}

// The size of a subj-refwd at `pos`, 0 when there is none.
size_t ReplyMarkAt(std::string_view text, size_t pos) {
  const std::string_view rest = text.substr(pos);
  size_t size = 0;
  if (StartsWith(rest, "fwd")) {
    size = 3;
  } else if (StartsWith(rest, "re") || StartsWith(rest, "fw")) {
    size = 2;
  } else {
    return 0;
  }
  size += SpaceAt(rest, size);
  size += BlobAt(rest, size);
  return size < rest.size() && rest[size] == ':' ? size + 1 : 0;
}

class Extractor {
 public:
  explicit Extractor(std::string_view text) : text_(text) {}

  BaseSubject Extract() {
    do {
      RemoveTrailers();
      RemoveLeaders();
    } while (RemoveForward());
    return {std::string(text_), mark_};
  }

 private:
  // (2)
  void RemoveTrailers() {
    while (true) {
      if (!text_.empty() && IsBlank(text_.back())) {
        text_.remove_suffix(1);
      } else if (EndsWith(text_, kForwardTrailer)) {
        text_.remove_suffix(kForwardTrailer.size());
        mark_ = true;
      } else {
        return;
      }
    }
  }

  // (3) to (5). Blobs are gone through once: behind them is a reply mark, which takes them with it,
  // or none, and then they go for themselves, but for one that is all there is.
  void RemoveLeaders() {
    while (true) {
      text_.remove_prefix(SpaceAt(text_, 0));
      size_t pos = 0;
      size_t last_blob = 0;
      while (const size_t size = BlobAt(text_, pos)) {
        last_blob = pos;
        pos += size;
      }
      if (const size_t size = ReplyMarkAt(text_, pos)) {
        text_.remove_prefix(pos + size);
        mark_ = true;
        continue;
      }
      text_.remove_prefix(pos < text_.size() ? pos : last_blob);
      return;
    }
  }

  // (6)
  bool RemoveForward() {
    if (!StartsWith(text_, kForwardHeader) || !text_.ends_with(']')) return false;
    text_.remove_prefix(kForwardHeader.size());
    text_.remove_suffix(1);
    mark_ = true;
    return true;
  }

  std::string_view text_;
  bool mark_ = false;
};

}  // namespace

BaseSubject BaseSubjectOf(std::string_view subject) {
  const std::string text = Decode(subject);
  return Extractor(text).Extract();
}

}  // namespace rmail::mime
