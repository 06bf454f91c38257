#include "gateway/common/rate_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/status/statusor.h"
#include "gateway/common/await_callback.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway {
namespace {

using store::v1::CountEventsRequest;
using store::v1::CountEventsResponse;
using store::v1::LimitedEvent;

constexpr absl::Duration kTimeout = absl::Seconds(2);
constexpr std::chrono::seconds kTellUnreachable{60};
constexpr std::chrono::seconds kTellRefused{10};

}  // namespace

LimitedEvent MakeEvent(std::string_view family, std::string_view name, uint32_t limit,
                       absl::Duration window) {
  LimitedEvent event;
  event.set_key(fmt::format("{}/{}", family, name));
  event.set_count(1);
  event.set_limit(limit);
  event.set_window_seconds(static_cast<uint32_t>(absl::ToInt64Seconds(window)));
  return event;
}

RateLimiter::RateLimiter(client::StoreClient& store, client::TokenSource token)
    : store_(store),
      token_(std::move(token)),
      unreachable_(kTellUnreachable),
      refused_(kTellRefused) {}

void RateLimiter::TellUnreachable(const absl::Status& why) {
  MutexLock lock(&mutex_);
  if (const size_t count = unreachable_.Count(); count > 0) {
    LogWarning("limits cannot be counted ({} times), nothing is refused: {}", count,
               FromAbsl(why.message()));
  }
}

void RateLimiter::TellRefused(const LimitedEvent& event, const Verdict& verdict) {
  MutexLock lock(&mutex_);
  if (const size_t count = refused_.Count(); count > 0) {
    LogInfo("{} is over its limit for {} s ({} refusals in all)", event.key(),
            absl::ToInt64Seconds(verdict.retry_after), count);
  }
}

boost::asio::awaitable<RateLimiter::Verdict> RateLimiter::Count(std::vector<LimitedEvent> events) {
  Verdict verdict;
  if (events.empty()) co_return verdict;
  client::CallOptions options;
  options.token = token_();
  options.account = events[0].key();
  options.timeout = kTimeout;
  CountEventsRequest request;
  for (LimitedEvent& event : events) *request.add_events() = std::move(event);
  const absl::StatusOr<CountEventsResponse> response =
      co_await AwaitCallback<absl::StatusOr<CountEventsResponse>>(
          [&](auto done) { store_.Call(options, request, std::move(done)); });
  if (!response.ok()) {
    TellUnreachable(response.status());
    co_return verdict;
  }
  verdict.allowed = response->allowed();
  verdict.refused = std::min<size_t>(response->refused(), events.size() - 1);
  verdict.retry_after = absl::Seconds(response->retry_after_seconds());
  verdict.locked_out = response->locked_out();
  if (!verdict.allowed) {
    TellRefused(request.events(static_cast<int>(verdict.refused)), verdict);
  }
  co_return verdict;
}

}  // namespace rmail::gateway
