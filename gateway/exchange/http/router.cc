#include "gateway/exchange/http/router.h"

#include <algorithm>

namespace rmail::gateway::exchange::http {

Router::Router(const std::vector<Endpoint>& endpoints) {
  for (const Endpoint& endpoint : endpoints) {
    Entry entry{endpoint.method, {}};
    std::string_view path = endpoint.path;
    while (!path.empty()) {
      path.remove_prefix(1);
      const std::string_view text = path.substr(0, path.find('/'));
      path.remove_prefix(text.size());
      const bool parameter = text.starts_with('{');
      entry.segments.push_back(
          {parameter, std::string(parameter ? text.substr(1, text.size() - 2) : text)});
    }
    entries_.push_back(std::move(entry));
  }
}

bool Router::Matches(const Entry& entry, const std::vector<std::string>& segments) {
  return std::equal(entry.segments.begin(), entry.segments.end(), segments.begin(), segments.end(),
                    [](const Segment& pattern, const std::string& segment) {
                      return pattern.parameter ? !segment.empty() : pattern.text == segment;
                    });
}

bool Router::MoreSpecific(const Entry& a, const Entry& b) {
  for (size_t i = 0; i < a.segments.size(); ++i) {
    if (a.segments[i].parameter != b.segments[i].parameter) return b.segments[i].parameter;
  }
  return false;
}

Router::Match Router::Find(std::string_view method,
                           const std::vector<std::string>& segments) const {
  std::vector<size_t> candidates;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!Matches(entries_[i], segments)) continue;
    if (!candidates.empty()) {
      const Entry& best = entries_[candidates.front()];
      if (MoreSpecific(best, entries_[i])) continue;
      if (MoreSpecific(entries_[i], best)) candidates.clear();
    }
    candidates.push_back(i);
  }
  Match match;
  for (const size_t i : candidates) {
    const Entry& entry = entries_[i];
    match.allow += std::string(entry.method) + (entry.method == "GET" ? ", HEAD, " : ", ");
    if (entry.method != method && !(entry.method == "GET" && method == "HEAD")) continue;
    match.endpoint = i;
    for (size_t s = 0; s < segments.size(); ++s) {
      if (entry.segments[s].parameter) match.parameters.Add(entry.segments[s].text, segments[s]);
    }
  }
  if (!match.allow.empty()) match.allow += "OPTIONS";
  return match;
}

}  // namespace rmail::gateway::exchange::http
