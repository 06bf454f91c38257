// The relay: takes what is due from the queue and sees that it gets to other servers. It holds
// nothing that the queue does not know but leases: when it dies, another goes on once they have run
// out.
#ifndef RMAIL_GATEWAY_RELAY_RELAY_H_
#define RMAIL_GATEWAY_RELAY_RELAY_H_

#include <memory>

#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/relay/clock.h"
#include "gateway/relay/relay_options.h"
#include "gateway/relay/relay_store.h"
#include "gateway/relay/transport.h"

namespace rmail::gateway::relay {

// Used by one thread.
class Relay {
 public:
  // Starts at once. All of these outlive it.
  Relay(gateway::IoThreads& threads, RelayStore& store, Transport& transport, Clock& clock,
        RelayOptions options);
  // Drain(0 s).
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Takes no more messages and lets those under way be sent for up to `grace`; then breaks off what
  // is left (Transport::Stop) and gives it back to the queue. When it returns, nothing uses the
  // store any more. A second call does nothing.
  void Drain(absl::Duration grace);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_RELAY_H_
