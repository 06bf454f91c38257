#include "gateway/smtp/rate_check.h"

#include <string>
#include <utility>
#include <vector>

#include "gateway/common/rate_limiter.h"

namespace rmail::gateway::smtp {
namespace {

Reply Refusal(const Session& session, RateKind kind) {
  switch (kind) {
    case RateKind::kMessage:
      return {450, "4.7.1", "Too many messages, try again later"};
    case RateKind::kRecipient:
      return {450, "4.7.1", "Too many recipients, try again later"};
    case RateKind::kConnection:
      break;
  }
  return {421, "4.7.0", session.options().hostname + " Too many connections, try again later"};
}

}  // namespace

boost::asio::awaitable<std::optional<Reply>> CheckRate(Session& session, RateKind kind) {
  if (session.lmtp()) co_return std::nullopt;
  const auto& login = session.state().login;
  std::vector<store::v1::LimitedEvent> events =
      RateEvents(session.options().rate_limits, kind, session.connection().peer(),
                 login.has_value() ? login->account : "");
  const gateway::RateLimiter::Verdict verdict =
      co_await session.store().limiter().Count(std::move(events));
  if (verdict.allowed) co_return std::nullopt;
  co_return Refusal(session, kind);
}

}  // namespace rmail::gateway::smtp
