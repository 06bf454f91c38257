#include "gateway/common/bearer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "gateway/common/scram_server.h"
#include "store/mime/utf8.h"

namespace rmail::gateway {
namespace {

constexpr size_t kMaxMessage = 8 * 1024;
constexpr char kSeparator = '\x01';

std::string_view TakePart(std::string_view& rest) {
  const size_t end = std::min(rest.find(kSeparator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// "Bearer" and a token of RFC 6750, 2.1.
std::optional<std::string> TokenOf(std::string_view credentials) {
  constexpr std::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase({credentials.data(), credentials.size()},
                                  {kScheme.data(), kScheme.size()})) {
    return std::nullopt;
  }
  credentials.remove_prefix(kScheme.size());
  const bool printable = std::all_of(credentials.begin(), credentials.end(),
                                     [](char c) { return c >= 0x21 && c <= 0x7e; });
  if (credentials.empty() || !printable) return std::nullopt;
  return std::string(credentials);
}

// The pairs behind the first part, up to an empty one, which is the last.
bool TakePairs(std::string_view rest, BearerLogin& login) {
  while (true) {
    if (rest.empty()) return false;
    const std::string_view part = TakePart(rest);
    if (part.empty()) return rest.empty();
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) return false;
    // Host and port are what the client meant to reach (RFC 7628, 3.1): nothing depends on them.
    if (part.substr(0, equals) != "auth" || equals + 1 == part.size()) continue;
    std::optional<std::string> token = TokenOf(part.substr(equals + 1));
    if (!token || !login.token.empty()) return false;
    login.token = *std::move(token);
  }
}

}  // namespace

std::optional<BearerLogin> ParseOAuthBearer(std::string_view message) {
  if (message.size() > kMaxMessage) return std::nullopt;
  std::string_view rest = message;
  const std::string_view header = TakePart(rest);
  BearerLogin login;
  // The GS2 header (RFC 5801, 4): there is no -PLUS form, so no "p=".
  if ((!header.starts_with("n,") && !header.starts_with("y,")) || !header.ends_with(',')) {
    return std::nullopt;
  }
  if (header.size() < 3) return std::nullopt;
  const std::string_view authzid = header.substr(2, header.size() - 3);
  if (!authzid.empty()) {
    if (!authzid.starts_with("a=")) return std::nullopt;
    std::optional<std::string> user = DecodeSaslName(authzid.substr(2));
    if (!user || user->empty()) return std::nullopt;
    login.user = *std::move(user);
  }
  if (!TakePairs(rest, login)) return std::nullopt;
  return login;
}

std::optional<BearerLogin> ParseXOAuth2(std::string_view message) {
  if (message.size() > kMaxMessage) return std::nullopt;
  std::string_view rest = message;
  const std::string_view user = TakePart(rest);
  if (!user.starts_with("user=") || user.find('\0') != std::string_view::npos ||
      !mime::IsValidUtf8(user)) {
    return std::nullopt;
  }
  BearerLogin login;
  login.user = std::string(user.substr(5));
  if (!TakePairs(rest, login)) return std::nullopt;
  return login;
}

}  // namespace rmail::gateway
