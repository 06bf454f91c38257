// A channel of c-ares whose sockets and time-outs are an event loop's.
#ifndef RMAIL_GATEWAY_RELAY_ARES_CHANNEL_H_
#define RMAIL_GATEWAY_RELAY_ARES_CHANNEL_H_

#include <ares.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/relay/dns_answer.h"
#include "gateway/relay/resolver.h"
#include "store/base/mutex.h"

namespace rmail::gateway::relay {

// Thread-safe. c-ares knows no locks, so a mutex guards all of it, its callbacks included: these do
// no more than hand on a result.
class AresChannel : public std::enable_shared_from_this<AresChannel> {
 public:
  // The answer's octets; empty: the name is there and has no such records. Errors as in resolver.h.
  using Done = std::function<void(absl::StatusOr<std::string>)>;

  // Made with std::make_shared.
  explicit AresChannel(const boost::asio::any_io_executor& executor);
  ~AresChannel();
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;

  // Once, before all else. `servers` empty: the system's.
  absl::Status Open(const std::vector<std::string>& servers, absl::Duration timeout);
  // Ends all queries with kUnavailable, and all later ones.
  void Close();

  // Calls `done` once, from here or from the loop; it must not block nor call the channel.
  void Query(const std::string& name, DnsType type, Done done);

  // What the system's hosts file says; blocks for as long as it takes to read it.
  std::vector<boost::asio::ip::address> LookUpHostsFile(const std::string& host);

 private:
  // A socket of c-ares, which closes the descriptor: it is released before.
  struct Socket {
    explicit Socket(const boost::asio::any_io_executor& executor) : stream(executor) {}
    boost::asio::posix::stream_descriptor stream;
    bool reads = false;   // wanted
    bool writes = false;  // wanted
    bool reading = false;
    bool writing = false;
  };

  static void OnSocketState(void* self, ares_socket_t descriptor, int reads, int writes);
  void Watch(int descriptor, bool reads, bool writes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Await(const std::shared_ptr<Socket>& socket) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnReady(const std::shared_ptr<Socket>& socket, bool readable);
  // c-ares has time-outs of its own; this calls it when the next one is over.
  void ArmTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const boost::asio::any_io_executor executor_;
  Mutex mutex_;
  ares_channel channel_ ABSL_GUARDED_BY(mutex_) = nullptr;  // null: closed
  std::unordered_map<int, std::shared_ptr<Socket>> sockets_ ABSL_GUARDED_BY(mutex_);
  boost::asio::steady_timer timer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_ARES_CHANNEL_H_
