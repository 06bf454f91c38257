#include "gateway/smtp/syntax/envelope.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "gateway/smtp/syntax/command.h"

namespace rmail::gateway::smtp {
namespace {

bool IsKeyword(std::string_view text) {
  return !text.empty() && absl::ascii_isalnum(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

// 1*(%d33-60 / %d62-126), and UTF-8.
bool IsValue(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet > 32 && octet != 127 && c != '=';
  });
}

// Removes `prefix` ("FROM:") in any case and the blanks behind it, which are wrong but common.
bool SkipPrefix(std::string_view& text, std::string_view prefix) {
  if (!EqualsIgnoreCase(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return true;
}

// What stands behind a path must be parameters, after a blank.
bool SkipBlank(std::string_view& text) {
  if (text.empty()) return true;
  const size_t start = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(start);
  return start > 0;
}

// RFC 5321, 4.1.1.11.
Reply UnknownParameter() { return {555, "5.5.4", "Parameter not supported"}; }
Reply BadParameter(std::string_view what) {
  return {501, "5.5.4", "Bad value of " + std::string(what)};
}

// Puts a parameter into the command; a reply when it cannot be.
std::optional<Reply> Apply(const Parameter& parameter, bool auth_parameter, MailCommand& command) {
  const std::string& value = parameter.value;
  if (parameter.keyword == "SIZE") {
    // RFC 1870, 4: 1*20DIGIT, which may pass 2^64: then it is more than anybody takes.
    if (value.empty() || value.size() > 20 ||
        !std::all_of(value.begin(), value.end(), [](char c) { return absl::ascii_isdigit(c); })) {
      return BadParameter("SIZE");
    }
    const auto result = std::from_chars(value.data(), value.data() + value.size(), command.size);
    if (result.ec != std::errc()) command.size = UINT64_MAX;
    return std::nullopt;
  }
  if (parameter.keyword == "BODY") {
    if (EqualsIgnoreCase(value, "8BITMIME")) {
      command.body = Body::k8BitMime;
    } else if (!EqualsIgnoreCase(value, "7BIT")) {
      return BadParameter("BODY");
    }
    return std::nullopt;
  }
  if (parameter.keyword == "SMTPUTF8") {
    if (parameter.has_value) return BadParameter("SMTPUTF8");
    command.utf8 = true;
    return std::nullopt;
  }
  if (parameter.keyword == "AUTH" && auth_parameter) {
    if (value.empty()) return BadParameter("AUTH");
    return std::nullopt;
  }
  return UnknownParameter();
}

}  // namespace

Parsed<std::vector<Parameter>> ParseParameters(std::string_view text) {
  std::vector<Parameter> parameters;
  while (!text.empty()) {
    const std::string_view word = TakeWord(text);
    const size_t equals = std::min(word.find('='), word.size());
    Parameter parameter;
    parameter.keyword = std::string(word.substr(0, equals));
    parameter.has_value = equals < word.size();
    if (parameter.has_value) parameter.value = std::string(word.substr(equals + 1));
    if (!IsKeyword(parameter.keyword) || (parameter.has_value && !IsValue(parameter.value))) {
      return Reply{501, "5.5.4", "Syntax error in parameters"};
    }
    for (char& c : parameter.keyword) c = absl::ascii_toupper(c);
    for (const Parameter& other : parameters) {
      if (other.keyword == parameter.keyword) {
        return Reply{501, "5.5.4", "Parameter given twice"};
      }
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Parsed<MailCommand> ParseMail(std::string_view argument, bool auth_parameter) {
  if (!SkipPrefix(argument, "FROM:")) {
    return Reply{501, "5.5.4", "Syntax: MAIL FROM:<address>"};
  }
  std::optional<Path> path = TakePath(argument);
  if (!path.has_value() || !SkipBlank(argument)) {
    return Reply{501, "5.1.7", "Bad syntax of the reverse-path"};
  }
  // <Postmaster> without a domain is a forward-path only.
  if (path->domain.empty() && !path->null()) {
    return Reply{501, "5.1.7", "The reverse-path needs a domain"};
  }
  MailCommand command;
  command.reverse_path = *std::move(path);
  auto parsed = ParseParameters(argument);
  if (auto* refusal = std::get_if<Reply>(&parsed)) return std::move(*refusal);
  for (const Parameter& parameter : std::get<std::vector<Parameter>>(parsed)) {
    std::optional<Reply> refusal = Apply(parameter, auth_parameter, command);
    if (refusal.has_value()) return *std::move(refusal);
  }
  // RFC 6531, 3.1 and 3.5.
  if (command.reverse_path.internationalised() && !command.utf8) {
    return Reply{553, "5.6.7", "A non-ASCII address needs SMTPUTF8"};
  }
  return command;
}

Parsed<RcptCommand> ParseRcpt(std::string_view argument, bool utf8) {
  if (!SkipPrefix(argument, "TO:")) {
    return Reply{501, "5.5.4", "Syntax: RCPT TO:<address>"};
  }
  std::optional<Path> path = TakePath(argument);
  if (!path.has_value() || path->null() || !SkipBlank(argument)) {
    return Reply{501, "5.1.3", "Bad syntax of the forward-path"};
  }
  auto parsed = ParseParameters(argument);
  if (auto* refusal = std::get_if<Reply>(&parsed)) return std::move(*refusal);
  if (!std::get<std::vector<Parameter>>(parsed).empty()) return UnknownParameter();
  if (path->internationalised() && !utf8) {
    return Reply{553, "5.6.7", "A non-ASCII address needs SMTPUTF8"};
  }
  return RcptCommand{*std::move(path)};
}

}  // namespace rmail::gateway::smtp
