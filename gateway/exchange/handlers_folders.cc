#include <utility>

#include "gateway/exchange/handlers.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {

boost::asio::awaitable<absl::StatusOr<FolderList>> ListFolders(Call& call, ListFoldersRequest) {
  store::v1::ListMailboxesRequest request;
  request.set_parent(call.session->account());
  request.set_with_counts(true);
  RMAIL_CO_ASSIGN_OR_RETURN(store::v1::ListMailboxesResponse response,
                            co_await call.session->Call(std::move(request)));
  FolderList list;
  for (store::v1::Mailbox& mailbox : *response.mutable_mailboxes()) {
    list.mailboxes.push_back(std::move(mailbox));
  }
  co_return list;
}

}  // namespace rmail::gateway::exchange
