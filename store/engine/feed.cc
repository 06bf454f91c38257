#include "store/engine/feed.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"

namespace rmail::engine {

Feed::Feed(absl::Duration poll_interval)
    : poll_interval_(poll_interval), poller_([this] { Poll(); }) {}

Feed::~Feed() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    stop_.SignalAll();
  }
  poller_.join();
}

uint64_t Feed::Subscribe(const std::string& name, std::shared_ptr<Mailbox> mailbox,
                         Listener listener) {
  return Subscribe(
      name, [mailbox = std::move(mailbox)] { return mailbox->Poll(); }, std::move(listener));
}

uint64_t Feed::Subscribe(const std::string& name, PollFunction poll, Listener listener) {
  // What was there before is destroyed without the lock: it may be the mailbox's last owner.
  auto shared = std::make_shared<const PollFunction>(std::move(poll));
  MutexLock lock(&mutex_);
  Watched& watched = watched_[name];
  watched.poll.swap(shared);
  watched.listeners.emplace(next_id_, std::move(listener));
  return next_id_++;
}

void Feed::Unsubscribe(const std::string& name, uint64_t id) {
  // Destroyed without the lock, as in Subscribe.
  std::shared_ptr<const PollFunction> poll;
  MutexLock lock(&mutex_);
  const auto found = watched_.find(name);
  if (found == watched_.end()) return;
  found->second.listeners.erase(id);
  if (found->second.listeners.empty()) {
    poll = std::move(found->second.poll);
    watched_.erase(found);
  }
}

void Feed::Publish(const std::string& name, uint64_t highest_modseq) {
  MutexLock lock(&mutex_);
  const auto found = watched_.find(name);
  if (found == watched_.end()) return;
  for (const auto& [id, listener] : found->second.listeners) listener(highest_modseq);
}

void Feed::Poll() {
  while (true) {
    std::vector<std::pair<std::string, std::shared_ptr<const PollFunction>>> polls;
    {
      MutexLock lock(&mutex_);
      const absl::Time until = absl::Now() + poll_interval_;
      while (!stopping_ && absl::Now() < until) stop_.WaitFor(&mutex_, until - absl::Now());
      if (stopping_) return;
      for (const auto& [name, watched] : watched_) polls.emplace_back(name, watched.poll);
    }
    // It reads what others did and publishes it. A passing error is found out by whoever uses the
    // mailbox.
    for (const auto& [name, poll] : polls) {
      const ErrorReason reason = ReasonOf((*poll)());
      if (reason == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND ||
          reason == store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND) {
        Publish(name, 0);
      }
    }
  }
}

}  // namespace rmail::engine
