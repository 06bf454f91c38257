#include "gateway/imap/syntax/mailbox_name.h"

#include <algorithm>
#include <cstdint>

#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
constexpr char32_t kReplacement = 0xfffd;
constexpr char32_t kMalformed = 0xffffffff;

bool IsPlain(char c) { return c >= 0x20 && c <= 0x7e; }
bool IsHighSurrogate(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// Takes one character off the front of UTF-8 text; kMalformed takes one octet.
char32_t TakeUtf8(std::string_view& text) {
  const auto octet = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = octet(0);
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  char32_t code = lead & (0xff >> (length + 1));
  bool valid = lead >= 0xc2 && lead <= 0xf4 && length <= text.size();
  for (size_t i = 1; valid && i < length; ++i) {
    valid = (octet(i) & 0xc0) == 0x80;
    code = code << 6 | (octet(i) & 0x3f);
  }
  static constexpr char32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (!valid || code < kLowest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    text.remove_prefix(1);
    return kMalformed;
  }
  text.remove_prefix(length);
  return code;
}

void AppendUtf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// Decodes what stands between '&' and '-': base64 of UTF-16BE. False when it is malformed.
bool DecodeShifted(std::string_view base64, std::string& out) {
  uint32_t bits = 0;
  int bit_count = 0;
  uint32_t high = 0;
  for (const char c : base64) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    bit_count += 6;
    if (bit_count < 16) continue;
    bit_count -= 16;
    const uint32_t unit = bits >> bit_count & 0xffff;
    bits &= (1u << bit_count) - 1;
    if (IsHighSurrogate(unit)) {
      if (high != 0) return false;
      high = unit;
    } else if (IsLowSurrogate(unit)) {
      if (high == 0) return false;
      AppendUtf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
      high = 0;
    } else {
      // Printable ASCII must stand for itself (RFC 3501, 5.1.3), or one name would have many
      // spellings.
      if (high != 0 || unit == 0 || (unit >= 0x20 && unit <= 0x7e)) return false;
      AppendUtf8(out, unit);
    }
  }
  return high == 0 && bit_count < 6 && bits == 0;
}

class ShiftedWriter {
 public:
  explicit ShiftedWriter(std::string& out) : out_(out) {}

  void Add(char32_t code) {
    if (!shifted_) out_ += '&';
    shifted_ = true;
    if (code >= 0x10000) {
      AddUnit(0xd800 + ((code - 0x10000) >> 10));
      AddUnit(0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      AddUnit(code);
    }
  }

  void End() {
    if (!shifted_) return;
    if (bit_count_ > 0) out_ += kAlphabet[bits_ << (6 - bit_count_) & 0x3f];
    out_ += '-';
    shifted_ = false;
    bits_ = 0;
    bit_count_ = 0;
  }

 private:
  void AddUnit(uint32_t unit) {
    bits_ = bits_ << 16 | unit;
    bit_count_ += 16;
    while (bit_count_ >= 6) {
      bit_count_ -= 6;
      out_ += kAlphabet[bits_ >> bit_count_ & 0x3f];
    }
    bits_ &= (1u << bit_count_) - 1;
  }

  std::string& out_;
  bool shifted_ = false;
  uint32_t bits_ = 0;
  int bit_count_ = 0;
};

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const char32_t code = TakeUtf8(text);
    if (code == kMalformed || code == 0) return false;
  }
  return true;
}

std::optional<std::string> DecodeMailboxName(std::string_view wire) {
  if (!IsUtf8(wire)) return std::nullopt;
  std::string name;
  name.reserve(wire.size());
  while (!wire.empty()) {
    const size_t shift = wire.find('&');
    name += wire.substr(0, shift);
    if (shift == std::string_view::npos) break;
    wire.remove_prefix(shift + 1);
    const size_t end = wire.find('-');
    if (end == std::string_view::npos) return std::nullopt;
    if (end == 0) {
      name += '&';
    } else if (!DecodeShifted(wire.substr(0, end), name)) {
      return std::nullopt;
    }
    wire.remove_prefix(end + 1);
  }
  return name;
}

std::string EncodeMailboxName(std::string_view name) {
  std::string wire;
  wire.reserve(name.size());
  ShiftedWriter shifted(wire);
  while (!name.empty()) {
    const char32_t code = TakeUtf8(name);
    if (code < 0x80 && IsPlain(static_cast<char>(code))) {
      shifted.End();
      wire += static_cast<char>(code);
      if (code == '&') wire += '-';
    } else {
      shifted.Add(code == kMalformed ? kReplacement : code);
    }
  }
  shifted.End();
  return wire;
}

void AppendMailboxName(std::string& out, std::string_view name) {
  const bool plain =
      std::all_of(name.begin(), name.end(), [](char c) { return IsPlain(c) && c != '&'; });
  if (plain) {
    AppendAString(out, name);
  } else {
    AppendAString(out, EncodeMailboxName(name));
  }
}

}  // namespace rmail::gateway::imap
