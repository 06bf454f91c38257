#include "gateway/exchange/http/url.h"

#include "absl/strings/match.h"
#include "store/base/status.h"
#include "store/mime/utf8.h"

namespace rmail::gateway::exchange::http {
namespace {

constexpr size_t kMaxQueryParameters = 64;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What follows the authority of an absolute-form target; the target itself when it is in
// origin-form.
std::string_view StripAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!absl::StartsWithIgnoreCase(ToAbsl(target), ToAbsl(scheme))) continue;
    const size_t end = target.find_first_of("/?", scheme.size());
    return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
  }
  return target;
}

bool ParseQuery(std::string_view text, Target& target) {
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::optional<std::string> name = PercentDecode(pair.substr(0, equals), true);
    std::optional<std::string> value = PercentDecode(
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value || target.query.size() == kMaxQueryParameters) return false;
    target.query.emplace_back(*std::move(name), *std::move(value));
  }
  return true;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    decoded.push_back(c);
  }
  if (!mime::IsValidUtf8(decoded)) return std::nullopt;
  return decoded;
}

std::optional<Target> ParseTarget(std::string_view target) {
  target = StripAuthority(target);
  if (!target.empty() && target.front() == '?') {
    // "http://host?query": the path is empty, which means "/".
  } else if (target.empty() || target.front() != '/') {
    return std::nullopt;
  }
  Target parsed;
  const size_t question = target.find('?');
  if (question != std::string_view::npos && !ParseQuery(target.substr(question + 1), parsed)) {
    return std::nullopt;
  }
  std::string_view path = target.substr(0, question);
  if (path.size() <= 1) return parsed;
  path.remove_prefix(1);
  for (;;) {
    const size_t slash = path.find('/');
    std::optional<std::string> segment = PercentDecode(path.substr(0, slash));
    if (!segment) return std::nullopt;
    parsed.segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) return parsed;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace rmail::gateway::exchange::http
