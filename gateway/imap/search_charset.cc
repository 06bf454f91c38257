#include "gateway/imap/search_charset.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/mailbox_name.h"

namespace rmail::gateway::imap {

namespace {

// Longer than any charset's name.
constexpr size_t kMaxName = 60;

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

// Null when ICU does not know the charset. It fails at what is not in the charset.
Converter Open(std::string_view charset) {
  // A comma would start ICU's own options.
  const bool plain = std::all_of(charset.begin(), charset.end(), [](char c) {
    return IsDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == ':';
  });
  if (!plain || charset.size() > kMaxName) return nullptr;
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(std::string(charset).c_str(), &error));
  if (U_FAILURE(error)) return nullptr;
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  return U_FAILURE(error) ? nullptr : std::move(converter);
}

bool Convert(UConverter* converter, std::string& text) {
  const auto from_size = static_cast<int32_t>(text.size());
  UErrorCode error = U_ZERO_ERROR;
  const int32_t size =
      ucnv_toAlgorithmic(UCNV_UTF8, converter, nullptr, 0, text.data(), from_size, &error);
  // Nothing was written yet, which ICU calls an overflow.
  if (error != U_BUFFER_OVERFLOW_ERROR) {
    text.clear();
    return U_SUCCESS(error);
  }
  std::string utf8(static_cast<size_t>(size), '\0');
  error = U_ZERO_ERROR;
  ucnv_toAlgorithmic(UCNV_UTF8, converter, utf8.data(), size, text.data(), from_size, &error);
  text = std::move(utf8);
  return U_SUCCESS(error);
}

bool ConvertTexts(UConverter* converter, std::vector<SearchKey>& keys) {
  using Kind = SearchKey::Kind;
  return std::all_of(keys.begin(), keys.end(), [converter](SearchKey& key) {
    const bool has_text =
        key.kind == Kind::kHeader || key.kind == Kind::kBody || key.kind == Kind::kText;
    return (!has_text || Convert(converter, key.text)) && ConvertTexts(converter, key.children);
  });
}

bool AreUtf8(const std::vector<SearchKey>& keys) {
  return std::all_of(keys.begin(), keys.end(), [](const SearchKey& key) {
    return IsUtf8(key.text) && IsUtf8(key.field) && AreUtf8(key.children);
  });
}

}  // namespace

bool TextsToUtf8(std::string_view charset, std::vector<SearchKey>& keys) {
  if (!charset.empty() && charset != "UTF-8" && charset != "US-ASCII") {
    const Converter converter = Open(charset);
    if (converter == nullptr || !ConvertTexts(converter.get(), keys)) return false;
  }
  return AreUtf8(keys);
}

}  // namespace rmail::gateway::imap
