#include "gateway/exchange/folder_lookup.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "gateway/exchange/message_id.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

namespace asio = boost::asio;

// The folder as it is now: what is known of it and what changed since.
asio::awaitable<absl::StatusOr<std::shared_ptr<const FolderState>>> SyncFolder(
    Call& call, std::string mailbox) {
  std::shared_ptr<const FolderState> known = call.folders.Get(mailbox);
  store::v1::SyncMailboxRequest request;
  request.set_mailbox(mailbox);
  if (known != nullptr) {
    request.set_uid_validity(known->mailbox.counts().uid_validity());
    request.set_since_modseq(known->mailbox.counts().highest_modseq());
  }
  FolderUpdate update(known);
  gateway::Stream<store::v1::SyncMailboxResponse> stream = call.session->Read(request);
  for (;;) {
    RMAIL_CO_ASSIGN_OR_RETURN(std::optional<store::v1::SyncMailboxResponse> answer,
                              co_await stream.Next());
    if (!answer.has_value()) break;
    update.Add(*answer);
  }
  RMAIL_CO_ASSIGN_OR_RETURN(std::shared_ptr<const FolderState> state, update.Finish());
  call.folders.Put(mailbox, state);
  co_return state;
}

}  // namespace

asio::awaitable<absl::StatusOr<std::shared_ptr<const FolderState>>> FindFolder(Call& call,
                                                                               std::string folder) {
  const std::string& account = call.session->account();
  // What most ask for is surely a path: RFC 9051, 5.1.
  if (IsMailboxId(folder) && !absl::EqualsIgnoreCase(folder, "INBOX")) {
    absl::StatusOr<std::shared_ptr<const FolderState>> state =
        co_await SyncFolder(call, MailboxName(account, folder));
    if (state.ok() || ReasonOf(state.status()) != ErrorReason::ERROR_REASON_MAILBOX_NOT_FOUND) {
      co_return state;
    }
  }
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent(account);
  request.mutable_path()->set_path(std::move(folder));
  RMAIL_CO_ASSIGN_OR_RETURN(store::v1::GetMailboxResponse response,
                            co_await call.session->Call(std::move(request)));
  co_return co_await SyncFolder(call, response.mailbox().name());
}

}  // namespace rmail::gateway::exchange
