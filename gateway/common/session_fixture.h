// Runs one coroutine as the session of a client.
#ifndef RMAIL_GATEWAY_COMMON_SESSION_FIXTURE_H_
#define RMAIL_GATEWAY_COMMON_SESSION_FIXTURE_H_

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "gateway/common/server.h"
#include "gateway/common/test_tls.h"
#include "tests/support/line_client.h"

namespace rmail::gateway {

// A value that a session hands to the test's thread, which waits for it for 10 s at most.
template <typename T>
class Handover {
 public:
  void Set(T value) { promise_.set_value(std::move(value)); }
  T Get() {
    if (future_.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
      ADD_FAILURE() << "the session handed nothing over";
      return T();
    }
    return future_.get();
  }

 private:
  std::promise<T> promise_;
  std::future<T> future_ = promise_.get_future();
};

class SessionFixture {
 public:
  using Tls = testing::LineClient::Tls;

  explicit SessionFixture(ConnectionLimits limits = {}) : server(threads, limits) {}

  // Opens a listener whose sessions are `session`.
  uint16_t Listen(Server::Session session, Tls tls = Tls::kOff) {
    ListenerOptions options;
    options.name = "test";
    options.host = "127.0.0.1";
    if (tls == Tls::kOn) options.implicit_tls = &testing::TestTls();
    absl::StatusOr<uint16_t> port = server.Listen(std::move(options), std::move(session));
    EXPECT_TRUE(port.ok()) << port.status();
    return port.value_or(0);
  }

  // A client of such a listener.
  std::unique_ptr<testing::LineClient> Connect(Server::Session session, Tls tls = Tls::kOff) {
    return std::make_unique<testing::LineClient>(Listen(std::move(session), tls), tls);
  }

  IoThreads threads{2};
  Server server;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer) ||
                                   __has_feature(thread_sanitizer) ||
                                   __has_feature(memory_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

// The memory that this process has in use.
inline size_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    size_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  ADD_FAILURE() << "no VmRSS in /proc/self/status";
  return 0;
}

// Calls it on the connection's thread, and waits until that is done.
template <typename Function>
void OnExecutor(Connection& connection, Function function) {
  std::promise<void> done;
  boost::asio::post(connection.Executor(), [&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_SESSION_FIXTURE_H_
