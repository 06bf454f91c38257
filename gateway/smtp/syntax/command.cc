#include "gateway/smtp/syntax/command.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "gateway/smtp/syntax/path.h"
#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::smtp {
namespace {

constexpr std::string_view kBlanks = " \t";

bool IsControl(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet < 0x20 && c != '\t') || octet == 0x7f;
}

}  // namespace

std::string_view TakeWord(std::string_view& text) {
  const size_t end = std::min(text.find_first_of(kBlanks), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return word;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

Parsed<CommandLine> ParseCommandLine(std::string_view line) {
  // RFC 5321, 2.3.8: a bare LF ends no line. A peer that thinks otherwise could be used to smuggle
  // commands.
  if (!line.ends_with("\r\n")) return Reply{500, "5.5.2", "Lines end in CRLF"};
  line.remove_suffix(2);
  if (std::any_of(line.begin(), line.end(), IsControl)) {
    return Reply{500, "5.5.2", "Control character in a command"};
  }
  // RFC 5321, 4.1.1: trailing white space is tolerated.
  const size_t last = line.find_last_not_of(kBlanks);
  line = line.substr(0, last == std::string_view::npos ? 0 : last + 1);

  CommandLine command;
  command.verb = std::string(TakeWord(line));
  if (command.verb.empty() || !std::all_of(command.verb.begin(), command.verb.end(),
                                           [](char c) { return absl::ascii_isalnum(c); })) {
    return Reply{500, "5.5.2", "Command not recognised"};
  }
  for (char& c : command.verb) c = absl::ascii_toupper(c);
  command.argument = std::string(line);
  return command;
}

bool MayBeBdat(std::string_view line) {
  std::string verb;
  for (const char c : line) {
    if (c == ' ' || c == '\t' || IsControl(c)) continue;
    verb += c;
    if (verb.size() == 4) break;
  }
  return EqualsIgnoreCase(verb, "BDAT");
}

Parsed<BdatCommand> ParseBdat(std::string_view argument) {
  Reply refusal{501, "5.5.4", "Syntax: BDAT size [LAST]"};
  const std::string_view size = TakeWord(argument);
  BdatCommand command;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), command.size);
  if (error != std::errc() || end != size.data() + size.size()) return refusal;
  if (!argument.empty()) {
    if (!EqualsIgnoreCase(argument, "LAST")) return refusal;
    command.last = true;
  }
  return command;
}

bool IsHelloName(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  // RFC 6531, 3.7.1: no UTF-8 here.
  if (!text.starts_with('[')) return IsAscii(text) && IsDomain(text);
  if (!text.ends_with(']') || text.size() < 3) return false;
  const std::string_view inner = text.substr(1, text.size() - 2);
  return std::all_of(inner.begin(), inner.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == ':' || c == '-' || c == '%' || c == '_';
  });
}

}  // namespace rmail::gateway::smtp
