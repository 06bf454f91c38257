#include "gateway/exchange/http/negotiation.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange::http {
namespace {

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(ToAbsl(a), ToAbsl(b));
}

// Takes the text up to the separator, trimmed, from the front.
std::string_view Next(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view item = Trim(text.substr(0, end));
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return item;
}

// Whether parameters hold a weight of zero ("q=0", "q=0.000").
bool IsRefusal(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = Next(parameters, ';');
    if (parameter.size() < 3 || !EqualsIgnoreCase(parameter.substr(0, 2), "q=")) continue;
    return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

// How precisely a media range names the type: 3 exactly, 2 "application/*", 1 "*/*", 0 not at all.
int Precision(std::string_view range, std::string_view type) {
  if (EqualsIgnoreCase(range, type)) return 3;
  if (range == "*/*") return 1;
  if (!range.ends_with("/*")) return 0;
  const std::string_view family = type.substr(0, type.find('/') + 1);
  return EqualsIgnoreCase(range.substr(0, range.size() - 1), family) ? 2 : 0;
}

}  // namespace

bool Accepts(std::string_view accept, std::string_view type) {
  if (Trim(accept).empty()) return true;
  int best = 0;
  bool accepted = false;
  while (!accept.empty()) {
    std::string_view parameters = Next(accept, ',');
    const std::string_view range = Next(parameters, ';');
    const int precision = Precision(range, type);
    if (precision <= best) continue;
    best = precision;
    accepted = !IsRefusal(parameters);
  }
  return accepted;
}

bool IsMediaType(std::string_view content_type, std::string_view type) {
  return EqualsIgnoreCase(Next(content_type, ';'), type);
}

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() ||
      !EqualsIgnoreCase(authorization.substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  return Trim(authorization.substr(kScheme.size()));
}

}  // namespace rmail::gateway::exchange::http
