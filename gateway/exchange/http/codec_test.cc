#include "gateway/exchange/http/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange/http/framing.h"

namespace rmail::gateway::exchange::http {
namespace {

using State = RequestParser::State;

constexpr size_t kLimit = 16 << 10;

// What became of input that came in pieces of `step` octets.
struct Outcome {
  State state = State::kHead;
  Request request;
  std::string body;
  int fault = 0;
  // Octets that the parser has left.
  std::string rest;
};

Outcome Parse(std::string_view input, size_t step = std::string_view::npos) {
  RequestParser parser(kLimit);
  Outcome outcome;
  std::string buffer;
  while (!input.empty() && parser.state() != State::kDone && parser.state() != State::kError) {
    buffer += input.substr(0, step);
    input.remove_prefix(std::min(step, input.size()));
    for (size_t used = 1; used > 0;) {
      used = parser.Put(buffer);
      buffer.erase(0, used);
      outcome.body += parser.TakeBody();
    }
  }
  outcome.state = parser.state();
  outcome.request = parser.request();
  outcome.fault = outcome.state == State::kError ? parser.fault().status : 0;
  outcome.rest = buffer + std::string(input);
  return outcome;
}

TEST(RequestParserTest, ReadsARequestHoweverItIsCut) {
  const std::string_view input =
      "POST /auth/login?x=1 HTTP/1.1\r\nHost: a\r\nContent-TYPE:  application/json \r\n"
      "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n";
  for (const size_t step : {1, 2, 3, 7, 50, 1000}) {
    const Outcome outcome = Parse(input, step);
    ASSERT_EQ(outcome.state, State::kDone) << step;
    EXPECT_EQ(outcome.request.method, "POST");
    EXPECT_EQ(outcome.request.target, "/auth/login?x=1");
    EXPECT_EQ(outcome.request.Find("content-type"), "application/json");
    EXPECT_EQ(outcome.request.content_length, 5);
    EXPECT_TRUE(outcome.request.keep_alive);
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(outcome.rest, "GET / HTTP/1.1\r\n");
  }
}

TEST(RequestParserTest, ReadsChunksAndDropsTrailers) {
  const std::string_view input =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nAuthorization: x\r\n\r\nNEXT";
  for (const size_t step : {1, 2, 3, 7, 50, 1000}) {
    const Outcome outcome = Parse(input, step);
    ASSERT_EQ(outcome.state, State::kDone) << step;
    EXPECT_EQ(outcome.body, "hello world");
    EXPECT_EQ(outcome.request.content_length, std::nullopt);
    EXPECT_EQ(outcome.request.Find("authorization"), std::nullopt);
    EXPECT_EQ(outcome.rest, "NEXT");
  }
}

TEST(RequestParserTest, PassesOverAnEmptyLineBeforeTheRequest) {
  EXPECT_EQ(Parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").state, State::kDone);
  EXPECT_EQ(Parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 1).state, State::kDone);
  EXPECT_EQ(Parse("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").state, State::kError);
}

TEST(RequestParserTest, TakesEmptyValues) {
  for (const size_t step : {1, 1000}) {
    const Outcome outcome = Parse("GET / HTTP/1.1\r\nHost:\r\nX: \t\r\n\r\n", step);
    ASSERT_EQ(outcome.state, State::kDone);
    EXPECT_EQ(outcome.request.Find("host"), "");
    EXPECT_EQ(outcome.request.Find("x"), "");
  }
}

TEST(RequestParserTest, KeepAlive) {
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\n\r\n").request.keep_alive);
  EXPECT_TRUE(Parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").request.keep_alive);
  EXPECT_TRUE(Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n").request.keep_alive);
  EXPECT_FALSE(
      Parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").request.keep_alive);
}

TEST(RequestParserTest, RefusesWhatCouldBeReadInTwoWays) {
  struct Case {
    std::string_view input;
    int fault;
  };
  const Case cases[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: -5\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 5 5\r\n", 400},
      {"Content-Length: \r\n", 400},
      {"Content-Length: 99999999999999999999\r\n", 400},
      {"Content-Length : 5\r\n", 400},
      {" Content-Length: 5\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: gzip\r\n", 501},
      {"Transfer-Encoding: identity\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: chunked, gzip\r\n", 501},
      {"Transfer-Encoding: chunked, chunked\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: \"chunked\"\r\n", 501},
      {"Transfer-Encoding:\r\n", 501},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       400},
      {"Host: b\r\n", 400},
      {"Authorization: a\r\nAuthorization: b\r\n", 400},
      {"Content-Type: a\r\nContent-Type: b\r\n", 400},
      {"A: b\nB: c\r\n", 400},
      {"A: b\rB: c\r\n", 400},
      {std::string_view("A: b\0c\r\n", 8), 400},
      {"A: b\r\n c\r\n", 400},
      {"A: b\r\n\tc\r\n", 400},
      {"A: b\r\n \r\n", 400},
      {"A:\r\n \r\n", 400},
      {"A:\r\n b\r\n", 400},
      {"Content-Length:\r\n 5\r\n", 400},
      {"Transfer-Encoding:\r\n chunked\r\n", 400},
      {"Transfer-Encoding: \r\n\t\r\n chunked\r\n", 400},
      {"X:\r\n Content-Length: 5\r\n", 400},
      {"A\r\n", 400},
      {": b\r\n", 400},
  };
  for (const Case& c : cases) {
    const std::string input = "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(c.input) + "\r\n";
    EXPECT_EQ(Parse(input).fault, c.fault) << c.input;
    EXPECT_EQ(Parse(input, 1).fault, c.fault) << c.input;
  }
}

TEST(RequestParserTest, RefusesBadRequestLines) {
  struct Case {
    std::string_view input;
    int fault;
  };
  const Case cases[] = {
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/9\r\nHost: a\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {" ", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
  };
  for (const Case& c : cases) EXPECT_EQ(Parse(c.input).fault, c.fault) << c.input;
}

TEST(RequestParserTest, RefusesBadChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view body :
       {"g\r\n", "-1\r\n", "0x5\r\nhello\r\n\r\n", "fffffffffffffffff\r\n", "5\nhello\r\n",
        "5\r\nhelloX\r\n0\r\n", "5\r\nhello\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nX:\r\n Y: 5\r\n\r\n"}) {
    EXPECT_EQ(Parse(head + std::string(body)).state, State::kError) << body;
  }
}

TEST(RequestParserTest, BoundsHeadChunkLinesAndTrailers) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(Parse(start + "X: " + std::string(kLimit, 'x') + "\r\n\r\n").fault, 431);
  EXPECT_EQ(Parse("GET /" + std::string(kLimit, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").fault, 431);
  // In small pieces, of which each is below the limit.
  std::string many;
  for (int i = 0; i < 90; ++i) many += "X: " + std::string(300, 'x') + "\r\n";
  EXPECT_EQ(Parse(start + many + "\r\n").fault, 431);
  EXPECT_EQ(Parse(start + many + "\r\n", 64).fault, 431);
  std::string fields;
  for (int i = 0; i < 101; ++i) fields += "X: y\r\n";
  EXPECT_EQ(Parse(start + fields + "\r\n").fault, 431);

  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Parse(chunked + "5;" + std::string(kLimit + 10, 'x')).fault, 400);
  EXPECT_EQ(Parse(chunked + "0\r\nX: " + std::string(kLimit + 10, 'x')).fault, 400);
  EXPECT_EQ(Parse(chunked + "5;" + std::string(kLimit + 10, 'x'), 100).fault, 400);
}

TEST(SerializeHeadTest, WritesFieldsAndNeverTwoLinesOfOne) {
  Response response;
  response.status = 404;
  response.content_type = "application/json";
  response.headers.push_back({"Allow", "GET\r\nSet-Cookie: x"});
  EXPECT_EQ(SerializeHead(response, 11),
            "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
            "Allow: GET  Set-Cookie: x\r\n\r\n");
  response.status = 429;
  EXPECT_TRUE(SerializeHead(response, 11).starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
}

std::string Framed(Response response, int version, bool keep_alive) {
  AddFramingHeaders(response, version, keep_alive, absl::FromUnixSeconds(1795561563));
  return SerializeHead(response, 11);
}

TEST(FramingTest, SaysHowTheBodyEnds) {
  Response response;
  response.body = "abc";
  const std::string head = Framed(response, 11, true);
  EXPECT_NE(head.find("\r\nContent-Length: 3\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nCache-Control: no-store\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nX-Content-Type-Options: nosniff\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nDate: Tue, 24 Nov 2026 23:06:03 GMT\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Connection"), std::string::npos);
  EXPECT_NE(Framed(response, 11, false).find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(Framed(response, 10, true).find("\r\nConnection: keep-alive\r\n"), std::string::npos);
  response = {};
  response.status = 204;
  EXPECT_EQ(Framed(response, 11, true).find("Content-Length"), std::string::npos);
}

TEST(FramingTest, Chunks) {
  EXPECT_EQ(ToChunk("hello world, hello"), "12\r\nhello world, hello\r\n");
  EXPECT_EQ(ToChunk(""), "0\r\n\r\n");
}

TEST(FramingTest, ExpectsContinueOnlyWithABody) {
  Request request;
  request.headers.push_back({"expect", "100-Continue"});
  EXPECT_FALSE(ExpectsContinue(request));
  request.content_length = 5;
  EXPECT_TRUE(ExpectsContinue(request));
  request.version = 10;
  EXPECT_FALSE(ExpectsContinue(request));
}

}  // namespace
}  // namespace rmail::gateway::exchange::http
