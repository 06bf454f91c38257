// How much mail a client, its network or an account may bring, counted by all gateways together.
#ifndef RMAIL_GATEWAY_SMTP_RATE_LIMITS_H_
#define RMAIL_GATEWAY_SMTP_RATE_LIMITS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/common/client_address.h"
#include "rmail/store/v1/limit.pb.h"

namespace rmail::gateway::smtp {

// The limits; 0: none. No family and no mailing list's server comes near them.
struct RateLimits {
  bool enabled = true;
  // Of a client (ClientName) that has not authenticated.
  uint32_t connections_per_minute = 300;
  uint32_t messages_per_hour = 3'000;
  uint32_t recipients_per_hour = 10'000;
  // A network (NetworkName) may do so many times as much as one of its clients; 0: whatever it
  // likes.
  uint32_t network_factor = 4;
  // Of an account, wherever its user is.
  uint32_t account_messages_per_hour = 500;
  uint32_t account_recipients_per_hour = 2'000;
  // Clients without limits.
  std::vector<AddressRange> exempt;
};

enum class RateKind { kConnection, kMessage, kRecipient };

// What a client at `peer` does, for RateLimiter::Count. `account` (`accounts/{user@domain}`) is who
// has authenticated, or empty. Empty: nothing limits it. Pure.
std::vector<store::v1::LimitedEvent> RateEvents(const RateLimits& limits, RateKind kind,
                                                std::string_view peer, std::string_view account);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_RATE_LIMITS_H_
