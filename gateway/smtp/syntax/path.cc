#include "gateway/smtp/syntax/path.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "gateway/smtp/syntax/command.h"
#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::smtp {
namespace {

// RFC 5322, 3.2.3 and RFC 6531, 3.3.
bool IsAtext(char c) {
  return absl::ascii_isalnum(c) || static_cast<unsigned char>(c) >= 0x80 ||
         (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos);
}

bool IsDotString(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  char previous = '.';
  for (const char c : text) {
    if (c == '.' ? previous == '.' : !IsAtext(c)) return false;
    previous = c;
  }
  return true;
}

// A quoted string at the start of `text`; its content, or nullopt.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  std::string content;
  for (size_t i = 1; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return content;
    }
    if (c == '\\') {
      if (++i == text.size()) return std::nullopt;
      c = text[i];
      if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    }
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) return std::nullopt;
    content += c;
  }
  return std::nullopt;
}

std::optional<std::string> TakeLocalPart(std::string_view& text) {
  if (text.starts_with('"')) return TakeQuoted(text);
  size_t end = 0;
  while (end < text.size() && (IsAtext(text[end]) || text[end] == '.')) ++end;
  const std::string_view local = text.substr(0, end);
  if (!IsDotString(local)) return std::nullopt;
  text.remove_prefix(end);
  return std::string(local);
}

bool IsAtDomain(std::string_view text) { return text.starts_with('@') && IsDomain(text.substr(1)); }

// "@one,@two:" before the mailbox. False: it starts like one and is none.
bool SkipSourceRoute(std::string_view& text) {
  if (!text.starts_with('@')) return true;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view route = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  for (size_t comma = route.find(','); comma != std::string_view::npos; comma = route.find(',')) {
    if (!IsAtDomain(route.substr(0, comma))) return false;
    route.remove_prefix(comma + 1);
  }
  return IsAtDomain(route);
}

// What stands between the angle brackets.
std::optional<Path> ParseInner(std::string_view text) {
  if (text.empty()) return Path{};
  if (!SkipSourceRoute(text)) return std::nullopt;
  std::optional<std::string> local = TakeLocalPart(text);
  // A null local part ("") would read as the null reverse-path.
  if (!local.has_value() || local->empty()) return std::nullopt;
  // RFC 5321, 4.1.1.3: postmaster needs no domain.
  if (text.empty() && EqualsIgnoreCase(*local, "postmaster")) return Path{*std::move(local), ""};
  if (!text.starts_with('@')) return std::nullopt;
  text.remove_prefix(1);
  if (!IsDomain(text) && !IsAddressLiteral(text)) return std::nullopt;
  return Path{*std::move(local), std::string(text)};
}

// Where the path that starts with '<' ends: the index of its '>', which may not be one inside
// quotes.
size_t FindEnd(std::string_view text) {
  bool quoted = false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

bool Path::internationalised() const { return !IsAscii(local_part) || !IsAscii(domain); }

std::string Path::Address() const {
  if (null()) return "";
  std::string address;
  if (IsDotString(local_part)) {
    address = local_part;
  } else {
    address += '"';
    for (const char c : local_part) {
      if (c == '"' || c == '\\') address += '\\';
      address += c;
    }
    address += '"';
  }
  if (!domain.empty()) address += '@' + domain;
  return address;
}

std::optional<Path> TakePath(std::string_view& text) {
  if (!text.starts_with('<')) return std::nullopt;
  const size_t end = FindEnd(text);
  if (end == std::string_view::npos || end + 1 > kMaxPath) return std::nullopt;
  if (!IsUtf8(text.substr(0, end))) return std::nullopt;
  std::optional<Path> path = ParseInner(text.substr(1, end - 1));
  if (path.has_value()) text.remove_prefix(end + 1);
  return path;
}

bool IsDomain(std::string_view text) {
  if (text.empty() || text.size() > 255 || !IsUtf8(text)) return false;
  while (true) {
    const size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      const bool high = static_cast<unsigned char>(c) >= 0x80;
      if (!absl::ascii_isalnum(c) && !high && c != '-' && c != '_') return false;
    }
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool IsAddressLiteral(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return false;
  const std::string inner(text.substr(1, text.size() - 2));
  constexpr std::string_view kIpv6Tag = "IPv6:";
  unsigned char address[sizeof(in6_addr)];
  if (EqualsIgnoreCase(std::string_view(inner).substr(0, kIpv6Tag.size()), kIpv6Tag)) {
    return inet_pton(AF_INET6, inner.c_str() + kIpv6Tag.size(), address) == 1;
  }
  return inet_pton(AF_INET, inner.c_str(), address) == 1;
}

}  // namespace rmail::gateway::smtp
