#include "gateway/exchange/http/framing.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange::http {

void AddFramingHeaders(Response& response, int version, bool keep_alive, absl::Time now) {
  const auto add_default = [&response](std::string_view name, std::string_view value) {
    const bool set = std::any_of(response.headers.begin(), response.headers.end(),
                                 [&](const Header& header) { return header.name == name; });
    if (!set) response.headers.push_back({std::string(name), std::string(value)});
  };
  add_default("Cache-Control", "no-store");
  add_default("X-Content-Type-Options", "nosniff");
  add_default("Date", HttpDate(now));
  // RFC 9110, 8.6: never with 204.
  if (response.stream == nullptr) {
    if (response.status != 204 && response.status != 304) {
      add_default("Content-Length", std::to_string(response.body.size()));
    }
  } else if (response.stream_size.has_value()) {
    add_default("Content-Length", std::to_string(*response.stream_size));
  } else if (version >= 11) {
    add_default("Transfer-Encoding", "chunked");
  }
  if (!keep_alive) {
    add_default("Connection", "close");
  } else if (version < 11) {
    add_default("Connection", "keep-alive");
  }
}

std::string HttpDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

std::string ToChunk(std::string_view piece) {
  return piece.empty() ? "0\r\n\r\n" : fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

bool ExpectsContinue(const Request& request) {
  const std::string_view expect = request.Find("expect").value_or("");
  return request.version >= 11 && request.has_body() &&
         absl::EqualsIgnoreCase(ToAbsl(expect), "100-continue");
}

}  // namespace rmail::gateway::exchange::http
