#include "gateway/smtp/syntax/envelope.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "gateway/smtp/syntax/command.h"
#include "gateway/smtp/syntax/parameters.h"
#include "gateway/smtp/syntax/utf8.h"
#include "gateway/smtp/syntax/xtext.h"

namespace rmail::gateway::smtp {
namespace {

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

// RFC 1870, 4: 1*20DIGIT, which may pass 2^64: then it is more than anybody takes.
bool ApplySize(const std::string& value, uint64_t& size) {
  if (value.empty() || value.size() > 20 ||
      !std::all_of(value.begin(), value.end(), [](char c) { return absl::ascii_isdigit(c); })) {
    return false;
  }
  const auto result = std::from_chars(value.data(), value.data() + value.size(), size);
  if (result.ec != std::errc()) size = UINT64_MAX;
  return true;
}

bool ApplyBody(std::string_view value, Body& body) {
  if (EqualsIgnoreCase(value, "7BIT")) {
    body = Body::k7Bit;
  } else if (EqualsIgnoreCase(value, "8BITMIME")) {
    body = Body::k8BitMime;
  } else if (EqualsIgnoreCase(value, "BINARYMIME")) {
    body = Body::kBinaryMime;
  } else {
    return false;
  }
  return true;
}

// RFC 3461, 4.3.
bool ApplyRet(std::string_view value, Returned& returned) {
  if (EqualsIgnoreCase(value, "FULL")) {
    returned = Returned::kFull;
  } else if (EqualsIgnoreCase(value, "HDRS")) {
    returned = Returned::kHeaders;
  } else {
    return false;
  }
  return true;
}

// RFC 3461, 4.4.
bool ApplyEnvid(std::string_view value, std::string& envelope_id) {
  if (value.empty() || value.size() > kMaxEnvelopeId) return false;
  std::optional<std::string> decoded = DecodeXtext(value);
  if (!decoded.has_value()) return false;
  envelope_id = *std::move(decoded);
  return true;
}

// RFC 3461, 4.1: NEVER stands alone.
bool ApplyNotify(std::string_view value, uint32_t& notify) {
  while (true) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view word = value.substr(0, comma);
    if (EqualsIgnoreCase(word, "NEVER")) {
      notify |= kNotifyNever;
    } else if (EqualsIgnoreCase(word, "SUCCESS")) {
      notify |= kNotifySuccess;
    } else if (EqualsIgnoreCase(word, "FAILURE")) {
      notify |= kNotifyFailure;
    } else if (EqualsIgnoreCase(word, "DELAY")) {
      notify |= kNotifyDelay;
    } else {
      return false;
    }
    if (comma == value.size()) return (notify & kNotifyNever) == 0 || notify == kNotifyNever;
    value.remove_prefix(comma + 1);
  }
}

// RFC 3461, 4.2 and RFC 6533, 3.
bool ApplyOrcpt(std::string_view value, bool utf8, std::string& original_recipient) {
  const size_t semicolon = value.find(';');
  if (value.size() > kMaxOriginalRecipient || semicolon == std::string_view::npos) return false;
  std::string type = absl::AsciiStrToLower({value.data(), semicolon});
  const bool atom = !type.empty() && std::all_of(type.begin(), type.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (!atom) return false;
  const std::string_view encoded = value.substr(semicolon + 1);
  // Postfix 3.7 writes the octets of a UTF-8 address as xtext, under rfc822.
  std::optional<std::string> address = type == "utf-8"
                                           ? DecodeUtf8Address(encoded, utf8)
                                           : DecodeXtext(encoded, utf8 && type == "rfc822");
  if (!address.has_value() || address->empty()) return false;
  if (!IsAscii(*address)) type = "utf-8";
  original_recipient = type + ";" + *address;
  return true;
}

// Puts a parameter into the command; a reply when it cannot be.
std::optional<Reply> Apply(const Parameter& parameter, MailExtensions offered,
                           MailCommand& command) {
  const std::string& keyword = parameter.keyword;
  const std::string& value = parameter.value;
  bool good = false;
  if (keyword == "SIZE") {
    good = ApplySize(value, command.size);
  } else if (keyword == "BODY") {
    good = ApplyBody(value, command.body);
  } else if (keyword == "SMTPUTF8") {
    good = command.utf8 = !parameter.has_value;
  } else if (keyword == "RET") {
    good = ApplyRet(value, command.returned);
  } else if (keyword == "ENVID") {
    good = ApplyEnvid(value, command.envelope_id);
  } else if (keyword == "REQUIRETLS" && offered.require_tls) {
    good = command.require_tls = !parameter.has_value;
  } else if (keyword == "AUTH" && offered.auth) {
    good = !value.empty();
  } else {
    return UnknownParameter();
  }
  if (!good) return BadParameter(keyword);
  return std::nullopt;
}

std::optional<Reply> Apply(const Parameter& parameter, bool utf8, RcptCommand& command) {
  bool good = false;
  if (parameter.keyword == "NOTIFY") {
    good = ApplyNotify(parameter.value, command.notify);
  } else if (parameter.keyword == "ORCPT") {
    good = ApplyOrcpt(parameter.value, utf8, command.original_recipient);
  } else {
    return UnknownParameter();
  }
  if (!good) return BadParameter(parameter.keyword);
  return std::nullopt;
}

// Applies all parameters in `text`.
template <typename Context, typename Command>
std::optional<Reply> ApplyAll(std::string_view text, Context context, Command& command) {
  auto parsed = ParseParameters(text);
  if (auto* refusal = std::get_if<Reply>(&parsed)) return std::move(*refusal);
  for (const Parameter& parameter : std::get<std::vector<Parameter>>(parsed)) {
    std::optional<Reply> refusal = Apply(parameter, context, command);
    if (refusal.has_value()) return refusal;
  }
  return std::nullopt;
}

// RFC 6531, 3.1 and 3.5.
Reply NeedsUtf8() { return {553, "5.6.7", "A non-ASCII address needs SMTPUTF8"}; }

}  // namespace

Parsed<MailCommand> ParseMail(std::string_view argument, MailExtensions offered) {
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
  std::optional<Reply> refusal = ApplyAll(argument, offered, command);
  if (refusal.has_value()) return *std::move(refusal);
  if (command.reverse_path.internationalised() && !command.utf8) return NeedsUtf8();
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
  RcptCommand command;
  command.forward_path = *std::move(path);
  std::optional<Reply> refusal = ApplyAll(argument, utf8, command);
  if (refusal.has_value()) return *std::move(refusal);
  if (command.forward_path.internationalised() && !utf8) return NeedsUtf8();
  return command;
}

}  // namespace rmail::gateway::smtp
