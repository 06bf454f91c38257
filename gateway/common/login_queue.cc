#include "gateway/common/login_queue.h"

#include <utility>

#include "gateway/common/await_callback.h"

namespace rmail::gateway {

boost::asio::awaitable<bool> LoginQueue::Enter(std::string client) {
  co_return co_await AwaitCallback<bool>(
      [this, &client](auto done) { Enter(client, std::move(done)); });
}

void LoginQueue::Enter(const std::string& client, Done done) {
  bool begins = false;
  {
    MutexLock lock(&mutex_);
    Client& checks = clients_[client];
    begins = checks.running < kMaxRunning;
    if (begins) {
      ++checks.running;
    } else if (checks.waiting.size() < kMaxWaiting) {
      checks.waiting.push_back(std::move(done));
      return;
    }
  }
  done(begins);
}

void LoginQueue::Leave(const std::string& client) {
  Done next;
  {
    MutexLock lock(&mutex_);
    const auto found = clients_.find(client);
    Client& checks = found->second;
    if (checks.waiting.empty()) {
      if (--checks.running == 0) clients_.erase(found);
      return;
    }
    // It takes over the place.
    next = std::move(checks.waiting.front());
    checks.waiting.pop_front();
  }
  next(true);
}

}  // namespace rmail::gateway
