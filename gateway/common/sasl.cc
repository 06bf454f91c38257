#include "gateway/common/sasl.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "store/mime/utf8.h"

namespace rmail::gateway {

std::optional<std::string> DecodeBase64(std::string_view text) {
  // Abseil's decoder passes over white space and missing padding.
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t end = std::min(text.find('='), text.size());
  if (text.size() - end > 2 || text.find_first_not_of('=', end) != std::string_view::npos) {
    return std::nullopt;
  }
  const bool alphabet = std::all_of(text.begin(), text.begin() + end, [](char c) {
    return absl::ascii_isalnum(c) || c == '+' || c == '/';
  });
  std::string octets;
  if (!alphabet || !absl::Base64Unescape({text.data(), text.size()}, &octets)) return std::nullopt;
  return octets;
}

std::string EncodeBase64(std::string_view octets) {
  return absl::Base64Escape({octets.data(), octets.size()});
}

bool IsWellFormed(const Credentials& credentials) {
  for (const std::string* part :
       {&credentials.authorize_as, &credentials.user, &credentials.password}) {
    if (part->find('\0') != std::string::npos || !mime::IsValidUtf8(*part)) return false;
  }
  return !credentials.user.empty() && !credentials.password.empty();
}

std::optional<Credentials> ParsePlain(std::string_view message) {
  const size_t first = message.find('\0');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Credentials credentials;
  credentials.authorize_as = std::string(message.substr(0, first));
  credentials.user = std::string(message.substr(first + 1, second - first - 1));
  credentials.password = std::string(message.substr(second + 1));
  if (!IsWellFormed(credentials)) return std::nullopt;
  return credentials;
}

bool ActsAsSelf(const Credentials& credentials) {
  return credentials.authorize_as.empty() ||
         absl::EqualsIgnoreCase(credentials.authorize_as, credentials.user);
}

}  // namespace rmail::gateway
