#include "gateway/imap/mailbox_lookup.h"

#include <utility>

#include "store/base/status.h"

namespace rmail::gateway::imap {

boost::asio::awaitable<absl::StatusOr<store::v1::Mailbox>> FindMailbox(const StoreSession& store,
                                                                       std::string path) {
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent(store.account());
  request.mutable_path()->set_path(std::move(path));
  RMAIL_CO_ASSIGN_OR_RETURN(store::v1::GetMailboxResponse found,
                            co_await store.Call(std::move(request)));
  co_return std::move(*found.mutable_mailbox());
}

boost::asio::awaitable<absl::StatusOr<store::v1::ListMailboxesResponse>> ListAllMailboxes(
    const StoreSession& store, bool with_counts) {
  store::v1::ListMailboxesRequest request;
  request.set_parent(store.account());
  request.set_with_counts(with_counts);
  co_return co_await store.Call(std::move(request));
}

}  // namespace rmail::gateway::imap
