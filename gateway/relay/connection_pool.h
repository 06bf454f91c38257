// Connections to destinations: how many at once, and those that wait for another message.
#ifndef RMAIL_GATEWAY_RELAY_CONNECTION_POOL_H_
#define RMAIL_GATEWAY_RELAY_CONNECTION_POOL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/relay/smtp_client.h"
#include "gateway/relay/transport_options.h"

namespace rmail::gateway::relay {

// Belongs to one executor (one thread), and is used on it only but for its destruction. Made with
// std::make_shared. The executor's loop outlives it.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  // The right to one connection to a destination; given back when it is destroyed.
  class Place {
   public:
    Place(std::shared_ptr<ConnectionPool> pool, std::string destination)
        : pool_(std::move(pool)), destination_(std::move(destination)) {}
    ~Place() {
      if (pool_ != nullptr) pool_->Leave(destination_);
    }
    Place(Place&& other) noexcept = default;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    std::shared_ptr<ConnectionPool> pool_;  // null: moved away
    std::string destination_;
  };

  ConnectionPool(boost::asio::any_io_executor executor, TransportOptions options);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // Waits until a connection to the destination is free, first come, first served.
  // kDeadlineExceeded: that took too long. kCancelled: the pool is closed.
  boost::asio::awaitable<absl::StatusOr<Place>> Enter(std::string destination,
                                                      absl::Duration patience);

  // A connection that was given back for the same key; null: there is none.
  std::unique_ptr<SmtpClient> TakeIdle(const std::string& key);
  // It has had as many messages as it may have.
  bool IsUsedUp(const SmtpClient& client) const;
  // Keeps a connection for the next message, or says QUIT when it has had enough of them.
  void GiveBack(const std::string& key, std::unique_ptr<SmtpClient> client);
  // Says QUIT, in the background.
  void Quit(std::unique_ptr<SmtpClient> client);

  // Connections that are in use are known from here to there, so that Close() finds them.
  void Register(SmtpClient& client) { active_.insert(&client); }
  void Unregister(SmtpClient& client) { active_.erase(&client); }

  // Nobody gets in any more, idle connections end, those in use break off unless the answer to a
  // whole message is waited for.
  void Close();
  bool closed() const { return closed_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiter {
    explicit Waiter(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    bool admitted = false;
  };
  struct Destination {
    size_t active = 0;
    std::deque<std::shared_ptr<Waiter>> waiters;
  };
  struct Idle {
    std::unique_ptr<SmtpClient> client;
    Clock::time_point until;
  };

  void Leave(const std::string& destination);
  void ArmTimer();
  void OnTimer();

  const boost::asio::any_io_executor executor_;
  const TransportOptions options_;
  std::unordered_map<std::string, Destination> destinations_;
  std::unordered_map<std::string, std::vector<Idle>> idle_;
  size_t idle_count_ = 0;
  std::unordered_set<SmtpClient*> active_;
  boost::asio::steady_timer timer_;  // of idle connections
  bool timer_armed_ = false;
  bool closed_ = false;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_CONNECTION_POOL_H_
