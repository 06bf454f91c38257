// The counters that all gateways share (LimitService), as an awaitable.
#ifndef RMAIL_GATEWAY_COMMON_RATE_LIMITER_H_
#define RMAIL_GATEWAY_COMMON_RATE_LIMITER_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/common/log_limit.h"
#include "rmail/store/v1/limit.pb.h"
#include "store/base/mutex.h"
#include "store/client/store_client.h"

namespace rmail::gateway {

// An event of its own: "smtp-message/address/192.0.2.1" (see limit.proto).
store::v1::LimitedEvent MakeEvent(std::string_view family, std::string_view name, uint32_t limit,
                                  absl::Duration window);

// Thread-safe.
class RateLimiter {
 public:
  // `store` outlives it. `token` makes a token with scope `gateway`.
  RateLimiter(client::StoreClient& store, client::TokenSource token);

  struct Verdict {
    bool allowed = true;
    // Which event was not, or has begun a lock-out.
    size_t refused = 0;
    // How long it will be refused, or is locked out.
    absl::Duration retry_after;
    bool locked_out = false;
  };

  // Counts events, all or none; without events nothing is asked. The first one's family (the first
  // two parts of its key) says which store counts them all: events that are counted together once
  // are counted together always, with the same one in front.
  // Mail goes on when no store can be reached within 2 s: all is allowed then.
  boost::asio::awaitable<Verdict> Count(std::vector<store::v1::LimitedEvent> events);

 private:
  void TellUnreachable(const absl::Status& why);
  void TellRefused(const store::v1::LimitedEvent& event, const Verdict& verdict);

  client::StoreClient& store_;
  const client::TokenSource token_;
  Mutex mutex_;
  LogLimit unreachable_ ABSL_GUARDED_BY(mutex_);
  LogLimit refused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_RATE_LIMITER_H_
