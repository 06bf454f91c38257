// Finds the route of a request: method and path against one table of templates.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_ROUTER_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_ROUTER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmail::gateway::exchange::http {

// Values of a template's parameters: {"folder", "INBOX"}.
class PathParameters {
 public:
  void Add(std::string name, std::string value) {
    values_.emplace_back(std::move(name), std::move(value));
  }
  // Empty when the template has no such parameter.
  std::string_view Get(std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return value;
    }
    return {};
  }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

struct Endpoint {
  // "GET"; it serves HEAD too (RFC 9110, 9.3.2).
  std::string_view method;
  // "/folders/{folder}/messages": a segment is a name or a parameter, which matches any segment
  // that is not empty.
  std::string_view path;
};

// Immutable, so thread-safe.
class Router {
 public:
  // The strings live as long as the router.
  explicit Router(const std::vector<Endpoint>& endpoints);

  struct Match {
    // Index of the endpoint; unset when there is none.
    std::optional<size_t> endpoint;
    PathParameters parameters;
    // Methods of the path ("GET, HEAD, OPTIONS"), for Allow; empty: there is no such path.
    std::string allow;
  };
  // Of templates that match a path, those with the most names before parameters count:
  // /messages/search is never taken for an id.
  Match Find(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  struct Segment {
    bool parameter = false;
    std::string text;
  };
  struct Entry {
    std::string_view method;
    std::vector<Segment> segments;
  };
  static bool Matches(const Entry& entry, const std::vector<std::string>& segments);
  // Whether `a` says a name where `b`, at the first difference, has a parameter.
  static bool MoreSpecific(const Entry& a, const Entry& b);

  std::vector<Entry> entries_;
};

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_ROUTER_H_
