// Lets few login checks of one client run at once; the others wait their turn.
#ifndef RMAIL_GATEWAY_COMMON_LOGIN_QUEUE_H_
#define RMAIL_GATEWAY_COMMON_LOGIN_QUEUE_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "store/base/mutex.h"

namespace rmail::gateway {

// Thread-safe. A client is any text, such as ClientKey makes.
class LoginQueue {
 public:
  // Checks under way: each may cost the store a tenth of a second.
  static constexpr int kMaxRunning = 4;
  // Checks that wait: mail programs open up to ten connections at once, and several of them may
  // share an address.
  static constexpr size_t kMaxWaiting = 32;

  // Waits until a check may begin; false, at once, when too many wait already. After true, Leave
  // must follow.
  boost::asio::awaitable<bool> Enter(std::string client);
  // The check has ended: the one that has waited longest begins.
  void Leave(const std::string& client);

 private:
  using Done = absl::AnyInvocable<void(bool)>;
  struct Client {
    int running = 0;
    // In the order in which they came; only while kMaxRunning run.
    std::deque<Done> waiting;
  };

  void Enter(const std::string& client, Done done);

  Mutex mutex_;
  // Those with a check under way.
  absl::flat_hash_map<std::string, Client> clients_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_LOGIN_QUEUE_H_
