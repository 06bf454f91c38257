#include "gateway/imap/imap_url.h"

#include <algorithm>
#include <charconv>

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/parser.h"
#include "store/mime/utf8.h"

namespace rmail::gateway::imap {

namespace {

// URLAUTH's INTERNAL tokens have 66 digits; others may be as short as this (RFC 4467, enc-urlauth).
constexpr size_t kMinToken = 32;
constexpr size_t kMaxToken = 256;

std::optional<unsigned> HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  c = ToUpper(c);
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// nullopt for a stray '%' and for what is not UTF-8 or has control characters then.
std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const std::optional<unsigned> high = HexDigit(text[i + 1]);
    const std::optional<unsigned> low = HexDigit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  const bool control = std::any_of(decoded.begin(), decoded.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control || !mime::IsValidUtf8(decoded)) return std::nullopt;
  return decoded;
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view upper) {
  return EqualsIgnoreCase(text.substr(0, upper.size()), upper);
}

// "user;AUTH=*@host:143".
bool ParseServer(std::string_view server, ImapUrl& url) {
  const size_t at = server.rfind('@');
  if (at != std::string_view::npos) {
    std::string_view user = server.substr(0, at);
    // How the client shall log in is of no interest here.
    user = user.substr(0, user.find(';'));
    std::optional<std::string> decoded = Decode(user);
    if (!decoded) return false;
    url.user = *std::move(decoded);
    server.remove_prefix(at + 1);
  }
  const size_t colon = server.rfind(':');
  if (colon != std::string_view::npos && server.find(']', colon) == std::string_view::npos) {
    server = server.substr(0, colon);
  }
  url.host = server;
  return !url.host.empty();
}

// "offset" or "offset.length" (RFC 5092, partial-range).
bool ParsePartial(std::string_view value, ImapUrl& url) {
  Partial& partial = url.partial.emplace();
  const size_t dot = value.find('.');
  if (!ParseNumber(value.substr(0, dot), partial.offset) || partial.offset > INT64_MAX)
    return false;
  if (dot == std::string_view::npos) return true;
  return ParseNumber(value.substr(dot + 1), partial.length) && partial.length > 0 &&
         partial.length <= INT64_MAX;
}

bool ParseAccess(std::string_view access, UrlAuth& auth) {
  if (EqualsIgnoreCase(access, "AUTHUSER")) {
    auth.access = UrlAccess::kAuthUser;
    return true;
  }
  if (EqualsIgnoreCase(access, "ANONYMOUS")) {
    auth.access = UrlAccess::kAnonymous;
    return true;
  }
  const size_t plus = access.find('+');
  if (plus == std::string_view::npos) return false;
  const std::string_view kind = access.substr(0, plus);
  if (EqualsIgnoreCase(kind, "SUBMIT")) {
    auth.access = UrlAccess::kSubmit;
  } else if (!EqualsIgnoreCase(kind, "USER")) {
    return false;
  }
  std::optional<std::string> user = Decode(access.substr(plus + 1));
  if (!user || user->empty()) return false;
  auth.user = *std::move(user);
  return true;
}

// "access" or "access:mechanism:token"; `whole` is the URL that it ends.
bool ParseAuth(std::string_view value, std::string_view whole, ImapUrl& url) {
  UrlAuth& auth = url.auth.emplace();
  const size_t colon = value.find(':');
  if (!ParseAccess(value.substr(0, colon), auth)) return false;
  auth.rump = whole;
  if (colon == std::string_view::npos) return true;
  const std::string_view verifier = value.substr(colon);
  auth.rump.resize(whole.size() - verifier.size());
  const size_t second = verifier.find(':', 1);
  if (second == std::string_view::npos || second == 1) return false;
  auth.mechanism = UpperCase(verifier.substr(1, second - 1));
  auth.token = verifier.substr(second + 1);
  return auth.token.size() >= kMinToken && auth.token.size() <= kMaxToken &&
         std::all_of(auth.token.begin(), auth.token.end(),
                     [](char c) { return HexDigit(c).has_value(); });
}

bool ParseExpiry(std::string_view value, ImapUrl& url) {
  const std::optional<std::string> text = Decode(value);
  return text && absl::ParseTime(absl::RFC3339_full, *text, &url.expires.emplace(), nullptr);
}

bool ParseUid(std::string_view value, ImapUrl& url) {
  return ParseNumber(value, url.uid) && url.uid > 0;
}

bool ParseUidValidity(std::string_view value, ImapUrl& url) {
  return ParseNumber(value, url.uid_validity.emplace()) && *url.uid_validity > 0;
}

bool ParseSection(std::string_view value, ImapUrl& url) {
  const std::optional<std::string> text = Decode(value);
  std::optional<Section> section = text ? ParseSectionSpec(*text) : std::nullopt;
  if (!section) return false;
  url.section = *std::move(section);
  return true;
}

// What follows the mailbox, each at most once and in this order.
struct Parameter {
  std::string_view name;
  bool (*parse)(std::string_view value, ImapUrl& url);
};

constexpr Parameter kParameters[] = {
    {"UIDVALIDITY=", &ParseUidValidity}, {"UID=", &ParseUid},       {"SECTION=", &ParseSection},
    {"PARTIAL=", &ParsePartial},         {"EXPIRE=", &ParseExpiry},
};

// ";UID=20/;SECTION=1.2", starting at the first semicolon.
bool ParseParameters(std::string_view text, std::string_view whole, ImapUrl& url) {
  const Parameter* next = std::begin(kParameters);
  while (!text.empty()) {
    text.remove_prefix(1);
    if (StartsWithIgnoreCase(text, "URLAUTH=")) return ParseAuth(text.substr(8), whole, url);
    const size_t end = std::min(text.find(';'), text.size());
    std::string_view parameter = text.substr(0, end);
    text.remove_prefix(end);
    if (!text.empty() && parameter.ends_with('/')) parameter.remove_suffix(1);
    next = std::find_if(next, std::end(kParameters), [&](const Parameter& known) {
      return StartsWithIgnoreCase(parameter, known.name);
    });
    if (next == std::end(kParameters)) return false;
    if (!next->parse(parameter.substr(next->name.size()), url)) return false;
    ++next;
  }
  return true;
}

}  // namespace

std::optional<ImapUrl> ParseImapUrl(std::string_view url) {
  const std::string_view whole = url;
  ImapUrl parsed;
  if (StartsWithIgnoreCase(url, "IMAP://")) url.remove_prefix(5);
  if (url.starts_with("//")) {
    url.remove_prefix(2);
    const size_t slash = url.find('/');
    if (slash == std::string_view::npos || !ParseServer(url.substr(0, slash), parsed)) {
      return std::nullopt;
    }
    url.remove_prefix(slash);
  }
  if (!url.starts_with('/') && !url.starts_with(';')) return std::nullopt;
  if (url.starts_with('/')) url.remove_prefix(1);
  const size_t semicolon = url.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  std::string_view mailbox = url.substr(0, semicolon);
  if (mailbox.ends_with('/')) mailbox.remove_suffix(1);
  if (!mailbox.empty()) {
    parsed.mailbox = Decode(mailbox);
    if (!parsed.mailbox) return std::nullopt;
  }
  if (!ParseParameters(url.substr(semicolon), whole, parsed) || parsed.uid == 0)
    return std::nullopt;
  return parsed;
}

}  // namespace rmail::gateway::imap
