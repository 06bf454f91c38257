#include "store/mime/header.h"

#include <algorithm>

#include "store/mime/chars.h"

namespace rmail::mime {
namespace {

// With the line end, which the last line may lack.
size_t LineSize(std::string_view text) {
  const size_t end = text.find('\n');
  return end == std::string_view::npos ? text.size() : end + 1;
}

std::string_view WithoutLineEnd(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

// RFC 5322, 2.2: printable ASCII but for the colon. UTF-8 is let through (it names no field we
// know).
bool IsNameOctet(char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7F'; }

// The name before the colon, or nothing when it can't be one. White space before the colon is
// obsolete syntax (RFC 5322, 4.5).
std::string_view NameOf(std::string_view before_colon) {
  while (!before_colon.empty() && IsBlank(before_colon.back())) before_colon.remove_suffix(1);
  return std::all_of(before_colon.begin(), before_colon.end(), IsNameOctet) ? before_colon
                                                                            : std::string_view();
}

}  // namespace

std::optional<HeaderField> HeaderReader::Next() {
  size_t size = LineSize(rest_);
  if (WithoutLineEnd(rest_.substr(0, size)).empty()) return std::nullopt;
  while (size < rest_.size() && IsBlank(rest_[size])) size += LineSize(rest_.substr(size));
  HeaderField field;
  field.raw = rest_.substr(0, size);
  rest_.remove_prefix(size);
  const std::string_view line = field.raw.substr(0, LineSize(field.raw));
  const size_t colon = line.find(':');
  if (colon != std::string_view::npos && !IsBlank(line.front())) {
    field.name = NameOf(line.substr(0, colon));
  }
  field.value = WithoutLineEnd(field.name.empty() ? field.raw : field.raw.substr(colon + 1));
  return field;
}

std::optional<std::string_view> FindField(std::string_view header, std::string_view name) {
  if (name.empty()) return std::nullopt;
  HeaderReader reader(header);
  while (const std::optional<HeaderField> field = reader.Next()) {
    if (EqualsIgnoreCase(field->name, name)) return field->value;
  }
  return std::nullopt;
}

std::string Unfold(std::string_view value) {
  value = Trim(value);
  std::string line;
  line.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\n' || c == '\0') continue;
    if (c != '\r') {
      line.push_back(c);
    } else if (i + 1 < value.size() && value[i + 1] != '\n') {
      line.push_back(' ');
    }
  }
  return line;
}

}  // namespace rmail::mime
