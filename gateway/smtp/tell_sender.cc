#include "gateway/smtp/tell_sender.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>

#include "gateway/smtp/delivery.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

// The sender's accounts; none when the sender is not local or nobody.
boost::asio::awaitable<std::vector<std::string>> SendersAccounts(const gateway::StoreSession& store,
                                                                 const std::string& sender) {
  std::vector<std::string> accounts;
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

boost::asio::awaitable<bool> Tell(gateway::StoreSession store, NonDelivery notice) {
  const bool null_sender = notice.sender.empty();
  if (!null_sender && co_await Store(store, notice)) co_return true;
  std::string recipients;
  for (const FailedRecipient& failed : notice.failed) {
    recipients +=
        fmt::format(" <{}> ({} {})", failed.address, failed.reply.code, failed.reply.enhanced);
  }
  LogWarning("smtp: {} not stored for{}; no notice to the sender <{}>", notice.id, recipients,
             notice.sender);
  co_return null_sender;
}

}  // namespace

struct TellSender::State {
  explicit State(const boost::asio::any_io_executor& executor) : wake(executor) {}

  boost::asio::awaitable<void> Wait(boost::asio::steady_timer::duration time) {
    if (ended) co_return;
    wake.expires_after(time);
    co_await wake.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

  // Cancelled at the end of the calls.
  boost::asio::steady_timer wake;
  bool ended = false;
  bool told = false;
};

TellSender::TellSender(boost::asio::any_io_executor executor, gateway::StoreSession store,
                       NonDelivery notice)
    : state_(std::make_shared<State>(executor)) {
  boost::asio::co_spawn(executor, Tell(std::move(store), std::move(notice)),
                        [state = state_](const std::exception_ptr& thrown, bool told) {
                          state->told = thrown == nullptr && told;
                          state->ended = true;
                          state->wake.cancel();
                        });
}

boost::asio::awaitable<bool> TellSender::Told(absl::Duration patience) {
  co_await state_->Wait(absl::ToChronoNanoseconds(patience));
  co_return state_->told;
}

boost::asio::awaitable<void> TellSender::End() {
  while (!state_->ended) co_await state_->Wait(std::chrono::minutes(1));
}

}  // namespace rmail::gateway::smtp
