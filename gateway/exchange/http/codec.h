// HTTP/1.1 on bytes in memory: the only door to Boost.Beast's parser and serializer.
//
// Framing is judged more strictly than Beast does, because what two parsers read differently is a
// request smuggled past one of them (RFC 9112, 11.2): Content-Length together with
// Transfer-Encoding, either of them twice or as a list, any coding but `chunked`, and chunked in
// HTTP/1.0 are refused.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_CODEC_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_CODEC_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/exchange/http/request.h"
#include "gateway/exchange/http/response.h"

namespace rmail::gateway::exchange::http {

// Parses one request. Not thread-safe.
class RequestParser {
 public:
  enum class State {
    // The head is not complete.
    kHead,
    // request() is valid, the body is not complete.
    kBody,
    // All of the request has come.
    kDone,
    // error() tells. The rest of the connection cannot be understood.
    kError,
  };

  struct Fault {
    // The HTTP status to answer with: 400, 431, 501 or 505.
    int status = 400;
    std::string text;
  };

  // The head, and a chunk's or the trailer's lines, have at most `header_limit` octets.
  explicit RequestParser(size_t header_limit);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes octets from the front of `input` and returns how many. What it leaves has to come again
  // in front of what is read next; 0 in kHead and kBody: more input is needed. It stops after the
  // head and never reads beyond the request.
  size_t Put(std::string_view input);

  State state() const;
  // Valid from kBody on.
  const Request& request() const;
  // The octets of the body that came since the last call.
  std::string TakeBody();
  const Fault& fault() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Status line and fields with the blank line. Control characters in values are made spaces.
// `response.body` is not in it.
std::string SerializeHead(const Response& response, int version);

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_CODEC_H_
