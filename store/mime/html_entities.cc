#include "store/mime/html_entities.h"

#include <algorithm>
#include <iterator>

#include "store/mime/chars.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

struct Named {
  std::string_view name;
  uint32_t code_point;
};

// Sorted by name.
constexpr Named kNamed[] = {
    {"AElig", 0xC6},    {"Aacute", 0xC1},   {"Acirc", 0xC2},    {"Agrave", 0xC0},
    {"Aring", 0xC5},    {"Atilde", 0xC3},   {"Auml", 0xC4},     {"Ccedil", 0xC7},
    {"ETH", 0xD0},      {"Eacute", 0xC9},   {"Ecirc", 0xCA},    {"Egrave", 0xC8},
    {"Euml", 0xCB},     {"Iacute", 0xCD},   {"Icirc", 0xCE},    {"Igrave", 0xCC},
    {"Iuml", 0xCF},     {"Ntilde", 0xD1},   {"OElig", 0x152},   {"Oacute", 0xD3},
    {"Ocirc", 0xD4},    {"Ograve", 0xD2},   {"Oslash", 0xD8},   {"Otilde", 0xD5},
    {"Ouml", 0xD6},     {"Scaron", 0x160},  {"THORN", 0xDE},    {"Uacute", 0xDA},
    {"Ucirc", 0xDB},    {"Ugrave", 0xD9},   {"Uuml", 0xDC},     {"Yacute", 0xDD},
    {"aacute", 0xE1},   {"acirc", 0xE2},    {"acute", 0xB4},    {"aelig", 0xE6},
    {"agrave", 0xE0},   {"amp", '&'},       {"apos", '\''},     {"aring", 0xE5},
    {"atilde", 0xE3},   {"auml", 0xE4},     {"bdquo", 0x201E},  {"brvbar", 0xA6},
    {"bull", 0x2022},   {"ccedil", 0xE7},   {"cedil", 0xB8},    {"cent", 0xA2},
    {"copy", 0xA9},     {"curren", 0xA4},   {"dagger", 0x2020}, {"deg", 0xB0},
    {"divide", 0xF7},   {"eacute", 0xE9},   {"ecirc", 0xEA},    {"egrave", 0xE8},
    {"emsp", 0x2003},   {"ensp", 0x2002},   {"eth", 0xF0},      {"euml", 0xEB},
    {"euro", 0x20AC},   {"frac12", 0xBD},   {"frac14", 0xBC},   {"frac34", 0xBE},
    {"gt", '>'},        {"hearts", 0x2665}, {"hellip", 0x2026}, {"iacute", 0xED},
    {"icirc", 0xEE},    {"iexcl", 0xA1},    {"igrave", 0xEC},   {"iquest", 0xBF},
    {"iuml", 0xEF},     {"laquo", 0xAB},    {"larr", 0x2190},   {"ldquo", 0x201C},
    {"lsaquo", 0x2039}, {"lsquo", 0x2018},  {"lt", '<'},        {"macr", 0xAF},
    {"mdash", 0x2014},  {"micro", 0xB5},    {"middot", 0xB7},   {"minus", 0x2212},
    {"nbsp", 0xA0},     {"ndash", 0x2013},  {"not", 0xAC},      {"ntilde", 0xF1},
    {"oacute", 0xF3},   {"ocirc", 0xF4},    {"oelig", 0x153},   {"ograve", 0xF2},
    {"ordf", 0xAA},     {"ordm", 0xBA},     {"oslash", 0xF8},   {"otilde", 0xF5},
    {"ouml", 0xF6},     {"para", 0xB6},     {"permil", 0x2030}, {"plusmn", 0xB1},
    {"pound", 0xA3},    {"quot", '"'},      {"raquo", 0xBB},    {"rarr", 0x2192},
    {"rdquo", 0x201D},  {"reg", 0xAE},      {"rsaquo", 0x203A}, {"rsquo", 0x2019},
    {"sbquo", 0x201A},  {"scaron", 0x161},  {"sect", 0xA7},     {"shy", 0xAD},
    {"sup1", 0xB9},     {"sup2", 0xB2},     {"sup3", 0xB3},     {"szlig", 0xDF},
    {"thinsp", 0x2009}, {"thorn", 0xFE},    {"tilde", 0x2DC},   {"times", 0xD7},
    {"trade", 0x2122},  {"uacute", 0xFA},   {"ucirc", 0xFB},    {"ugrave", 0xF9},
    {"uml", 0xA8},      {"uuml", 0xFC},     {"yacute", 0xFD},   {"yen", 0xA5},
    {"yuml", 0xFF},     {"zwj", 0x200D},    {"zwnj", 0x200C},
};

constexpr bool IsSorted() {
  for (size_t i = 1; i < std::size(kNamed); ++i) {
    if (kNamed[i].name <= kNamed[i - 1].name) return false;
  }
  return true;
}
static_assert(IsSorted());

// With the semicolon, which browsers do not insist on.
size_t WithSemicolon(std::string_view text, size_t size) {
  return size < text.size() && text[size] == ';' ? size + 1 : size;
}

// "&#8364;" or "&#x20AC;". Size 0 when it is no number.
Entity ParseNumber(std::string_view text) {
  const bool hex = text.size() > 2 && ToLower(text[2]) == 'x';
  size_t pos = hex ? 3 : 2;
  const size_t start = pos;
  uint32_t value = 0;
  for (; pos < text.size(); ++pos) {
    if (hex ? HexValue(text[pos]) < 0 : !IsDigit(text[pos])) break;
    value = std::min<uint32_t>(value * (hex ? 16 : 10) + static_cast<uint32_t>(HexValue(text[pos])),
                               0x110000);
  }
  if (pos == start) return {0, 0};
  if (value == 0 || value > 0x10FFFF) value = kReplacementCharacter;
  if (value < 0x100) value = Windows1252CodePoint(static_cast<unsigned char>(value));
  return {value, WithSemicolon(text, pos)};
}

}  // namespace

Entity ParseEntity(std::string_view text) {
  constexpr Entity kAmpersand = {'&', 1};
  if (text.size() > 1 && text[1] == '#') {
    const Entity number = ParseNumber(text);
    return number.size > 0 ? number : kAmpersand;
  }
  size_t end = 1;
  while (end < text.size() && end < 9 && (IsAlpha(text[end]) || IsDigit(text[end]))) ++end;
  const std::string_view name = text.substr(1, end - 1);
  const Named* const found =
      std::lower_bound(std::begin(kNamed), std::end(kNamed), name,
                       [](const Named& named, std::string_view key) { return named.name < key; });
  if (found == std::end(kNamed) || found->name != name) return kAmpersand;
  return {found->code_point, WithSemicolon(text, end)};
}

}  // namespace rmail::mime
