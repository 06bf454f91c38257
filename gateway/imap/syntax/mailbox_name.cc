#include "gateway/imap/syntax/mailbox_name.h"

#include <algorithm>
#include <cstdint>

#include "gateway/imap/syntax/writer.h"
#include "store/mime/utf8.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

bool IsPlain(char c) { return c >= 0x20 && c <= 0x7e; }
bool IsHighSurrogate(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

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
      mime::AppendUtf8(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00), &out);
      high = 0;
    } else {
      // Printable ASCII must stand for itself (RFC 3501, 5.1.3), or one name would have many
      // spellings.
      if (high != 0 || unit == 0 || (unit >= 0x20 && unit <= 0x7e)) return false;
      mime::AppendUtf8(unit, &out);
    }
  }
  return high == 0 && bit_count < 6 && bits == 0;
}

class ShiftedWriter {
 public:
  explicit ShiftedWriter(std::string& out) : out_(out) {}

  void Add(uint32_t code) {
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
  return text.find('\0') == std::string_view::npos && mime::IsValidUtf8(text);
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
  for (size_t pos = 0; pos < name.size();) {
    const uint32_t code = mime::NextCodePoint(name, &pos);
    if (code < 0x80 && IsPlain(static_cast<char>(code))) {
      shifted.End();
      wire += static_cast<char>(code);
      if (code == '&') wire += '-';
    } else {
      shifted.Add(code);
    }
  }
  shifted.End();
  return wire;
}

void AppendMailboxName(std::string& out, std::string_view name, bool utf8) {
  if (utf8) return AppendUtf8AString(out, name);
  const bool plain =
      std::all_of(name.begin(), name.end(), [](char c) { return IsPlain(c) && c != '&'; });
  if (plain) {
    AppendAString(out, name);
  } else {
    AppendAString(out, EncodeMailboxName(name));
  }
}

}  // namespace rmail::gateway::imap
