// A resolver that remembers answers for as long as they hold.
#ifndef RMAIL_GATEWAY_RELAY_CACHING_RESOLVER_H_
#define RMAIL_GATEWAY_RELAY_CACHING_RESOLVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/relay/resolver.h"
#include "store/base/mutex.h"

namespace rmail::gateway::relay {

// Answers by name, `capacity` to twice that many. Thread-safe.
template <typename Answer>
class AnswerCache {
 public:
  explicit AnswerCache(size_t capacity) : capacity_(capacity) {}

  std::optional<absl::StatusOr<Answer>> Find(const std::string& name, absl::Time now) {
    MutexLock lock(&mutex_);
    for (const Entries* entries : {&young_, &old_}) {
      const auto found = entries->find(name);
      if (found != entries->end() && now < found->second.expires) return found->second.answer;
    }
    return std::nullopt;
  }

  void Put(const std::string& name, absl::StatusOr<Answer> answer, absl::Time expires) {
    MutexLock lock(&mutex_);
    // When it is full, the younger half stays: no search for what to drop.
    if (young_.size() >= capacity_) old_ = std::exchange(young_, {});
    young_.insert_or_assign(name, Entry{std::move(answer), expires});
  }

 private:
  struct Entry {
    absl::StatusOr<Answer> answer;
    absl::Time expires;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  const size_t capacity_;
  Mutex mutex_;
  Entries young_ ABSL_GUARDED_BY(mutex_);
  Entries old_ ABSL_GUARDED_BY(mutex_);
};

// Answers are kept for their time, an hour at most; "no such name" for a minute; failures not at
// all.
class CachingResolver : public Resolver {
 public:
  using Clock = std::function<absl::Time()>;

  explicit CachingResolver(std::unique_ptr<Resolver> resolver, size_t capacity = 4096,
                           Clock clock = &absl::Now);

  boost::asio::awaitable<absl::StatusOr<MxAnswer>> LookUpMx(std::string domain) override;
  boost::asio::awaitable<absl::StatusOr<AddressAnswer>> LookUpAddresses(std::string host) override;

 private:
  template <typename Answer>
  void Keep(AnswerCache<Answer>& cache, const std::string& name,
            const absl::StatusOr<Answer>& answer);

  const std::unique_ptr<Resolver> resolver_;
  const Clock clock_;
  AnswerCache<MxAnswer> mx_;
  AnswerCache<AddressAnswer> addresses_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_CACHING_RESOLVER_H_
