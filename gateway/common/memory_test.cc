// What an idle session costs.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/common/line_reader.h"
#include "gateway/common/session_fixture.h"

namespace rmail::gateway {
namespace {

using boost::asio::awaitable;
using testing::LineClient;

constexpr int kWarmUp = 50;
constexpr int kSessions = 500;
constexpr size_t kMaxKibEach = 40;

awaitable<void> EchoLines(std::shared_ptr<Connection> connection) {
  LineReader reader(*connection);
  connection->SetTimeout(absl::Minutes(30));
  while (true) {
    const auto line = co_await reader.ReadLine(1000, true);
    if (!line.ok() || !(co_await connection->Write(*line)).ok()) co_return;
  }
}

// Opens TLS connections and says a word over each.
void OpenSessions(uint16_t port, int count, std::vector<std::unique_ptr<LineClient>>& clients) {
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<LineClient>(port, LineClient::Tls::kOn));
    clients.back()->SendLine("NOOP");
    clients.back()->ReadLine();
  }
}

// The clients live in a process of their own, so that their memory does not count.
[[noreturn]] void RunClients(int from_test, int to_test) {
  uint16_t port = 0;
  if (read(from_test, &port, sizeof(port)) != sizeof(port)) _exit(1);
  std::vector<std::unique_ptr<LineClient>> clients;
  char step = 'w';
  for (const int count : {kWarmUp, kSessions}) {
    OpenSessions(port, count, clients);
    if (::testing::Test::HasFailure()) _exit(1);
    if (write(to_test, &step, 1) != 1 || read(from_test, &step, 1) != 1) _exit(1);
  }
  _exit(0);
}

TEST(MemoryTest, AnIdleTlsSessionIsSmall) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory says nothing";
  rlimit files = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  int to_child[2];
  int from_child[2];
  ASSERT_EQ(pipe(to_child), 0);
  ASSERT_EQ(pipe(from_child), 0);
  const pid_t child = fork();  // before there are threads
  ASSERT_GE(child, 0);
  if (child == 0) {
    // The test's ends: when the test dies, the reads end.
    close(to_child[1]);
    close(from_child[0]);
    RunClients(to_child[0], from_child[1]);
  }
  close(to_child[0]);
  close(from_child[1]);

  SessionFixture fixture(ConnectionLimits{.total = 1000, .per_address = 1000});
  const uint16_t port = fixture.Listen(&EchoLines, LineClient::Tls::kOn);
  char step = 0;
  ASSERT_EQ(write(to_child[1], &port, sizeof(port)), ssize_t{sizeof(port)});
  ASSERT_EQ(read(from_child[0], &step, 1), 1);
  const size_t before = ResidentKib();
  ASSERT_EQ(write(to_child[1], "g", 1), 1);
  ASSERT_EQ(read(from_child[0], &step, 1), 1);
  const size_t after = ResidentKib();
  EXPECT_EQ(fixture.server.sessions(), size_t{kWarmUp + kSessions});
  const double each = (static_cast<double>(after) - static_cast<double>(before)) / kSessions;
  std::cout << "an idle TLS session takes " << each << " KiB\n";
  RecordProperty("kib_each", std::to_string(each));
  EXPECT_LT(each, kMaxKibEach);
  EXPECT_GT(each, 1) << "the measurement is broken";

  ASSERT_EQ(write(to_child[1], "g", 1), 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(to_child[1]);
  close(from_child[0]);
}

}  // namespace
}  // namespace rmail::gateway
