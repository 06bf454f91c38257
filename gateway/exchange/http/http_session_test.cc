#include "gateway/exchange/http/http_session.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/exchange/failure.h"
#include "gateway/exchange/http/test_client.h"
#include "tests/support/line_client.h"

namespace rmail::gateway::exchange::http {
namespace {

using gateway::IoThreads;
using rmail::testing::LineClient;

class Pieces final : public BodySource {
 public:
  explicit Pieces(std::vector<std::string> pieces, bool fails = false)
      : pieces_(std::move(pieces)), fails_(fails) {}
  boost::asio::awaitable<absl::StatusOr<std::string>> Next() override {
    if (next_ < pieces_.size()) co_return pieces_[next_++];
    if (fails_) co_return absl::UnavailableError("the store went away");
    co_return std::string();
  }

 private:
  std::vector<std::string> pieces_;
  bool fails_;
  size_t next_ = 0;
};

// /echo answers with the body, other paths with themselves, each in its own way.
class Echo final : public Application {
 public:
  boost::asio::awaitable<Response> Handle(const Request& request, BodySource& body,
                                          const Peer&) override {
    Response response;
    response.content_type = "text/plain";
    response.body = request.method + " " + request.target;
    if (request.target == "/throw") throw std::runtime_error("on purpose");
    if (request.target == "/close") response.close = true;
    if (request.target == "/stream") response.stream = Parts(false);
    if (request.target == "/broken") response.stream = Parts(true);
    if (request.target == "/sized") {
      response.stream = Parts(false);
      response.stream_size = 6;
    }
    if (request.target == "/short" || request.target == "/long") {
      response.stream = Parts(false);
      response.stream_size = request.target == "/short" ? 7 : 5;
    }
    if (request.target == "/large") response.body = Large();
    if (request.target == "/echo") {
      response.body.clear();
      for (;;) {
        absl::StatusOr<std::string> piece = co_await body.Next();
        if (!piece.ok()) co_return ToResponse(FailureOf(piece.status()));
        if (piece->empty()) break;
        response.body += *piece;
      }
    }
    co_return response;
  }

  static std::string Large() { return std::string(12 << 20, 'x') + "end"; }

 private:
  static std::shared_ptr<BodySource> Parts(bool fails) {
    return std::make_shared<Pieces>(std::vector<std::string>{"abc", "de", "f"}, fails);
  }
};

class HttpSessionTest : public ::testing::Test {
 protected:
  void Start(HttpLimits limits = {}) {
    limits_ = limits;
    gateway::ListenerOptions listener;
    listener.name = "http";
    listener.host = "127.0.0.1";
    auto port = server_.Listen(std::move(listener),
                               [this](std::shared_ptr<gateway::Connection> connection) {
                                 return RunHttpSession(std::move(connection), limits_, echo_);
                               });
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *port;
  }

  // The status of the answer to bytes sent as they are, after which the connection must end.
  int Refusal(std::string_view bytes) {
    LineClient client(port_);
    client.Send(bytes);
    client.ShutdownWrite();
    const Answer answer = ReadAnswer(client);
    EXPECT_EQ(answer.Header("connection"), "close") << bytes;
    EXPECT_EQ(answer.Header("content-type"), "application/json") << bytes;
    EXPECT_TRUE(answer.body.starts_with("{\"error\":")) << answer.body;
    EXPECT_TRUE(client.AtEof()) << bytes;
    return answer.status;
  }

  HttpLimits limits_;
  Echo echo_;
  IoThreads threads_{1};
  gateway::Server server_{threads_, {}};
  uint16_t port_ = 0;
};

TEST_F(HttpSessionTest, KeepsTheConnection) {
  Start();
  LineClient client(port_);
  EXPECT_EQ(Ask(client, "GET", "/a").body, "GET /a");
  EXPECT_EQ(Ask(client, "POST", "/echo", "", "hello").body, "hello");
  const Answer answer = Ask(client, "GET", "/b");
  EXPECT_EQ(answer.body, "GET /b");
  EXPECT_EQ(answer.Header("connection"), "");
  EXPECT_EQ(answer.Header("cache-control"), "no-store");
  EXPECT_EQ(answer.Header("x-content-type-options"), "nosniff");
}

TEST_F(HttpSessionTest, EndsItWhenAsked) {
  Start();
  LineClient close(port_);
  EXPECT_EQ(Ask(close, "GET", "/a", "Connection: close\r\n").Header("connection"), "close");
  EXPECT_TRUE(close.AtEof());
  LineClient server_close(port_);
  EXPECT_EQ(Ask(server_close, "GET", "/close").Header("connection"), "close");
  EXPECT_TRUE(server_close.AtEof());
  LineClient old(port_);
  old.Send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(ReadAnswer(old).body, "GET /a");
  EXPECT_TRUE(old.AtEof());
}

TEST_F(HttpSessionTest, AnswersPipelinedRequestsInOrder) {
  Start();
  LineClient client(port_);
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
      "HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(ReadAnswer(client).body, "GET /1");
  EXPECT_EQ(ReadAnswer(client).body, "two");
  EXPECT_EQ(ReadAnswer(client).body, "POST /3");
  EXPECT_EQ(ReadAnswer(client, /*head=*/true).Header("content-length"), "7");
  EXPECT_EQ(ReadAnswer(client).body, "GET /5");
}

TEST_F(HttpSessionTest, ReadsARequestOctetByOctet) {
  Start();
  LineClient client(port_);
  for (const char c :
       std::string("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")) {
    client.Send(std::string(1, c));
  }
  EXPECT_EQ(ReadAnswer(client).body, "hi");
}

TEST_F(HttpSessionTest, HeadHasTheHeadersOfGetAndNoBody) {
  Start();
  LineClient client(port_);
  EXPECT_EQ(Ask(client, "HEAD", "/sized").Header("content-length"), "6");
  EXPECT_EQ(Ask(client, "HEAD", "/stream").Header("transfer-encoding"), "chunked");
  EXPECT_EQ(Ask(client, "GET", "/a").body, "GET /a");
}

TEST_F(HttpSessionTest, Streams) {
  Start();
  LineClient client(port_);
  EXPECT_EQ(Ask(client, "GET", "/stream").body, "abcdef");
  EXPECT_EQ(Ask(client, "GET", "/sized").body, "abcdef");
  EXPECT_EQ(Ask(client, "GET", "/a").body, "GET /a");
  LineClient old(port_);
  old.Send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Answer answer = ReadAnswer(old);
  EXPECT_EQ(answer.Header("transfer-encoding"), "");
  EXPECT_EQ(answer.Header("connection"), "close");
  EXPECT_EQ(old.ReadExact(6), "abcdef");
  EXPECT_TRUE(old.AtEof());
}

TEST_F(HttpSessionTest, ABrokenStreamIsNeverWhole) {
  Start();
  LineClient client(port_);
  client.Send("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n");
  ReadAnswer(client, /*head=*/true);
  // No last chunk.
  EXPECT_EQ(client.ReadExact(21), "3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n");
  EXPECT_TRUE(client.AtEof());
}

TEST_F(HttpSessionTest, AStreamThatIsNotAsLongAsItSaidEndsTheConnection) {
  Start();
  for (const std::string target : {"/short", "/long"}) {
    LineClient client(port_);
    client.Send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    ReadAnswer(client, /*head=*/true);
    // Never more than was announced.
    const std::string_view sent = target == "/short" ? "abcdef" : "abcde";
    EXPECT_EQ(client.ReadExact(sent.size()), sent);
    EXPECT_TRUE(client.AtEof());
  }
}

// Each read of the client lets a slice through; the answer as a whole takes longer than one slice
// may.
TEST_F(HttpSessionTest, EachSliceOfALargeBodyHasItsTime) {
  Start({.write_timeout = absl::Milliseconds(400)});
  LineClient client(port_);
  // So that most of the answer does not lie in the client's socket.
  const int size = 64 << 10;
  ASSERT_EQ(setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
  const absl::Time start = absl::Now();
  client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const Answer head = ReadAnswer(client, /*head=*/true);
  const std::string expected = Echo::Large();
  EXPECT_EQ(head.Header("content-length"), std::to_string(expected.size()));
  std::string body;
  while (body.size() < expected.size()) {
    absl::SleepFor(absl::Milliseconds(20));
    const std::string piece =
        client.ReadExact(std::min<size_t>(256 << 10, expected.size() - body.size()));
    if (piece.empty()) break;
    body += piece;
  }
  EXPECT_TRUE(body == expected) << body.size();
  EXPECT_GT(absl::Now() - start, absl::Milliseconds(800));
}

TEST_F(HttpSessionTest, AHandlerThatThrowsIs500) {
  Start();
  LineClient client(port_);
  const Answer answer = Ask(client, "GET", "/throw");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("on purpose"), std::string::npos);
  EXPECT_EQ(Ask(client, "GET", "/a").status, 200);
}

TEST_F(HttpSessionTest, RefusesSmuggling) {
  Start();
  const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(Refusal(post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                           "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"),
            400);
  EXPECT_EQ(Refusal(post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(Refusal(post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400);
  EXPECT_EQ(Refusal(post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 501);
  EXPECT_EQ(Refusal(post + "Content-Length : 5\r\n\r\nhello"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(Refusal("\x16\x03\x01\x02\x06\x01"), 400);
  EXPECT_EQ(Refusal("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20000, 'x') + "\r\n\r\n"),
            431);
  EXPECT_EQ(Refusal(post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400);
}

TEST_F(HttpSessionTest, ABodyThatIsNotReadIsPassedOverOrEndsTheConnection) {
  Start();
  LineClient client(port_);
  EXPECT_EQ(Ask(client, "POST", "/a", "", std::string(60000, 'x')).body, "POST /a");
  EXPECT_EQ(Ask(client, "GET", "/b").body, "GET /b");
  client.Send(
      "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nGET /evil HTTP/1.1\r\n");
  const Answer answer = ReadAnswer(client);
  EXPECT_EQ(answer.Header("connection"), "close");
  client.ShutdownWrite();
  EXPECT_TRUE(client.AtEof());
}

TEST_F(HttpSessionTest, ContinuesWhenTheBodyIsWanted) {
  Start();
  LineClient client(port_);
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(ReadAnswer(client).status, 100);
  client.Send("hi");
  EXPECT_EQ(ReadAnswer(client).body, "hi");
  // A body that nobody wants is not asked for, and nobody knows whether it comes.
  client.Send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  const Answer answer = ReadAnswer(client);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("connection"), "close");
}

TEST_F(HttpSessionTest, SlowHeadsAndBodiesTimeOut) {
  Start({.header_timeout = absl::Milliseconds(200), .body_timeout = absl::Milliseconds(200)});
  LineClient head(port_);
  head.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(ReadAnswer(head).status, 408);
  EXPECT_TRUE(head.AtEof());
  LineClient body(port_);
  body.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  const Answer late = ReadAnswer(body);
  EXPECT_EQ(late.status, 408);
  EXPECT_EQ(late.Header("connection"), "close");
  body.ShutdownWrite();
  EXPECT_TRUE(body.AtEof());
}

TEST_F(HttpSessionTest, ADripDoesNotHoldTheHeadOpen) {
  Start({.header_timeout = absl::Milliseconds(300)});
  LineClient client(port_);
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n");
  const absl::Time start = absl::Now();
  bool ended = false;
  while (!ended && absl::Now() - start < absl::Seconds(8)) {
    client.Send("X: y\r\n");
    pollfd waiting{client.fd(), POLLIN, 0};
    ended = poll(&waiting, 1, /*timeout=*/20) == 1;
  }
  EXPECT_EQ(ReadAnswer(client).status, 408);
}

TEST_F(HttpSessionTest, ALineEndAfterABodyIsNoRequest) {
  Start({.header_timeout = absl::Milliseconds(50), .idle_timeout = absl::Milliseconds(300)});
  LineClient client(port_);
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\r\n");
  EXPECT_EQ(ReadAnswer(client).body, "hi");
  // No 408.
  EXPECT_TRUE(client.AtEof());
}

TEST_F(HttpSessionTest, IdleConnectionsEndSilently) {
  Start({.idle_timeout = absl::Milliseconds(100)});
  LineClient fresh(port_);
  EXPECT_TRUE(fresh.AtEof());
  LineClient used(port_);
  EXPECT_EQ(Ask(used, "GET", "/a").status, 200);
  EXPECT_TRUE(used.AtEof());
}

TEST_F(HttpSessionTest, AClientThatGoesWithinARequestEndsTheSession) {
  Start();
  for (const std::string_view bytes :
       {"GET /", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"}) {
    LineClient client(port_);
    client.Send(bytes);
    client.ShutdownWrite();
    EXPECT_TRUE(client.AtEof()) << bytes;
  }
}

TEST_F(HttpSessionTest, DrainEndsIdleConnections) {
  Start();
  LineClient client(port_);
  EXPECT_EQ(Ask(client, "GET", "/a").status, 200);
  server_.Drain(absl::Seconds(10));
  EXPECT_TRUE(client.AtEof());
}

}  // namespace
}  // namespace rmail::gateway::exchange::http
