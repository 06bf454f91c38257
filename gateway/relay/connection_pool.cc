#include "gateway/relay/connection_pool.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <iterator>
#include <utility>

#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;

// Idle connections of a pool: each costs somebody else's server something.
constexpr size_t kMaxIdle = 64;

// How long a shutdown waits for the answer to a whole message.
constexpr absl::Duration kLastAnswer = absl::Seconds(20);

}  // namespace

ConnectionPool::ConnectionPool(asio::any_io_executor executor, TransportOptions options)
    : executor_(std::move(executor)), options_(std::move(options)), timer_(executor_) {}

ConnectionPool::~ConnectionPool() = default;

asio::awaitable<absl::StatusOr<ConnectionPool::Place>> ConnectionPool::Enter(
    std::string destination, absl::Duration patience) {
  if (closed_) co_return MakeStatus(absl::StatusCode::kCancelled, "the relay shuts down");
  const std::shared_ptr<ConnectionPool> self = shared_from_this();
  Destination& there = destinations_[destination];
  if (there.active < options_.max_per_destination) {
    ++there.active;
    co_return Place(self, std::move(destination));
  }
  const auto waiter = std::make_shared<Waiter>(executor_);
  waiter->timer.expires_after(absl::ToChronoNanoseconds(patience));
  there.waiters.push_back(waiter);
  co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter->admitted) co_return Place(self, std::move(destination));
  const auto found = destinations_.find(destination);
  if (found != destinations_.end()) {
    std::deque<std::shared_ptr<Waiter>>& waiters = found->second.waiters;
    waiters.erase(std::remove(waiters.begin(), waiters.end(), waiter), waiters.end());
  }
  if (closed_) co_return MakeStatus(absl::StatusCode::kCancelled, "the relay shuts down");
  co_return MakeStatus(absl::StatusCode::kDeadlineExceeded,
                       "all connections to the destination are in use");
}

void ConnectionPool::Leave(const std::string& destination) {
  const auto found = destinations_.find(destination);
  if (found == destinations_.end()) return;
  Destination& there = found->second;
  if (!there.waiters.empty()) {  // The place changes hands.
    there.waiters.front()->admitted = true;
    there.waiters.front()->timer.cancel();
    there.waiters.pop_front();
  } else if (--there.active == 0) {
    destinations_.erase(found);
  }
}

std::unique_ptr<SmtpClient> ConnectionPool::TakeIdle(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  // The latest: it is the one most likely to live.
  Idle idle = std::move(found->second.back());
  found->second.pop_back();
  --idle_count_;
  if (found->second.empty()) idle_.erase(found);
  if (Clock::now() < idle.until) return std::move(idle.client);
  Quit(std::move(idle.client));
  return nullptr;
}

bool ConnectionPool::IsUsedUp(const SmtpClient& client) const {
  return client.messages > 0 &&
         client.messages >= std::min(options_.max_messages_per_connection,
                                     client.features.max_messages.value_or(SIZE_MAX));
}

void ConnectionPool::GiveBack(const std::string& key, std::unique_ptr<SmtpClient> client) {
  if (closed_ || IsUsedUp(*client) || idle_count_ >= kMaxIdle) {
    Quit(std::move(client));
    return;
  }
  const auto until = Clock::now() + absl::ToChronoNanoseconds(options_.max_idle);
  idle_[key].push_back({std::move(client), until});
  ++idle_count_;
  if (!timer_armed_) ArmTimer();
}

void ConnectionPool::Quit(std::unique_ptr<SmtpClient> client) {
  asio::co_spawn(executor_, SmtpClient::Quit(std::move(client), options_.timeouts.quit),
                 asio::detached);
}

void ConnectionPool::ArmTimer() {
  timer_armed_ = true;
  timer_.expires_after(absl::ToChronoNanoseconds(options_.max_idle));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const std::shared_ptr<ConnectionPool> self = weak.lock()) self->OnTimer();
  });
}

void ConnectionPool::OnTimer() {
  timer_armed_ = false;
  const Clock::time_point now = Clock::now();
  for (auto entry = idle_.begin(); entry != idle_.end();) {
    std::vector<Idle>& idle = entry->second;
    const auto over = std::partition(idle.begin(), idle.end(),
                                     [now](const Idle& one) { return now < one.until; });
    idle_count_ -= static_cast<size_t>(idle.end() - over);
    for (auto one = over; one != idle.end(); ++one) Quit(std::move(one->client));
    idle.erase(over, idle.end());
    entry = idle.empty() ? idle_.erase(entry) : std::next(entry);
  }
  if (idle_count_ > 0) ArmTimer();
}

void ConnectionPool::Close() {
  closed_ = true;
  for (auto& [name, there] : destinations_) {
    for (const std::shared_ptr<Waiter>& waiter : there.waiters) waiter->timer.cancel();
  }
  for (auto& [key, idle] : idle_) {
    for (Idle& one : idle) Quit(std::move(one.client));
  }
  idle_.clear();
  idle_count_ = 0;
  timer_.cancel();
  for (SmtpClient* client : active_) {
    if (client->committing) {
      client->connection().SetTimeout(kLastAnswer);
    } else {
      client->connection().Close();
    }
  }
}

}  // namespace rmail::gateway::relay
