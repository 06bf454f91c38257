// Request-targets: paths in decoded segments, and queries.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_URL_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_URL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmail::gateway::exchange::http {

// Decodes %XX, and '+' to a space when told so (queries). nullopt for an escape that is broken and
// for a result that is not UTF-8 or has control characters in it.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);

struct Target {
  // "/folders/a%2Fb" is {"folders", "a/b"}, "/" is {}, "/folders/" is {"folders", ""}. Dot segments
  // are kept: they are names like others and match no route.
  std::vector<std::string> segments;
  // In the order sent, at most 64.
  std::vector<std::pair<std::string, std::string>> query;
};

// Parses origin-form ("/path?query") and absolute-form ("http://host/path?query"; RFC 9112, 3.2.2).
// nullopt when it is neither or something in it cannot be decoded.
std::optional<Target> ParseTarget(std::string_view target);

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_URL_H_
