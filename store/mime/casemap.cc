#include "store/mime/casemap.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "store/mime/chars.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

bool IsAscii(char c) { return (c & 0x80) == 0; }

// How many octets from the start on are ASCII.
size_t AsciiRun(std::string_view text) {
  size_t run = 0;
  uint64_t word;
  while (run + sizeof(word) <= text.size()) {
    std::memcpy(&word, text.data() + run, sizeof(word));
    if ((word & 0x8080808080808080u) != 0) break;
    run += sizeof(word);
  }
  while (run < text.size() && IsAscii(text[run])) ++run;
  return run;
}

void AppendLower(std::string_view ascii, std::string* out) {
  const size_t start = out->size();
  out->append(ascii);
  // By a pointer of its own, which the compiler knows not to be moved by what is written.
  char* const lower = out->data() + start;
  for (size_t i = 0; i < ascii.size(); ++i) lower[i] = ToLower(lower[i]);
}

char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

// Hangul syllables have no decomposition in UnicodeData.txt, which is what RFC 5051 goes by.
bool IsHangul(uint32_t code_point) { return code_point >= 0xAC00 && code_point <= 0xD7A3; }

// Its title case is that of i, though it folds to itself.
constexpr uint32_t kDotlessI = 0x131;

// Valid UTF-8, decomposed as far as it goes.
std::string Decomposed(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const nfkd = icu::Normalizer2::getNFKDInstance(error);
  if (U_FAILURE(error)) return std::string(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  const auto append = [&](std::string_view part) {
    if (part.empty()) return;
    nfkd->normalizeUTF8(0, icu::StringPiece(part.data(), static_cast<int32_t>(part.size())), sink,
                        nullptr, error);
  };
  size_t start = 0;
  for (size_t pos = 0; pos < text.size();) {
    const size_t at = pos;
    const uint32_t code_point = NextCodePoint(text, &pos);
    if (code_point != kDotlessI && !IsHangul(code_point)) continue;
    append(text.substr(start, at - start));
    out.append(code_point == kDotlessI ? "i" : text.substr(at, pos - at));
    start = pos;
  }
  append(text.substr(start));
  return U_SUCCESS(error) ? out : std::string(text);
}

// Characters beyond ASCII. Decomposed first: some become letters that have a case.
void AppendFolded(std::string_view text, std::string* out) {
  std::string decomposed;
  if (IsValidUtf8(text)) {
    decomposed = Decomposed(text);
    text = decomposed;
  }
  icu::StringByteSink<std::string> sink(out);
  UErrorCode error = U_ZERO_ERROR;
  icu::CaseMap::utf8Fold(U_FOLD_CASE_DEFAULT,
                         icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink,
                         nullptr, error);
}

// RFC 5051, 2, for one character: its title case, decomposed as far as it goes.
void AppendCasemapped(uint32_t code_point, const icu::Normalizer2* nfkd, std::string* out) {
  const auto title = static_cast<uint32_t>(u_totitle(static_cast<UChar32>(code_point)));
  icu::UnicodeString parts;
  if (IsHangul(title) || nfkd == nullptr ||
      !nfkd->getDecomposition(static_cast<UChar32>(title), parts)) {
    AppendUtf8(title, out);
    return;
  }
  for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
    AppendUtf8(static_cast<uint32_t>(parts.char32At(i)), out);
  }
}

}  // namespace

std::string FoldCase(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t run = AsciiRun(text);
    AppendLower(text.substr(0, run), &out);
    text.remove_prefix(run);
    size_t others = 0;
    while (others < text.size() && others < INT32_MAX / 4 && !IsAscii(text[others])) ++others;
    if (others > 0) AppendFolded(text.substr(0, others), &out);
    text.remove_prefix(others);
  }
  return out;
}

std::string CasemapKey(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkd = nullptr;
  for (size_t pos = 0; pos < text.size();) {
    if (IsAscii(text[pos])) {
      out.push_back(ToUpper(text[pos++]));
      continue;
    }
    if (nfkd == nullptr) nfkd = icu::Normalizer2::getNFKDInstance(error);
    AppendCasemapped(NextCodePoint(text, &pos), U_SUCCESS(error) ? nfkd : nullptr, &out);
  }
  return out;
}

}  // namespace rmail::mime
