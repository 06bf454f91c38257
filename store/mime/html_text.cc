#include "store/mime/html_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "store/mime/chars.h"
#include "store/mime/html_entities.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

constexpr size_t kEnd = std::string_view::npos;

// Tags that may stand inside a word.
constexpr std::string_view kInline[] = {"a",      "abbr", "b",     "big",  "code", "em",
                                        "font",   "i",    "small", "span", "s",    "strike",
                                        "strong", "sub",  "sup",   "u",    "wbr"};

// Elements whose content is not shown.
constexpr std::string_view kHidden[] = {"script", "style", "title"};

template <size_t N>
bool IsOneOf(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

class HtmlReader {
 public:
  HtmlReader(std::string_view html, TextFolder* out) : html_(html), out_(out) {}

  void Run() {
    while (pos_ < html_.size() && !full_) {
      if (html_[pos_] == '<' && IsMarkup()) {
        Markup();
      } else if (html_[pos_] == '&') {
        const Entity entity = ParseEntity(html_.substr(pos_));
        pos_ += entity.size;
        Add(entity.code_point);
      } else {
        Add(NextCodePoint(html_, &pos_));
      }
    }
  }

 private:
  void Add(uint32_t code_point) { full_ = !out_->Add(code_point); }

  // A lone "<" is text.
  bool IsMarkup() const {
    if (pos_ + 1 >= html_.size()) return true;
    const char c = html_[pos_ + 1];
    return IsAlpha(c) || c == '/' || c == '!' || c == '?';
  }

  void Markup() {
    if (html_.substr(pos_).starts_with("<!--")) {
      SkipPast(html_.find("-->", pos_ + 4), 3);
      return;
    }
    size_t name_start = pos_ + 1;
    const bool closing = name_start < html_.size() && html_[name_start] == '/';
    if (closing) ++name_start;
    size_t name_end = name_start;
    while (name_end < html_.size() && (IsAlpha(html_[name_end]) || IsDigit(html_[name_end]))) {
      ++name_end;
    }
    // No name that matters is longer.
    const std::string name =
        ToLower(html_.substr(name_start, std::min<size_t>(name_end - name_start, 16)));
    SkipPast(TagEnd(name_end), 1);
    if (!closing && IsOneOf(name, kHidden)) SkipHidden(name);
    if (!IsOneOf(name, kInline)) Add(' ');
  }

  void SkipPast(size_t at, size_t size) { pos_ = at == kEnd ? html_.size() : at + size; }

  // The ">" of a tag, not one within quotes, if those close soon.
  size_t TagEnd(size_t from) const {
    constexpr size_t kMaxQuoted = 4096;
    const std::string_view near = html_.substr(0, std::min(html_.size(), from + kMaxQuoted));
    size_t i = near.find_first_of("\"'>", from);
    while (i != kEnd && near[i] != '>') {
      i = near.find(near[i], i + 1);
      if (i != kEnd) i = near.find_first_of("\"'>", i + 1);
    }
    return i != kEnd ? i : html_.find('>', from);
  }

  void SkipHidden(std::string_view name) {
    for (pos_ = html_.find("</", pos_); pos_ != kEnd; pos_ = html_.find("</", pos_ + 2)) {
      if (EqualsIgnoreCase(html_.substr(pos_ + 2, name.size()), name)) {
        SkipPast(html_.find('>', pos_), 1);
        return;
      }
    }
    pos_ = html_.size();
  }

  const std::string_view html_;
  TextFolder* const out_;
  size_t pos_ = 0;
  bool full_ = false;
};

}  // namespace

void AppendHtmlText(std::string_view html, TextFolder* out) { HtmlReader(html, out).Run(); }

}  // namespace rmail::mime
