#include "store/mime/parameters.h"

#include <algorithm>
#include <string>

#include "store/mime/chars.h"
#include "store/mime/charset.h"
#include "store/mime/header.h"
#include "store/mime/utf8.h"
#include "store/mime/words.h"

namespace rmail::mime {
namespace {

// A parameter as it stands there. "name*1*=x" has index 1 and is extended.
struct Segment {
  std::string name;
  int index = -1;
  bool extended = false;
  std::string value;
};

// File names are often written without the quotes that their spaces need.
bool IsFileName(std::string_view name) { return name == "filename" || name == "name"; }

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }

class ParameterScanner {
 public:
  explicit ParameterScanner(std::string_view text) : text_(text) {}

  std::string Value() {
    std::string value;
    while (!AtEnd() && Peek() != ';') {
      const size_t before = pos_;
      SkipSpace();
      if (AtEnd() || Peek() == ';') break;
      // The semicolon is missing: a new word that no slash ties to the one before.
      const bool tied = value.empty() || value.back() == '/' || Peek() == '/';
      if (pos_ > before && !tied) break;
      const char c = text_[pos_++];
      if (c != '"') value.push_back(ToLower(c));
    }
    return value;
  }

  // The next parameter; false at the end.
  bool Next(Segment* segment) {
    while (true) {
      while (!AtEnd() && (Peek() == ';' || IsSpace(Peek()) || Peek() == '(')) {
        if (Peek() == '(') {
          SkipComment();
        } else {
          ++pos_;
        }
      }
      if (AtEnd()) return false;
      const size_t start = pos_;
      while (!AtEnd() && Peek() != '=' && Peek() != ';') ++pos_;
      const std::string_view name = Trim(text_.substr(start, pos_ - start));
      if (AtEnd() || Peek() == ';') continue;
      ++pos_;
      *segment = Named(name);
      segment->value = ParameterValue(segment->name);
      if (!segment->name.empty()) return true;
    }
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  char Peek() const { return text_[pos_]; }

  void SkipSpace() {
    while (!AtEnd() && (IsSpace(Peek()) || Peek() == '(')) {
      if (Peek() == '(') {
        SkipComment();
      } else {
        ++pos_;
      }
    }
  }

  // A comment that does not close goes to the end.
  void SkipComment() {
    int depth = 0;
    while (!AtEnd()) {
      const char c = text_[pos_++];
      if (c == '\\') {
        ++pos_;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        return;
      }
    }
  }

  // RFC 2231, 3 and 4.
  static Segment Named(std::string_view written) {
    Segment segment;
    if (!written.empty() && written.back() == '*') {
      segment.extended = true;
      written.remove_suffix(1);
    }
    const size_t star = written.rfind('*');
    if (star != std::string_view::npos) {
      const std::string_view digits = written.substr(star + 1);
      if (!digits.empty() && digits.size() <= 3 &&
          std::all_of(digits.begin(), digits.end(), IsDigit)) {
        segment.index = 0;
        for (const char c : digits) segment.index = segment.index * 10 + (c - '0');
        written = written.substr(0, star);
      }
    }
    // Words without a value before it are dropped, and so is a name that can't be shown.
    written = Trim(written);
    written.remove_prefix(written.find_last_of(" \t\r\n") + 1);
    if (std::none_of(written.begin(), written.end(), IsControl)) segment.name = ToLower(written);
    return segment;
  }

  std::string ParameterValue(std::string_view name) {
    while (!AtEnd() && IsSpace(Peek())) ++pos_;
    if (!AtEnd() && Peek() == '"') return Quoted();
    // Another parameter may follow without a semicolon, unless spaces belong to the value.
    const std::string_view ends = IsFileName(name) ? ";" : "; \t\r\n(";
    const size_t start = pos_;
    pos_ = std::min(text_.find_first_of(ends, start), text_.size());
    const std::string_view value = Trim(text_.substr(start, pos_ - start));
    return std::string(value);
  }

  std::string Quoted() {
    std::string value;
    ++pos_;
    while (!AtEnd()) {
      char c = text_[pos_++];
      if (c == '"') break;
      if (c == '\\' && !AtEnd()) c = text_[pos_++];
      if (c != '\r' && c != '\n' && c != '\0') value.push_back(c);
    }
    return value;
  }

  const std::string_view text_;
  size_t pos_ = 0;
};

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Splits "charset'language'text" (RFC 2231, 4). Without the apostrophes all of it is text.
std::string_view SplitCharset(std::string_view value, std::string_view* charset) {
  const size_t first = value.find('\'');
  const size_t second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos) return value;
  *charset = value.substr(0, first);
  return value.substr(second + 1);
}

// The segments of one name in one value. An extended value is preferred to a plain one, which is
// there for old readers.
std::string Join(const std::vector<const Segment*>& segments, std::string* raw) {
  const Segment* plain = nullptr;
  const Segment* extended = nullptr;
  std::vector<const Segment*> continued;
  for (const Segment* segment : segments) {
    if (segment->index >= 0) {
      continued.push_back(segment);
    } else if (segment->extended && extended == nullptr) {
      extended = segment;
    } else if (!segment->extended && plain == nullptr) {
      plain = segment;
    }
  }
  if (extended != nullptr) {
    continued = {extended};
  } else if (continued.empty()) {
    *raw = plain->value;
    const bool words = IsFileName(plain->name) && raw->find("=?") != std::string::npos;
    return words ? DecodeWords(*raw) : ToValidUtf8(*raw);
  }
  std::sort(continued.begin(), continued.end(), [](const Segment* a, const Segment* b) {
    return a->index != b->index ? a->index < b->index : a < b;
  });
  continued.erase(
      std::unique(continued.begin(), continued.end(),
                  [](const Segment* a, const Segment* b) { return a->index == b->index; }),
      continued.end());
  std::string_view charset;
  for (size_t i = 0; i < continued.size(); ++i) {
    const std::string_view value = continued[i]->value;
    if (!continued[i]->extended) {
      raw->append(value);
    } else {
      raw->append(PercentDecoded(i == 0 ? SplitCharset(value, &charset) : value));
    }
  }
  return ToUtf8(*raw, charset);
}

}  // namespace

ParameterizedValue ParseParameterized(std::string_view field, size_t max_parameters) {
  ParameterScanner scanner(field);
  ParameterizedValue result;
  result.value = ToValidUtf8(scanner.Value());
  std::vector<Segment> segments;
  Segment segment;
  while (segments.size() < max_parameters && scanner.Next(&segment)) segments.push_back(segment);
  std::vector<bool> joined(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    if (joined[i]) continue;
    std::vector<const Segment*> same;
    for (size_t j = i; j < segments.size(); ++j) {
      if (segments[j].name != segments[i].name) continue;
      joined[j] = true;
      same.push_back(&segments[j]);
    }
    std::string raw;
    const std::string value = Unfold(Join(same, &raw));
    if (segments[i].name == "boundary") result.boundary = raw;
    result.parameters.push_back({ToValidUtf8(segments[i].name), value});
  }
  return result;
}

}  // namespace rmail::mime
