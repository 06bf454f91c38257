#include "gateway/smtp/tell_sender.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/smtp/delivery.h"
#include "store/base/logging.h"

namespace rmail::smtp {
namespace {

// The sender's accounts; none when the sender is null, not local or nobody.
boost::asio::awaitable<std::vector<std::string>> SendersAccounts(const gateway::StoreSession& store,
                                                                 const std::string& sender) {
  std::vector<std::string> accounts;
  if (sender.empty()) co_return accounts;
  store::v1::ResolveRecipientRequest request;
  request.set_address(sender);
  const auto resolved = co_await store.Call(std::move(request));
  if (resolved.ok()) {
    accounts.assign(resolved->accounts().begin(), resolved->accounts().end());
  }
  co_return accounts;
}

boost::asio::awaitable<bool> Store(const gateway::StoreSession& store, const NonDelivery& notice) {
  std::vector<std::string> accounts = co_await SendersAccounts(store, notice.sender);
  if (accounts.empty()) co_return false;
  // Our own text needs no verdict.
  const MessagePolicy policy{UINT64_MAX, UINT64_MAX, UINT32_MAX};
  Delivery delivery(store, std::move(accounts), ComposeNonDelivery(notice), policy);
  const auto answer = co_await delivery.Finish();
  const auto* response = std::get_if<store::v1::DeliverMessageResponse>(&answer);
  co_return response != nullptr&& AnyDelivered(*response);
}

}  // namespace

boost::asio::awaitable<void> TellSender(gateway::StoreSession store, NonDelivery notice) {
  if (co_await Store(store, notice)) co_return;
  std::string recipients;
  for (const FailedRecipient& failed : notice.failed) {
    recipients +=
        fmt::format(" <{}> ({} {})", failed.address, failed.reply.code, failed.reply.enhanced);
  }
  LogWarning("smtp: {} not stored for{}; the sender <{}> could not be told", notice.id, recipients,
             notice.sender);
}

}  // namespace rmail::smtp
