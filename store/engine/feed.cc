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
  MutexLock lock(&mutex_);
  Watched& watched = watched_[name];
  watched.mailbox = std::move(mailbox);
  watched.listeners.emplace(next_id_, std::move(listener));
  return next_id_++;
}

void Feed::Unsubscribe(const std::string& name, uint64_t id) {
  // Destroyed without the lock: it may be the mailbox's last owner.
  std::shared_ptr<Mailbox> mailbox;
  MutexLock lock(&mutex_);
  const auto found = watched_.find(name);
  if (found == watched_.end()) return;
  found->second.listeners.erase(id);
  if (found->second.listeners.empty()) {
    mailbox = std::move(found->second.mailbox);
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
    std::vector<std::pair<std::string, std::shared_ptr<Mailbox>>> mailboxes;
    {
      MutexLock lock(&mutex_);
      const absl::Time until = absl::Now() + poll_interval_;
      while (!stopping_ && absl::Now() < until) stop_.WaitFor(&mutex_, until - absl::Now());
      if (stopping_) return;
      for (const auto& [name, watched] : watched_) mailboxes.emplace_back(name, watched.mailbox);
    }
    // Poll reads what others appended and publishes it. A passing error is found out by whoever
    // uses the mailbox.
    for (const auto& [name, mailbox] : mailboxes) {
      if (ReasonOf(mailbox->Poll()) == store::v1::ERROR_REASON_MAILBOX_NOT_FOUND) {
        Publish(name, 0);
      }
    }
  }
}

}  // namespace rmail::engine
