// NOTIFY of a session (RFC 5465): watches what the client asked for and tells it what changes.
//
// What a watch hears is only noted and wakes the connection; the session's coroutine then looks
// what became of it and writes the answers, between two commands or while it idles.
#ifndef RMAIL_GATEWAY_IMAP_NOTIFICATIONS_H_
#define RMAIL_GATEWAY_IMAP_NOTIFICATIONS_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "gateway/common/connection.h"
#include "gateway/common/store_session.h"
#include "gateway/imap/mailbox_listing.h"
#include "gateway/imap/notify_changes.h"
#include "gateway/imap/notify_filter.h"
#include "gateway/imap/response_writer.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "store/base/mutex.h"

namespace rmail::gateway::imap {

// Belongs to the session's coroutine; only the watcher's callbacks come from elsewhere, and touch
// nothing but Signal.
class Notifications {
 public:
  // How answers are written, and what is not told of: `selected`, the store's name of the selected
  // mailbox or empty, is told of in other ways.
  struct Context {
    ResponseWriter& out;
    ListingOptions listing;
    bool condstore = false;
    // Mailboxes that may be watched.
    size_t max_mailboxes = 0;
    std::string selected;
  };

  // The watcher outlives it.
  Notifications(StoreSession store, client::Watcher& watcher,
                std::shared_ptr<Connection> connection, NotifyFilter filter);
  // Stops to watch.
  ~Notifications();
  Notifications(const Notifications&) = delete;
  Notifications& operator=(const Notifications&) = delete;

  // Starts to watch; with `status`, STATUS answers of the mailboxes watched are written. What
  // changes from now on is told. RESOURCE_EXHAUSTED: there are more than `max_mailboxes`.
  boost::asio::awaitable<absl::Status> Start(const Context& context, bool status);

  // Writes what has changed. What could not be looked up is tried again with the next Push.
  // RESOURCE_EXHAUSTED as above.
  boost::asio::awaitable<absl::Status> Push(const Context& context);

  const NotifyFilter& filter() const { return filter_; }
  // The client has changed these itself.
  AccountNames& names() { return names_; }
  AnnotationPrints& annotations(const std::string& name) { return annotations_[name]; }

  // The messages of the selection `id` from this UID on are new to the client; nullopt for a
  // selection that was not seen yet.
  std::optional<uint32_t> KnownUid(uint64_t id) const;
  void SetKnownUid(uint64_t id, uint32_t uid);

 private:
  // What the watcher has heard of since the last look.
  struct Signal {
    Mutex mutex;
    std::set<std::string> changed ABSL_GUARDED_BY(mutex);
    bool account ABSL_GUARDED_BY(mutex) = false;
    // The connection was woken and has not looked yet.
    bool woken ABSL_GUARDED_BY(mutex) = false;
  };
  struct Watched {
    uint64_t watch = 0;
    store::v1::MailboxCounts counts;
  };

  uint8_t EventsOf(const std::string& path) const {
    return filter_.EventsOf(path, names_.IsSubscribed(path));
  }
  // The callback of a watch: `name` is the mailbox's, empty for the account.
  absl::AnyInvocable<void(uint64_t)> Note(std::string name) const;
  void Watch(const std::string& name, const store::v1::MailboxCounts& counts);
  void WatchAccount();
  void Unwatch(const std::string& name);
  void AppendStatusOf(const Context& context, const store::v1::Mailbox& mailbox) const;
  boost::asio::awaitable<absl::Status> PushAccount(const Context& context);
  // Watches what is new, and no longer what is gone or of no interest any more.
  boost::asio::awaitable<absl::Status> UpdateWatches(const Context& context);
  boost::asio::awaitable<absl::Status> PushMailbox(const Context& context, const std::string& name);
  // Looks at all annotations that are of interest, and tells what changed or not.
  boost::asio::awaitable<absl::Status> PushMetadata(const Context& context, bool tell);
  boost::asio::awaitable<absl::Status> PushMetadataOf(const Context& context,
                                                      const std::string& name,
                                                      const std::string& path, bool tell);

  const StoreSession store_;
  client::Watcher& watcher_;
  const std::weak_ptr<Connection> connection_;
  const boost::asio::any_io_executor executor_;
  const NotifyFilter filter_;
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();

  std::optional<uint64_t> account_watch_;
  // By the store's name.
  std::map<std::string, Watched> watched_;
  AccountNames names_;
  std::map<std::string, AnnotationPrints> annotations_;
  uint64_t selection_ = 0;
  uint32_t known_uid_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_NOTIFICATIONS_H_
