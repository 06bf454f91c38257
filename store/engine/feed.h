// Who wants to know of changes, and the watch for changes that other processes make.
#ifndef RMAIL_STORE_ENGINE_FEED_H_
#define RMAIL_STORE_ENGINE_FEED_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/base/mutex.h"
#include "store/engine/mailbox.h"

namespace rmail::engine {

// Thread-safe. A change by this process is told at once. Each mailbox or account that somebody
// listens to is looked at every `poll_interval`, which finds what other processes of the same
// mail_root did.
class Feed {
 public:
  // Told the highest modseq, or an account's number of changes; 0 when it is gone. Runs under the
  // feed's lock: it must not block nor call the feed.
  using Listener = std::function<void(uint64_t highest_modseq)>;
  // Looks at what is watched, which it keeps alive, and publishes what others did. It runs without
  // the feed's lock. MAILBOX_NOT_FOUND, ACCOUNT_NOT_FOUND: it is gone.
  using PollFunction = std::function<absl::Status()>;

  explicit Feed(absl::Duration poll_interval = absl::Milliseconds(250));
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // `name` is the resource name of the mailbox or account.
  uint64_t Subscribe(const std::string& name, std::shared_ptr<Mailbox> mailbox, Listener listener);
  uint64_t Subscribe(const std::string& name, PollFunction poll, Listener listener);
  // When it returns, the listener is not running and will not run again.
  void Unsubscribe(const std::string& name, uint64_t id);

  void Publish(const std::string& name, uint64_t highest_modseq);

 private:
  struct Watched {
    std::shared_ptr<const PollFunction> poll;
    std::map<uint64_t, Listener> listeners;
  };

  void Poll();

  const absl::Duration poll_interval_;
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::flat_hash_map<std::string, Watched> watched_ ABSL_GUARDED_BY(mutex_);
  std::thread poller_;  // Last: it uses all of the above.
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_FEED_H_
