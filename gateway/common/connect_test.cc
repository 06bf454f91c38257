#include "gateway/common/connect.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <optional>
#include <string>

#include "gateway/common/server.h"

namespace rmail::gateway {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A listening socket whose connections nobody takes.
class Listener {
 public:
  Listener() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(descriptor_, 0), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { Close(); }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  tcp::endpoint endpoint() const { return {asio::ip::make_address("127.0.0.1"), port_}; }
  // Where the next connection comes from.
  std::string AcceptFrom() {
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    const int client = accept(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    EXPECT_GE(client, 0);
    close(client);
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
    return text;
  }

 private:
  int descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uint16_t port_ = 0;
};

class ConnectTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<Connection>> To(
      const Listener& listener, std::optional<asio::ip::address> source = std::nullopt,
      absl::Duration timeout = absl::Seconds(10)) {
    return asio::co_spawn(threads_.Next(), Connect(listener.endpoint(), source, timeout),
                          asio::use_future)
        .get();
  }

  IoThreads threads_{1};
};

TEST_F(ConnectTest, FromAnAddressOfItsOwn) {
  Listener listener;
  auto connection = To(listener, asio::ip::make_address("127.0.0.7"));
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ((*connection)->peer(), "127.0.0.1");
  EXPECT_EQ(listener.AcceptFrom(), "127.0.0.7");
  // One of another family does not count.
  ASSERT_TRUE(To(listener, asio::ip::make_address("::1")).ok());
  EXPECT_EQ(listener.AcceptFrom(), "127.0.0.1");
  // One that is not this machine's.
  EXPECT_EQ(To(listener, asio::ip::make_address("192.0.2.1")).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(ConnectTest, NobodyListens) {
  Listener listener;
  listener.Close();
  EXPECT_EQ(To(listener).status().code(), absl::StatusCode::kUnavailable);
}

// The system answers no more of them than the backlog holds.
TEST_F(ConnectTest, NobodyAnswers) {
  Listener listener;
  const auto first = To(listener);
  ASSERT_TRUE(first.ok());
  const auto second = To(listener, std::nullopt, absl::Milliseconds(200));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace rmail::gateway
