#include "gateway/smtp/rate_limits.h"

#include <algorithm>
#include <limits>

#include "absl/time/time.h"
#include "gateway/common/rate_limiter.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::LimitedEvent;

struct Kind {
  std::string_view by_address;
  std::string_view by_network;
  std::string_view by_account;
  uint32_t RateLimits::* limit;
  uint32_t RateLimits::* account_limit;
  absl::Duration window;
};

Kind KindOf(RateKind kind) {
  switch (kind) {
    case RateKind::kMessage:
      return {"smtp-message/address",
              "smtp-message/network",
              "smtp-message/account",
              &RateLimits::messages_per_hour,
              &RateLimits::account_messages_per_hour,
              absl::Hours(1)};
    case RateKind::kRecipient:
      return {"smtp-recipient/address",
              "smtp-recipient/network",
              "smtp-recipient/account",
              &RateLimits::recipients_per_hour,
              &RateLimits::account_recipients_per_hour,
              absl::Hours(1)};
    case RateKind::kConnection:
      break;
  }
  // Nobody has authenticated yet.
  return {"smtp-connection/address",
          "smtp-connection/network",
          "",
          &RateLimits::connections_per_minute,
          nullptr,
          absl::Minutes(1)};
}

uint32_t OfNetwork(const RateLimits& limits, uint32_t limit) {
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(std::min(kMax, uint64_t{limit} * limits.network_factor));
}

}  // namespace

std::vector<LimitedEvent> RateEvents(const RateLimits& limits, RateKind kind, std::string_view peer,
                                     std::string_view account) {
  std::vector<LimitedEvent> events;
  if (!limits.enabled || std::any_of(limits.exempt.begin(), limits.exempt.end(),
                                     [&](const AddressRange& r) { return r.Contains(peer); })) {
    return events;
  }
  const Kind row = KindOf(kind);
  const auto add = [&](std::string_view family, std::string_view name, uint32_t limit) {
    if (limit != 0) events.push_back(MakeEvent(family, name, limit, row.window));
  };
  if (!account.empty() && row.account_limit != nullptr) {
    add(row.by_account, account.substr(account.find('/') + 1), limits.*row.account_limit);
    return events;
  }
  const uint32_t limit = limits.*row.limit;
  add(row.by_address, ClientName(peer), limit);
  add(row.by_network, NetworkName(peer), OfNetwork(limits, limit));
  return events;
}

}  // namespace rmail::gateway::smtp
