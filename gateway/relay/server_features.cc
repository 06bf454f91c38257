#include "gateway/relay/server_features.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

// The text up to a separator, which is removed with it.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  // No sign, no space: SimpleAtoi takes both.
  if (text.empty() || !absl::ascii_isdigit(text.front())) return std::nullopt;
  if (!absl::SimpleAtoi(ToAbsl(text), &value)) return std::nullopt;
  return value;
}

void ReadLimits(std::string_view text, ServerFeatures& features) {
  while (!text.empty()) {
    std::string_view limit = TakeUntil(text, ' ');
    const std::string_view name = TakeUntil(limit, '=');
    const std::optional<uint64_t> value = Number(limit);
    if (!value.has_value() || *value == 0) continue;
    if (name == "RCPTMAX") features.max_recipients = *value;
    if (name == "MAILMAX") features.max_messages = *value;
  }
}

void ReadAuth(std::string_view text, ServerFeatures& features) {
  while (!text.empty()) {
    const std::string_view mechanism = TakeUntil(text, ' ');
    if (mechanism == "PLAIN") features.auth_plain = true;
    if (mechanism == "LOGIN") features.auth_login = true;
  }
}

void ReadLine(std::string_view line, ServerFeatures& features) {
  const std::string_view keyword = TakeUntil(line, ' ');
  if (keyword == "SIZE") {
    features.size = true;
    // RFC 1870, 4: 0 means that there is no fixed limit.
    features.max_size = Number(line);
    if (features.max_size == 0) features.max_size.reset();
  }
  if (keyword == "LIMITS") ReadLimits(line, features);
  if (keyword == "AUTH") ReadAuth(line, features);
  // What servers said before RFC 4954.
  if (keyword.starts_with("AUTH=")) {
    ReadAuth(keyword.substr(5), features);
    ReadAuth(line, features);
  }
  struct Flag {
    std::string_view keyword;
    bool ServerFeatures::* flag;
  };
  constexpr Flag kFlags[] = {
      {"PIPELINING", &ServerFeatures::pipelining},
      {"8BITMIME", &ServerFeatures::eight_bit},
      {"SMTPUTF8", &ServerFeatures::utf8},
      {"CHUNKING", &ServerFeatures::chunking},
      {"BINARYMIME", &ServerFeatures::binary},
      {"STARTTLS", &ServerFeatures::start_tls},
      {"DSN", &ServerFeatures::dsn},
      {"REQUIRETLS", &ServerFeatures::require_tls},
  };
  for (const Flag& flag : kFlags) {
    if (keyword == flag.keyword) features.*flag.flag = true;
  }
}

}  // namespace

ServerFeatures ParseFeatures(const smtp::Reply& ehlo) {
  ServerFeatures features;
  std::string_view first = ehlo.text;
  std::string_view greeting = TakeUntil(first, '\n');
  features.name = TakeUntil(greeting, ' ');
  std::string keywords(first);
  absl::AsciiStrToUpper(&keywords);
  std::string_view rest = keywords;
  while (!rest.empty()) ReadLine(TakeUntil(rest, '\n'), features);
  return features;
}

}  // namespace rmail::gateway::relay
