#include "gateway/common/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/line_reader.h"
#include "gateway/common/session_fixture.h"

namespace rmail::gateway {
namespace {

using boost::asio::awaitable;
using testing::LineClient;
using Tls = LineClient::Tls;
using ConnectionPtr = std::shared_ptr<Connection>;

// Greets, echoes lines, and says BYE when the server drains.
awaitable<void> Echo(ConnectionPtr connection) {
  LineReader reader(*connection);
  if (!(co_await connection->Write("hello " + connection->peer() + "\r\n")).ok()) co_return;
  while (true) {
    const auto line = co_await reader.ReadLine(1000, true);
    if (line.status().code() == absl::StatusCode::kCancelled) {
      (void)co_await connection->Write("BYE\r\n");
    }
    if (!line.ok() || !(co_await connection->Write(*line)).ok()) co_return;
  }
}

ListenerOptions Options(const std::string& host = "127.0.0.1") {
  ListenerOptions options;
  options.name = "test";
  options.host = host;
  options.refusal = "421 too many\r\n";
  return options;
}

// Waits up to 10 s for a condition that other threads bring about.
template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

bool CanConnect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

TEST(ServerTest, ServesManyClientsAtOnce) {
  IoThreads threads(3);
  Server server(threads, ConnectionLimits{.total = 200, .per_address = 200});
  std::atomic<int> calls = 0;
  const auto port = server.Listen(Options(), [&](ConnectionPtr connection) -> awaitable<void> {
    ++calls;
    co_await Echo(connection);
  });
  ASSERT_TRUE(port.ok()) << port.status();
  std::vector<std::unique_ptr<LineClient>> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(std::make_unique<LineClient>(*port));
  for (auto& client : clients) client->SendLine("NOOP");
  for (auto& client : clients) {
    EXPECT_EQ(client->ReadLine(), "hello 127.0.0.1");
    EXPECT_EQ(client->ReadLine(), "NOOP");
  }
  EXPECT_EQ(server.sessions(), 100U);
  clients.clear();
  EXPECT_TRUE(Eventually([&] { return server.sessions() == 0; }));
  EXPECT_EQ(calls, 100);
}

TEST(ServerTest, SessionsAreSpreadOverThreadsAndStayOnTheirs) {
  IoThreads threads(3);
  Server server(threads, ConnectionLimits());
  const auto port = server.Listen(Options(), [](ConnectionPtr connection) -> awaitable<void> {
    const auto first = std::this_thread::get_id();
    LineReader reader(*connection);
    (void)co_await reader.ReadLine(100);
    EXPECT_EQ(std::this_thread::get_id(), first);
    (void)co_await connection->Write(
        std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())) + "\r\n");
  });
  ASSERT_TRUE(port.ok());
  std::set<std::string> seen;
  for (int i = 0; i < 6; ++i) {
    LineClient client(*port);
    client.SendLine("go");
    seen.insert(client.ReadLine());
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(ServerTest, TheTotalLimitTurnsClientsAwayWithALine) {
  IoThreads threads(2);
  Server server(threads, ConnectionLimits{.total = 2, .per_address = 10});
  const auto port = server.Listen(Options(), &Echo);
  // The limit is common to all listeners; TLS clients get no cleartext.
  ListenerOptions tls = Options();
  tls.implicit_tls = &testing::TestTls();
  const auto tls_port = server.Listen(tls, &Echo);
  ASSERT_TRUE(port.ok() && tls_port.ok());
  auto first = std::make_unique<LineClient>(*port);
  EXPECT_EQ(first->ReadLine(), "hello 127.0.0.1");
  LineClient second(*tls_port, Tls::kOn);
  EXPECT_EQ(second.ReadLine(), "hello 127.0.0.1");
  LineClient third(*port);
  EXPECT_EQ(third.ReadLine(), "421 too many");
  EXPECT_TRUE(third.AtEof());
  LineClient fourth(*tls_port);
  EXPECT_TRUE(fourth.AtEof());
  EXPECT_EQ(server.sessions(), 2U);
  // A place that was given back is free again.
  first.reset();
  ASSERT_TRUE(Eventually([&] { return server.sessions() == 1; }));
  LineClient fifth(*port);
  EXPECT_EQ(fifth.ReadLine(), "hello 127.0.0.1");
}

TEST(ServerTest, TheLimitPerAddressCountsEachAddress) {
  IoThreads threads(2);
  Server server(threads, ConnectionLimits{.total = 10, .per_address = 2});
  const auto port = server.Listen(Options("0.0.0.0"), &Echo);
  ASSERT_TRUE(port.ok());
  auto first = std::make_unique<LineClient>(*port);
  LineClient second(*port);
  EXPECT_EQ(first->ReadLine(), "hello 127.0.0.1");
  EXPECT_EQ(second.ReadLine(), "hello 127.0.0.1");
  EXPECT_EQ(LineClient(*port).ReadLine(), "421 too many");
  LineClient other(*port, Tls::kOff, "127.0.0.1", "127.0.0.2");
  EXPECT_EQ(other.ReadLine(), "hello 127.0.0.2");
  first.reset();
  ASSERT_TRUE(Eventually([&] { return server.sessions() == 2; }));
  EXPECT_EQ(LineClient(*port).ReadLine(), "hello 127.0.0.1");
}

TEST(ServerTest, NoConnectionsAllowed) {
  IoThreads threads(1);
  Server server(threads, ConnectionLimits{.total = 5, .per_address = 0});
  const auto port = server.Listen(Options(), &Echo);
  ASSERT_TRUE(port.ok());
  EXPECT_EQ(LineClient(*port).ReadLine(), "421 too many");
}

TEST(ServerTest, Ipv6AndDualStack) {
  IoThreads threads(1);
  Server server(threads, ConnectionLimits());
  const auto port = server.Listen(Options("::"), &Echo);
  if (!port.ok()) GTEST_SKIP() << "no IPv6 here: " << port.status();
  EXPECT_EQ(LineClient(*port, Tls::kOff, "::1").ReadLine(), "hello ::1");
  // An IPv4 client is known by its IPv4 address.
  EXPECT_EQ(LineClient(*port).ReadLine(), "hello 127.0.0.1");
}

TEST(ServerTest, WhatASessionThrowsEndsThatSessionOnly) {
  IoThreads threads(1);
  Server server(threads, ConnectionLimits());
  const auto port = server.Listen(Options(), [](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    const auto line = co_await reader.ReadLine(100);
    if (line.ok() && *line == "THROW\r\n") throw std::runtime_error("thrown by a test");
    if (line.ok() && *line == "ODD\r\n") throw 1;
    (void)co_await connection->Write("fine\r\n");
  });
  ASSERT_TRUE(port.ok());
  LineClient good(*port);
  LineClient bad(*port);
  bad.SendLine("THROW");
  EXPECT_TRUE(bad.AtEof());
  LineClient odd(*port);
  odd.SendLine("ODD");
  EXPECT_TRUE(odd.AtEof());
  good.SendLine("x");
  EXPECT_EQ(good.ReadLine(), "fine");
  EXPECT_TRUE(Eventually([&] { return server.sessions() == 0; }));
}

TEST(ServerTest, BadListenersAreErrors) {
  IoThreads threads(1);
  Server server(threads, ConnectionLimits());
  EXPECT_EQ(server.Listen(Options("mail.example.com"), &Echo).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(server.Listen(Options("192.0.2.1"), &Echo).status().code(),
            absl::StatusCode::kUnavailable);
  ListenerOptions options = Options();
  const auto port = server.Listen(options, &Echo);
  ASSERT_TRUE(port.ok());
  options.port = *port;
  EXPECT_EQ(server.Listen(options, &Echo).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LineClient(*port).ReadLine(), "hello 127.0.0.1");
  server.Drain(absl::ZeroDuration());
  EXPECT_EQ(server.Listen(Options(), &Echo).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ServerTest, ImplicitTlsTurnsGarbageAndSilenceAway) {
  IoThreads threads(2);
  Server server(threads, ConnectionLimits());
  std::atomic<int> calls = 0;
  ListenerOptions options = Options();
  options.implicit_tls = &testing::TestTls();
  options.handshake_timeout = absl::Milliseconds(300);
  const auto port = server.Listen(options, [&](ConnectionPtr connection) -> awaitable<void> {
    ++calls;
    co_await Echo(connection);
  });
  ASSERT_TRUE(port.ok());
  LineClient silent(*port);
  LineClient garbage(*port);
  garbage.Send("EHLO client.example.com\r\nQUIT\r\n");
  // OpenSSL may answer with an alert before it closes.
  char octet;
  while (recv(garbage.fd(), &octet, 1, 0) > 0) {
  }
  EXPECT_TRUE(silent.AtEof());
  EXPECT_TRUE(Eventually([&] { return server.sessions() == 0; }));
  EXPECT_EQ(calls, 0);
  LineClient good(*port, Tls::kOn);
  EXPECT_EQ(good.ReadLine(), "hello 127.0.0.1");
  // The handshake's time-out is not the session's.
  absl::SleepFor(absl::Milliseconds(400));
  good.SendLine("NOOP");
  EXPECT_EQ(good.ReadLine(), "NOOP");
  EXPECT_EQ(calls, 1);
}

TEST(ServerTest, DrainLetsSessionsSayGoodbye) {
  IoThreads threads(2);
  Server server(threads, ConnectionLimits());
  const auto port = server.Listen(Options(), &Echo);
  ASSERT_TRUE(port.ok());
  std::vector<std::unique_ptr<LineClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<LineClient>(*port));
    EXPECT_EQ(clients.back()->ReadLine(), "hello 127.0.0.1");
  }
  const absl::Time start = absl::Now();
  server.Drain(absl::Seconds(20));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_EQ(server.sessions(), 0U);
  for (auto& client : clients) {
    EXPECT_EQ(client->ReadLine(), "BYE");
    EXPECT_TRUE(client->AtEof());
  }
  EXPECT_FALSE(CanConnect(*port));
  server.Drain(absl::Seconds(20));
}

TEST(ServerTest, DrainWaitsForTheCommandUnderWay) {
  IoThreads threads(2);
  Server server(threads, ConnectionLimits());
  Handover<ConnectionPtr> started;
  const auto port = server.Listen(Options(), [&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    started.Set(connection);
    // In the midst of a command: not interruptible.
    const auto body = co_await reader.ReadLine(100);
    EXPECT_TRUE(body.ok());
    (void)co_await connection->Write("250 stored\r\n");
  });
  ASSERT_TRUE(port.ok());
  LineClient client(*port);
  const ConnectionPtr connection = started.Get();
  std::thread drain([&] { server.Drain(absl::Seconds(20)); });
  EXPECT_TRUE(Eventually([&] {
    bool draining = false;
    OnExecutor(*connection, [&] { draining = connection->draining(); });
    return draining;
  }));
  client.SendLine("body");
  EXPECT_EQ(client.ReadLine(), "250 stored");
  drain.join();
  EXPECT_EQ(server.sessions(), 0U);
}

TEST(ServerTest, DrainClosesWhatDoesNotEnd) {
  IoThreads threads(2);
  auto server = std::make_unique<Server>(threads, ConnectionLimits());
  Handover<bool> started;
  absl::StatusCode code = absl::StatusCode::kOk;
  const auto port = server->Listen(Options(), [&](ConnectionPtr connection) -> awaitable<void> {
    started.Set(true);
    char octet;
    code = (co_await connection->ReadSome(&octet, 1)).status().code();
  });
  ASSERT_TRUE(port.ok());
  LineClient client(*port);
  started.Get();
  const absl::Time start = absl::Now();
  server->Drain(absl::Milliseconds(100));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(100));
  // The session is over when Drain returns: `code` needs no lock.
  EXPECT_EQ(code, absl::StatusCode::kCancelled);
  EXPECT_TRUE(client.AtEof());
}

TEST(ServerTest, NothingOfASessionOutlivesItsServer) {
  struct Watched {
    explicit Watched(std::atomic<int>& n) : count(n) { ++count; }
    ~Watched() { --count; }
    std::atomic<int>& count;
  };
  IoThreads threads(3);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> alive = 0;
    auto server = std::make_unique<Server>(threads, ConnectionLimits());
    ListenerOptions options = Options();
    if (round % 2 == 1) options.implicit_tls = &testing::TestTls();
    auto in_session = std::make_shared<Watched>(alive);
    const auto port =
        server->Listen(options, [&alive, in_session](ConnectionPtr connection) -> awaitable<void> {
          const Watched local(alive);
          co_await Echo(connection);
        });
    in_session.reset();
    ASSERT_TRUE(port.ok());
    std::vector<std::unique_ptr<LineClient>> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(std::make_unique<LineClient>(*port));
      // Some have a session, others are still in the backlog or the handshake.
      if (round % 4 == 0) clients.back()->ReadLine();
    }
    server.reset();
    EXPECT_EQ(alive, 0) << round;
  }
}

TEST(ServerTest, TheLoopsEndDestroysWhatIsLeftOnThem) {
  auto threads = std::make_unique<IoThreads>(2);
  Handover<bool> destroyed;
  struct Teller {
    explicit Teller(Handover<bool>& h) : handover(h) {}
    ~Teller() { handover.Set(true); }
    Handover<bool>& handover;
  };
  boost::asio::post(threads->Next(), [teller = std::make_unique<Teller>(destroyed)] {});
  threads->Stop();
  threads.reset();
  EXPECT_TRUE(destroyed.Get());
}

TEST(ServerTest, WithoutFileDescriptorsClientsWait) {
  IoThreads threads(1);
  Server server(threads, ConnectionLimits());
  const auto port = server.Listen(Options(), &Echo);
  ASSERT_TRUE(port.ok());
  EXPECT_EQ(LineClient(*port).ReadLine(), "hello 127.0.0.1");
  ASSERT_TRUE(Eventually([&] { return server.sessions() == 0; }));
  rlimit files = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlim_t before = files.rlim_cur;
  // One descriptor is left: the client's. All below it are in use.
  std::vector<int> filler;
  const int last = fcntl(0, F_DUPFD_CLOEXEC, 200);
  ASSERT_GE(last, 0);
  close(last);
  for (int fd = -1; fd < last - 1;) {
    fd = dup(1);
    ASSERT_GE(fd, 0);
    filler.push_back(fd);
  }
  files.rlim_cur = static_cast<rlim_t>(last) + 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  LineClient client(*port);
  EXPECT_EQ(client.fd(), last);
  client.SetTimeout(absl::Milliseconds(300));
  EXPECT_FALSE(client.AtEof());  // neither a greeting nor the end
  EXPECT_EQ(server.sessions(), 0U);
  for (const int fd : filler) close(fd);
  files.rlim_cur = before;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  client.SetTimeout(absl::Seconds(10));
  EXPECT_EQ(client.ReadLine(), "hello 127.0.0.1");
}

}  // namespace
}  // namespace rmail::gateway
