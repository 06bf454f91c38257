// The rate limits, as a session meets them.
#ifndef RMAIL_GATEWAY_SMTP_RATE_CHECK_H_
#define RMAIL_GATEWAY_SMTP_RATE_CHECK_H_

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "gateway/smtp/rate_limits.h"
#include "gateway/smtp/session.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

// Counts what the client does. nullopt: it may; else the reply that refuses it for now. LMTP's
// client brings what another server has taken: nothing limits it.
boost::asio::awaitable<std::optional<Reply>> CheckRate(Session& session, RateKind kind);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_RATE_CHECK_H_
