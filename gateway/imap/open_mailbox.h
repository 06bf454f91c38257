// The selected mailbox and its tie to the store: keeps the client's view in step.
#ifndef RMAIL_GATEWAY_IMAP_OPEN_MAILBOX_H_
#define RMAIL_GATEWAY_IMAP_OPEN_MAILBOX_H_

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gateway/common/connection.h"
#include "gateway/common/store_session.h"
#include "gateway/imap/search_contexts.h"
#include "gateway/imap/selected_mailbox.h"

namespace rmail::gateway::imap {

// Belongs to the session's coroutine; only the watcher's callback comes from elsewhere, and touches
// nothing but Signal.
class OpenMailbox {
 public:
  // `watcher` outlives it. `name` is the store's name of the mailbox.
  OpenMailbox(StoreSession store, client::Watcher& watcher, std::string name, bool read_only);
  // Stops to watch.
  ~OpenMailbox();
  OpenMailbox(const OpenMailbox&) = delete;
  OpenMailbox& operator=(const OpenMailbox&) = delete;

  SelectedMailbox& view() { return view_; }
  // Once it is open: no other selection of this gateway has or had it. Not 0.
  uint64_t id() const { return watch_; }
  // Searches whose results the client is told changes of; they end with the selection (RFC 5267).
  SearchContexts& searches() { return searches_; }

  // The first sync, after which nothing is left to report, and the start of the watch. A mailbox
  // that changes wakes the connection while IDLE lasts.
  boost::asio::awaitable<absl::Status> Open(std::shared_ptr<Connection> connection);

  // Takes what changed from the store. On an error the view stays usable, and the next Sync starts
  // over.
  boost::asio::awaitable<absl::Status> Sync();
  // The same, if the watcher has heard of a change since the last Sync, or the last Sync failed.
  boost::asio::awaitable<absl::Status> SyncIfChanged();

  // The mailbox is gone, has been replaced, or may not be seen any more: the client's view is of no
  // use.
  bool lost() const { return lost_; }

  // While idling, a change calls Connection::Wake.
  void SetIdling(bool idling);
  bool changed() const { return signal_->changed || signal_->modseq > view_.modseq(); }

 private:
  struct Signal {
    // In a way that no modseq tells.
    std::atomic<bool> changed = false;
    // The highest modseq that the watcher has told.
    std::atomic<uint64_t> modseq = 0;
    std::atomic<bool> idling = false;
  };
  boost::asio::awaitable<absl::Status> ReadChanges();

  const StoreSession store_;
  client::Watcher& watcher_;
  SelectedMailbox view_;
  SearchContexts searches_;
  // Shared with the watcher's callback.
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  uint64_t watch_ = 0;
  bool watching_ = false;
  bool lost_ = false;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_OPEN_MAILBOX_H_
