#include "gateway/smtp/syntax/sasl.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "gateway/smtp/syntax/utf8.h"

namespace rmail::smtp {

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

std::optional<Credentials> ParsePlain(std::string_view message) {
  const size_t first = message.find('\0');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Credentials credentials;
  credentials.authorize_as = std::string(message.substr(0, first));
  credentials.user = std::string(message.substr(first + 1, second - first - 1));
  credentials.password = std::string(message.substr(second + 1));
  if (credentials.user.empty() || credentials.password.empty()) return std::nullopt;
  if (credentials.password.find('\0') != std::string::npos || !IsUtf8(message)) return std::nullopt;
  return credentials;
}

}  // namespace rmail::smtp
