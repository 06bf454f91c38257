#include "gateway/exchange/http/test_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace rmail::gateway::exchange::http {
namespace {

std::string ReadChunks(testing::LineClient& client) {
  std::string body;
  for (;;) {
    const std::string line = client.ReadLine();
    const size_t size = std::strtoul(line.c_str(), nullptr, 16);
    if (line.empty()) ADD_FAILURE() << "a chunk without a size";
    body += client.ReadExact(size);
    EXPECT_EQ(client.ReadLine(), "");
    if (size == 0) return body;
  }
}

}  // namespace

Answer ReadAnswer(testing::LineClient& client, bool head) {
  Answer answer;
  const std::string status_line = client.ReadLine();
  if (!status_line.starts_with("HTTP/1.1 ")) {
    ADD_FAILURE() << "not a status line: " << status_line;
    return answer;
  }
  answer.status = std::atoi(status_line.c_str() + 9);
  for (;;) {
    const std::string line = client.ReadLine();
    if (line.empty()) break;
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) {
      ADD_FAILURE() << "not a field: " << line;
      return answer;
    }
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_TRUE(answer.headers.emplace(name, line.substr(colon + 2)).second) << name << " twice";
  }
  if (head) return answer;
  if (answer.Header("transfer-encoding") == "chunked") {
    answer.body = ReadChunks(client);
  } else if (!answer.Header("content-length").empty()) {
    answer.body =
        client.ReadExact(std::strtoul(answer.Header("content-length").c_str(), nullptr, 10));
  }
  return answer;
}

Answer Ask(testing::LineClient& client, std::string_view method, std::string_view target,
           std::string_view headers, std::string_view body) {
  std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n{}", method, target, headers);
  if (!body.empty()) request += fmt::format("Content-Length: {}\r\n", body.size());
  client.Send(request + "\r\n" + std::string(body));
  return ReadAnswer(client, method == "HEAD");
}

}  // namespace rmail::gateway::exchange::http
