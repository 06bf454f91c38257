#include "store/mime/utf8.h"

#include <cstring>

namespace rmail::mime {
namespace {

constexpr uint16_t kWindows1252[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

unsigned char Octet(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

bool IsContinuation(unsigned char octet) { return (octet & 0xC0) == 0x80; }

// How many octets from `pos` on are ASCII.
size_t AsciiRun(std::string_view text, size_t pos) {
  const size_t start = pos;
  while (pos + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + pos, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
    pos += 8;
  }
  while (pos < text.size() && Octet(text, pos) < 0x80) ++pos;
  return pos - start;
}

// The range of the second octet, which excludes overlong forms, surrogates and what lies above
// U+10FFFF (RFC 3629, 4).
bool SecondOctetFits(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return IsContinuation(second);
  }
}

}  // namespace

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const unsigned char first = Octet(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length || !SecondOctetFits(first, Octet(text, 1))) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!IsContinuation(Octet(text, i))) return 0;
  }
  return length;
}

bool IsValidUtf8(std::string_view text) {
  size_t pos = 0;
  while (true) {
    pos += AsciiRun(text, pos);
    if (pos == text.size()) return true;
    const size_t length = Utf8Length(text.substr(pos));
    if (length == 0) return false;
    pos += length;
  }
}

uint32_t NextCodePoint(std::string_view text, size_t* pos) {
  const std::string_view rest = text.substr(*pos);
  const size_t length = Utf8Length(rest);
  if (length == 0) {
    ++*pos;
    return kReplacementCharacter;
  }
  *pos += length;
  if (length == 1) return Octet(rest, 0);
  uint32_t code_point = Octet(rest, 0) & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code_point = (code_point << 6) | (Octet(rest, i) & 0x3Fu);
  return code_point;
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    code_point = kReplacementCharacter;
  }
  const auto continuation = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)));
  };
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    continuation(0);
  } else if (code_point < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    continuation(6);
    continuation(0);
  } else {
    out->push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

uint32_t Windows1252CodePoint(unsigned char octet) {
  return octet >= 0x80 && octet < 0xA0 ? kWindows1252[octet - 0x80] : octet;
}

std::string Windows1252ToUtf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) AppendUtf8(Windows1252CodePoint(static_cast<unsigned char>(c)), &out);
  return out;
}

std::string ToValidUtf8(std::string_view bytes) {
  return IsValidUtf8(bytes) ? std::string(bytes) : Windows1252ToUtf8(bytes);
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t pos = 0;
  while (pos < text.size()) {
    if (const size_t run = AsciiRun(text, pos); run > 0) {
      out.append(text.substr(pos, run));
      pos += run;
    } else if (const size_t length = Utf8Length(text.substr(pos)); length > 0) {
      out.append(text.substr(pos, length));
      pos += length;
    } else {
      AppendUtf8(kReplacementCharacter, &out);
      ++pos;
    }
  }
  return out;
}

std::string_view TruncateUtf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && IsContinuation(Octet(text, max_bytes))) --max_bytes;
  return text.substr(0, max_bytes);
}

}  // namespace rmail::mime
