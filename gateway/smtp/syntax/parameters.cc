#include "gateway/smtp/syntax/parameters.h"

#include <algorithm>
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

}  // namespace rmail::gateway::smtp
