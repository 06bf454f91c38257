#include "gateway/imap/open_mailbox.h"

#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

OpenMailbox::OpenMailbox(StoreSession store, client::Watcher& watcher, std::string name,
                         bool read_only)
    : store_(std::move(store)), watcher_(watcher), view_(std::move(name), read_only) {}

OpenMailbox::~OpenMailbox() {
  if (watching_) watcher_.Unwatch(watch_);
}

boost::asio::awaitable<absl::Status> OpenMailbox::Open(std::shared_ptr<Connection> connection) {
  RMAIL_CO_RETURN_IF_ERROR(co_await ReadChanges());
  view_.ForgetChanges();
  // The token is asked for whenever a stream starts, as long as this session lasts.
  watch_ = watcher_.Watch(
      view_.name(), [store = store_] { return store.token(); }, view_.modseq(),
      [signal = signal_, weak = std::weak_ptr<Connection>(connection),
       executor = connection->Executor()](uint64_t modseq) {
        // Only the watcher writes it, one call at a time.
        if (modseq == 0) {
          signal->changed = true;
        } else if (modseq > signal->modseq) {
          signal->modseq = modseq;
        }
        if (!signal->idling) return;
        boost::asio::post(executor, [weak] {
          if (const std::shared_ptr<Connection> connection = weak.lock()) connection->Wake();
        });
      });
  watching_ = true;
  co_return absl::OkStatus();
}

boost::asio::awaitable<absl::Status> OpenMailbox::Sync() {
  // Before the call: a change that the call misses sets it again.
  signal_->changed = false;
  absl::Status status = co_await ReadChanges();
  if (!status.ok()) signal_->changed = true;
  switch (ReasonOf(status)) {
    case store::v1::ERROR_REASON_MAILBOX_NOT_FOUND:
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
    case store::v1::ERROR_REASON_NOT_PERMITTED:
    case store::v1::ERROR_REASON_BAD_TOKEN:
      lost_ = true;
      break;
    default:
      break;
  }
  co_return status;
}

boost::asio::awaitable<absl::Status> OpenMailbox::SyncIfChanged() {
  if (!changed()) co_return absl::OkStatus();
  co_return co_await Sync();
}

boost::asio::awaitable<absl::Status> OpenMailbox::ReadChanges() {
  const store::v1::SyncMailboxRequest request = view_.SyncRequest();
  auto stream = store_.Read(request);
  while (true) {
    RMAIL_CO_ASSIGN_OR_RETURN(const std::optional<store::v1::SyncMailboxResponse> response,
                              co_await stream.Next());
    if (!response) break;
    if (!view_.Apply(*response)) {
      lost_ = true;
      co_return MakeStatus(absl::StatusCode::kFailedPrecondition, "UIDVALIDITY has changed");
    }
  }
  view_.FinishSync();
  co_return absl::OkStatus();
}

void OpenMailbox::SetIdling(bool idling) { signal_->idling = idling; }

}  // namespace rmail::gateway::imap
