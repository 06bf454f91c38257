// Mail in the queue for recipients that are our own by now: a domain that was added since, or an
// alias that leads back.
#ifndef RMAIL_GATEWAY_RELAY_LOCAL_DELIVERY_H_
#define RMAIL_GATEWAY_RELAY_LOCAL_DELIVERY_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "gateway/relay/attempt_outcome.h"
#include "gateway/relay/relay_store.h"
#include "store/base/mutex.h"

namespace rmail::gateway::relay {

enum class Locality {
  kHere,
  kElsewhere,
  // The store can't say now.
  kUnknown,
};

// Finds out whether domains are ours. What is not is remembered for a short time, so that not each
// message asks the store. Thread-safe.
class LocalDomains {
 public:
  // `store` outlives it.
  explicit LocalDomains(RelayStore& store) : store_(store) {}

  // `domain` is in lower case.
  boost::asio::awaitable<Locality> Find(std::string domain, absl::Time now);

 private:
  RelayStore& store_;
  Mutex mutex_;
  // Until when they are taken to be elsewhere.
  absl::flat_hash_map<std::string, absl::Time> elsewhere_ ABSL_GUARDED_BY(mutex_);
};

// Delivers a message to the mailboxes of a local destination's recipients and queues it anew for
// where their aliases lead elsewhere. An answer for each recipient, in order.
boost::asio::awaitable<std::vector<Delivered>> DeliverLocally(
    RelayStore& store, const store::v1::QueuedMessage& message, const Destination& destination);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_LOCAL_DELIVERY_H_
