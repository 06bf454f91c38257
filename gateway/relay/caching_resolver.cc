#include "gateway/relay/caching_resolver.h"

#include <algorithm>

namespace rmail::gateway::relay {
namespace {

constexpr absl::Duration kLongest = absl::Hours(1);
constexpr absl::Duration kNoSuchName = absl::Minutes(1);

}  // namespace

CachingResolver::CachingResolver(std::unique_ptr<Resolver> resolver, size_t capacity, Clock clock)
    : resolver_(std::move(resolver)),
      clock_(std::move(clock)),
      mx_(capacity),
      addresses_(capacity) {}

template <typename Answer>
void CachingResolver::Keep(AnswerCache<Answer>& cache, const std::string& name,
                           const absl::StatusOr<Answer>& answer) {
  absl::Duration ttl = absl::ZeroDuration();
  if (answer.ok()) ttl = std::min(answer->ttl, kLongest);
  if (absl::IsNotFound(answer.status())) ttl = kNoSuchName;
  if (ttl > absl::ZeroDuration()) cache.Put(name, answer, clock_() + ttl);
}

boost::asio::awaitable<absl::StatusOr<MxAnswer>> CachingResolver::LookUpMx(std::string domain) {
  if (auto known = mx_.Find(domain, clock_())) co_return *std::move(known);
  absl::StatusOr<MxAnswer> answer = co_await resolver_->LookUpMx(domain);
  Keep(mx_, domain, answer);
  co_return answer;
}

boost::asio::awaitable<absl::StatusOr<AddressAnswer>> CachingResolver::LookUpAddresses(
    std::string host) {
  if (auto known = addresses_.Find(host, clock_())) co_return *std::move(known);
  absl::StatusOr<AddressAnswer> answer = co_await resolver_->LookUpAddresses(host);
  Keep(addresses_, host, answer);
  co_return answer;
}

}  // namespace rmail::gateway::relay
