#include "gateway/relay/report_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "gateway/smtp/syntax/utf8.h"
#include "gateway/smtp/syntax/xtext.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

// RFC 5322, 2.1.1.
constexpr size_t kMaxLine = 998;

// RFC 5321, 4.5.3.1.3; encoded it still fits a line.
constexpr size_t kMaxAddress = 256;
constexpr size_t kMaxMessageId = 900;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsStatus(std::string_view text) {
  // RFC 3463, 2: class "." 1*3digit "." 1*3digit.
  if (text.size() < 5 || text.size() > 9 || text[1] != '.') return false;
  if (text[0] != '2' && text[0] != '4' && text[0] != '5') return false;
  const size_t dot = text.find('.', 2);
  if (dot == std::string_view::npos || dot == 2 || dot > 5) return false;
  const std::string_view detail = text.substr(dot + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !detail.empty() && detail.size() <= 3 &&
         std::all_of(text.begin() + 2, text.begin() + static_cast<std::ptrdiff_t>(dot), is_digit) &&
         std::all_of(detail.begin(), detail.end(), is_digit);
}

std::string Typed(std::string_view type, std::string_view address, bool utf8) {
  if (smtp::IsAscii(address)) {
    return fmt::format("{}; {}", type, CleanLine(address, true, kMaxAddress));
  }
  if (!smtp::IsUtf8(address)) {
    return fmt::format("rfc822; {}", CleanLine(address, true, kMaxAddress));
  }
  const std::string clean = CleanLine(address, false, kMaxAddress);
  return "utf-8; " + (utf8 ? clean : smtp::EncodeUtf8Address(clean));
}

}  // namespace

std::string CleanLine(std::string_view text, bool ascii, size_t max) {
  const bool keep = !ascii && smtp::IsUtf8(text);
  std::string clean(text.substr(0, max));
  // Not the first half of a character.
  if (keep && text.size() > max) {
    size_t end = max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    clean.resize(end);
  }
  for (char& c : clean) {
    if (IsControl(c)) c = ' ';
    if (static_cast<unsigned char>(c) >= 0x80 && !keep) c = '?';
  }
  return clean;
}

std::string ReplyText(const smtp::Reply& reply, bool ascii) {
  std::string text;
  if (reply.code != 0) text += fmt::format("{} ", reply.code);
  if (!reply.enhanced.empty()) text += CleanLine(reply.enhanced, true, 16) + " ";
  return text + CleanLine(reply.text, ascii);
}

std::string AddressField(std::string_view address, bool utf8) {
  return Typed("rfc822", address, utf8);
}

std::string TypedAddressField(std::string_view typed, bool utf8) {
  const size_t semicolon = typed.find(';');
  if (semicolon == std::string_view::npos) return AddressField(typed, utf8);
  return Typed(CleanLine(typed.substr(0, semicolon), true, 32), typed.substr(semicolon + 1), utf8);
}

std::string StatusOf(const smtp::Reply& reply, char leading) {
  std::string status = IsStatus(reply.enhanced) ? reply.enhanced : "5.0.0";
  status[0] = leading;
  return status;
}

std::string MessageIdOf(std::string_view header) {
  constexpr std::string_view kName = "message-id:";
  while (!header.empty()) {
    const size_t end = header.find("\r\n");
    std::string_view line = header.substr(0, end);
    if (line.empty()) break;
    if (absl::StartsWithIgnoreCase(ToAbsl(line), ToAbsl(kName))) {
      line.remove_prefix(kName.size());
      while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
      while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
      const bool clean = std::all_of(line.begin(), line.end(), [](char c) {
        return c > ' ' && static_cast<unsigned char>(c) < 0x7f;
      });
      const bool is_id = line.size() > 2 && line.size() <= kMaxMessageId && line.front() == '<' &&
                         line.find('>') == line.size() - 1;
      return clean && is_id ? std::string(line) : "";
    }
    if (end == std::string_view::npos) break;
    header.remove_prefix(end + 2);
  }
  return "";
}

bool IsUnclean(std::string_view text) {
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0' || text[i] == '\n' || i - start > kMaxLine) return true;
    if (text[i] != '\r') continue;
    if (i + 1 == text.size() || text[i + 1] != '\n') return true;
    start = ++i + 1;
  }
  return text.size() - std::min(start, text.size()) > kMaxLine;
}

std::string Base64Lines(std::string_view octets) {
  constexpr size_t kLine = 76;
  const std::string encoded = absl::Base64Escape(ToAbsl(octets));
  std::string lines;
  lines.reserve(encoded.size() + encoded.size() / kLine * 2 + 2);
  for (size_t i = 0; i < encoded.size(); i += kLine) {
    lines.append(encoded, i, kLine);
    lines += "\r\n";
  }
  return lines;
}

}  // namespace rmail::gateway::relay
