#include "gateway/common/login_queue.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <utility>
#include <vector>

namespace rmail::gateway {
namespace {

class LoginQueueTest : public ::testing::Test {
 protected:
  static boost::asio::awaitable<void> Check(LoginQueueTest& test, std::string client, int number) {
    const bool entered = co_await test.queue_.Enter(std::move(client));
    (entered ? test.entered_ : test.refused_).push_back(number);
  }
  void Start(const std::string& client, int number) {
    boost::asio::co_spawn(io_, Check(*this, client, number), boost::asio::detached);
    Run();
  }
  void Leave(const std::string& client) {
    queue_.Leave(client);
    Run();
  }
  // Up to where all that go on wait for a turn.
  void Run() {
    io_.restart();
    io_.poll();
  }

  LoginQueue queue_;
  std::vector<int> entered_;
  std::vector<int> refused_;
  boost::asio::io_context io_;
};

TEST_F(LoginQueueTest, TheFifthWaitsForOneOfTheFour) {
  for (int i = 0; i < 6; ++i) Start("a", i);
  Start("b", 10);
  EXPECT_EQ(entered_, (std::vector<int>{0, 1, 2, 3, 10}));
  Leave("a");
  EXPECT_EQ(entered_, (std::vector<int>{0, 1, 2, 3, 10, 4}));
  Leave("a");
  EXPECT_EQ(entered_, (std::vector<int>{0, 1, 2, 3, 10, 4, 5}));
  // Four run: the next waits again, and begins at once when they have ended.
  Start("a", 6);
  EXPECT_EQ(entered_.size(), 7u);
  for (int i = 0; i < 5; ++i) Leave("a");
  EXPECT_EQ(entered_.back(), 6);
  Start("a", 7);
  EXPECT_EQ(entered_.back(), 7);
  EXPECT_TRUE(refused_.empty());
}

TEST_F(LoginQueueTest, ALongQueueIsRefused) {
  const int most = LoginQueue::kMaxRunning + static_cast<int>(LoginQueue::kMaxWaiting);
  for (int i = 0; i < most; ++i) Start("a", i);
  EXPECT_TRUE(refused_.empty());
  Start("a", most);
  Start("b", most + 1);
  EXPECT_EQ(refused_, std::vector<int>{most});
  EXPECT_EQ(entered_.back(), most + 1);
  for (int i = 0; i < most; ++i) Leave("a");
  EXPECT_EQ(entered_.size(), static_cast<size_t>(most) + 1);
}

}  // namespace
}  // namespace rmail::gateway
