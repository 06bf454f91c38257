// A request's head as the gateway sees it, free of any HTTP library.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_REQUEST_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::gateway::exchange::http {

struct Header {
  // In lower case in requests.
  std::string name;
  // Without white space around it; free of control characters.
  std::string value;
};

struct Request {
  // As sent: methods are case-sensitive (RFC 9110, 9.1).
  std::string method;
  // The request-target as sent.
  std::string target;
  // 10 or 11: HTTP/1.0, HTTP/1.1.
  int version = 11;
  // At most 100. Host, Authorization, Content-Type and Content-Length occur once at most.
  std::vector<Header> headers;
  // How long the body is; unset for a chunked one. 0 when there is none.
  std::optional<uint64_t> content_length = 0;
  // Whether the client is ready to send another request on the connection.
  bool keep_alive = true;

  // The value of a field by its name in lower case; nullopt when it is missing. The first when
  // there are several.
  std::optional<std::string_view> Find(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name == name) return header.value;
    }
    return std::nullopt;
  }

  bool has_body() const { return !content_length.has_value() || *content_length > 0; }
};

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_REQUEST_H_
