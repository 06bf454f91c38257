#include "store/mime/charset.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "store/mime/chars.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

struct Alias {
  std::string_view name;
  const char* converter;
};

// Labels that mail uses for more than they say (the supersets are WHATWG's), or that ICU does not
// know.
constexpr Alias kAliases[] = {
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"x-gbk", "gb18030"},
    {"cp936", "gb18030"},
    {"big5", "windows-950-2000"},
    {"ks_c_5601-1987", "windows-949"},
    {"euc-kr", "windows-949"},
    {"shift_jis", "ibm-943_P15A-2003"},
    {"x-sjis", "ibm-943_P15A-2003"},
    {"iso-8859-9", "windows-1254"},
    {"iso-8859-11", "windows-874"},
    {"tis-620", "windows-874"},
};

// ICU reads options and file names from a converter's name: only plain labels reach it.
bool IsPlainLabel(std::string_view label) {
  return label.size() <= 60 && std::all_of(label.begin(), label.end(), [](char c) {
           return IsAlpha(c) || IsDigit(c) || c == '-' || c == '_' || c == '.' || c == ':';
         });
}

// What can't be read is U+FFFD. (ICU's own substitution is U+001A for some charsets.)
void Replace(const void* context, UConverterToUnicodeArgs* arguments, const char* octets,
             int32_t length, UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;
  *error = U_ZERO_ERROR;
  const UChar replacement = kReplacementCharacter;
  ucnv_cbToUWriteUChars(arguments, &replacement, 1, 0, error);
}

Converter Open(const std::string& label) {
  if (label.empty() || !IsPlainLabel(label)) return nullptr;
  const char* name = label.c_str();
  for (const Alias& alias : kAliases) {
    if (alias.name == label) name = alias.converter;
  }
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &error));
  if (U_FAILURE(error)) return nullptr;
  ucnv_setToUCallBack(converter.get(), &Replace, nullptr, nullptr, nullptr, &error);
  return U_SUCCESS(error) ? std::move(converter) : nullptr;
}

// Appends UTF-16 as UTF-8. A high surrogate at the end is left for the next call: returns how many
// units were not used (0 or 1).
size_t AppendUtf16(const UChar* units, size_t count, bool last, std::string* out) {
  size_t i = 0;
  while (i < count) {
    if (U16_IS_LEAD(units[i]) && i + 1 == count && !last) return 1;
    UChar32 code_point;
    U16_NEXT(units, i, count, code_point);
    AppendUtf8(static_cast<uint32_t>(code_point), out);
  }
  return 0;
}

std::string Convert(UConverter* converter, std::string_view bytes) {
  constexpr size_t kUnits = 1024;
  UChar units[kUnits];
  size_t kept = 0;
  std::string out;
  out.reserve(bytes.size());
  const char* source = bytes.data();
  const char* const end = source + bytes.size();
  while (true) {
    UChar* target = units + kept;
    UErrorCode error = U_ZERO_ERROR;
    ucnv_toUnicode(converter, &target, units + kUnits, &source, end, nullptr, true, &error);
    const bool more = error == U_BUFFER_OVERFLOW_ERROR;
    const auto count = static_cast<size_t>(target - units);
    kept = AppendUtf16(units, count, !more, &out);
    if (kept > 0) units[0] = units[count - 1];
    if (!more) break;
  }
  return out;
}

}  // namespace

std::string ToUtf8(std::string_view bytes, std::string_view charset) {
  const std::string label = ToLower(Trim(charset));
  if (label == "utf-8" || label == "utf8") return ReplaceInvalidUtf8(bytes);
  if (label == "iso-8859-1" || label == "windows-1252" || label == "latin1") {
    return Windows1252ToUtf8(bytes);
  }
  if (label == "us-ascii" || label == "ascii") return ToValidUtf8(bytes);
  const Converter converter = Open(label);
  return converter == nullptr ? ToValidUtf8(bytes) : Convert(converter.get(), bytes);
}

}  // namespace rmail::mime
