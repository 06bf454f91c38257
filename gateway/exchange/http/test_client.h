// Reads answers in tests.
#ifndef RMAIL_GATEWAY_EXCHANGE_HTTP_TEST_CLIENT_H_
#define RMAIL_GATEWAY_EXCHANGE_HTTP_TEST_CLIENT_H_

#include <map>
#include <string>
#include <string_view>

#include "tests/support/line_client.h"

namespace rmail::gateway::exchange::http {

struct Answer {
  // 0 when no answer came.
  int status = 0;
  // Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;

  // Empty when the field is missing.
  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// Reads one answer: a body by Content-Length or in chunks, none for `head`. What is not HTTP fails
// the test.
Answer ReadAnswer(testing::LineClient& client, bool head = false);

// Sends a request with Host and Content-Length, and further header lines (each with CRLF), and
// reads the answer.
Answer Ask(testing::LineClient& client, std::string_view method, std::string_view target,
           std::string_view headers = "", std::string_view body = "");

}  // namespace rmail::gateway::exchange::http

#endif  // RMAIL_GATEWAY_EXCHANGE_HTTP_TEST_CLIENT_H_
