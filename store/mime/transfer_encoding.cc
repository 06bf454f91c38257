#include "store/mime/transfer_encoding.h"

#include <array>
#include <cstddef>

#include "store/mime/chars.h"

namespace rmail::mime {
namespace {

// White space before a line end is dropped (RFC 2045, 6.7, rule 3). A run longer than this was not
// padding and is passed on, so that it need not be kept.
constexpr size_t kMaxHeld = 1000;

constexpr uint8_t kSkip = 0xFF;

constexpr std::array<uint8_t, 256> MakeBase64Values() {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint8_t, 256> values{};
  for (uint8_t& value : values) value = kSkip;
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}

constexpr std::array<uint8_t, 256> kBase64Values = MakeBase64Values();

uint32_t Base64Value(char c) { return kBase64Values[static_cast<unsigned char>(c)]; }

void AppendThree(uint32_t bits, std::string* out) {
  const char octets[3] = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8),
                          static_cast<char>(bits)};
  out->append(octets, 3);
}

// Neither an escape, nor white space, nor a line end: passed on as it is.
bool IsPlain(char c) { return c != '=' && !IsSpace(c); }

// How many octets from the start on are passed on as they are: those that are plain, blanks that do
// not end a line, and line ends behind either.
size_t PlainRun(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const char next = i + 1 < text.size() ? text[i + 1] : '=';
    if (IsPlain(text[i]) || text[i] == '\n') {
      ++i;
    } else if ((IsBlank(text[i]) && IsPlain(next)) || (text[i] == '\r' && next == '\n')) {
      i += 2;
    } else {
      break;
    }
  }
  return i;
}

}  // namespace

ContentDecoder::ContentDecoder(std::string_view encoding) {
  encoding = Trim(encoding);
  encoding_ = EqualsIgnoreCase(encoding, "base64")             ? Encoding::kBase64
              : EqualsIgnoreCase(encoding, "quoted-printable") ? Encoding::kQuotedPrintable
                                                               : Encoding::kIdentity;
}

void ContentDecoder::Update(std::string_view chunk, std::string* out) {
  switch (encoding_) {
    case Encoding::kIdentity:
      out->append(chunk);
      return;
    case Encoding::kBase64:
      Base64(chunk, out);
      return;
    case Encoding::kQuotedPrintable:
      QuotedPrintable(chunk, out);
      return;
  }
}

void ContentDecoder::Finish(std::string* out) {
  if (encoding_ == Encoding::kBase64) {
    FlushBase64(out);
    return;
  }
  // A soft line break may be the last thing.
  const bool soft = held_.starts_with('=') && (held_.size() == 1 || IsSpace(held_[1]));
  if (!soft) out->append(held_);
  held_.clear();
}

void ContentDecoder::Base64(std::string_view chunk, std::string* out) {
  size_t i = 0;
  while (i < chunk.size()) {
    while (count_ == 0 && i + 4 <= chunk.size()) {
      const uint32_t a = Base64Value(chunk[i]), b = Base64Value(chunk[i + 1]),
                     c = Base64Value(chunk[i + 2]), d = Base64Value(chunk[i + 3]);
      if ((a | b | c | d) > 63) break;
      AppendThree((a << 18) | (b << 12) | (c << 6) | d, out);
      i += 4;
    }
    if (i == chunk.size()) return;
    const char octet = chunk[i++];
    if (octet == '=') {
      // Padding ends a run; another may follow (bodies that were joined).
      FlushBase64(out);
      continue;
    }
    const uint32_t value = Base64Value(octet);
    if (value == kSkip) continue;
    bits_ = (bits_ << 6) | value;
    if (++count_ == 4) {
      AppendThree(bits_, out);
      bits_ = 0;
      count_ = 0;
    }
  }
}

void ContentDecoder::FlushBase64(std::string* out) {
  if (count_ == 2) {
    out->push_back(static_cast<char>(bits_ >> 4));
  } else if (count_ == 3) {
    out->push_back(static_cast<char>(bits_ >> 10));
    out->push_back(static_cast<char>(bits_ >> 2));
  }
  bits_ = 0;
  count_ = 0;
}

void ContentDecoder::QuotedPrintable(std::string_view chunk, std::string* out) {
  size_t i = 0;
  while (i < chunk.size()) {
    if (held_.empty()) {
      const size_t run = PlainRun(chunk.substr(i));
      out->append(chunk.substr(i, run));
      i += run;
      if (i == chunk.size()) return;
    }
    QuotedPrintableOctet(chunk[i++], out);
  }
}

void ContentDecoder::QuotedPrintableOctet(char c, std::string* out) {
  if (!held_.empty() && held_.front() == '=') {
    if (Escape(c, out)) return;
  }
  if (c == '=' || IsBlank(c) || c == '\r') {
    if (c == '=' || held_.size() >= kMaxHeld) {
      out->append(held_);
      held_.clear();
    }
    held_.push_back(c);
    return;
  }
  if (c == '\n') {
    const bool crlf = !held_.empty() && held_.back() == '\r';
    out->append(crlf ? "\r\n" : "\n");
  } else {
    out->append(held_);
    out->push_back(c);
  }
  held_.clear();
}

// Goes on with the escape that is held. False when it is none and `c` has yet to be treated.
bool ContentDecoder::Escape(char c, std::string* out) {
  if (held_.size() == 1 && HexValue(c) >= 0) {
    held_.push_back(c);
    return true;
  }
  if (held_.size() == 2 && HexValue(held_[1]) >= 0) {
    if (HexValue(c) < 0) {
      out->append(held_);
      held_.clear();
      return false;
    }
    out->push_back(static_cast<char>(HexValue(held_[1]) * 16 + HexValue(c)));
    held_.clear();
    return true;
  }
  // A soft line break, with white space that a relay may have added (RFC 2045, 6.7, rule 5).
  if ((IsBlank(c) || c == '\r') && held_.size() < kMaxHeld) {
    held_.push_back(c);
    return true;
  }
  if (c == '\n') {
    held_.clear();
    return true;
  }
  out->append(held_);
  held_.clear();
  return false;
}

std::string DecodeContent(std::string_view body, std::string_view encoding) {
  std::string out;
  out.reserve(body.size());
  ContentDecoder decoder(encoding);
  decoder.Update(body, &out);
  decoder.Finish(&out);
  return out;
}

}  // namespace rmail::mime
