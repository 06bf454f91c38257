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
#include "gateway/smtp/outcome.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

// Where reports go.
store::v1::DeliverHeader HeaderFor(const std::string& sender,
                                   const store::v1::ResolveRecipientResponse& resolved,
                                   const Notices& notices) {
  store::v1::DeliverHeader header;
  for (const std::string& account : resolved.accounts()) header.add_recipients(account);
  if (!notices.relay) return header;
  std::vector<std::string> external(resolved.external().begin(), resolved.external().end());
  if (!resolved.local()) external.push_back(sender);
  for (const std::string& address : external) {
    header.mutable_queue()->add_recipients()->set_address(address);
  }
  return header;
}

boost::asio::awaitable<bool> Store(const gateway::StoreSession& store,
                                   const relay::DeliveryReport& report, bool require_tls,
                                   store::v1::DeliverHeader header) {
  relay::ComposedReport composed = relay::ComposeReport(report);
  relay::DescribeReport(report, composed, require_tls, header);
  DeliveryPlan plan;
  plan.header = std::move(header);
  // Our own text needs no verdict.
  plan.policy = {UINT64_MAX, UINT64_MAX, UINT32_MAX, /*binary=*/true};
  Delivery delivery(store, std::move(plan));
  co_await delivery.Add(composed.message);
  const auto answer = co_await delivery.Finish();
  const auto* response = std::get_if<store::v1::DeliverMessageResponse>(&answer);
  co_return response != nullptr&& AnyDelivered(*response);
}

void LogUntold(const relay::DeliveryReport& report) {
  std::string recipients;
  for (const relay::ReportedRecipient& recipient : report.recipients) {
    recipients += fmt::format(" <{}> ({} {})", recipient.address, recipient.reply.code,
                              recipient.reply.enhanced);
  }
  LogWarning("smtp: {} no notice to the sender <{}> about{}", report.trace_id, report.sender,
             recipients);
}

boost::asio::awaitable<bool> Tell(AddressLookup& addresses, gateway::StoreSession store,
                                  Notices notices) {
  const std::string sender = notices.reports.front().sender;
  const auto resolved = co_await addresses.Resolve(sender);
  bool told = true;
  for (const relay::DeliveryReport& report : notices.reports) {
    store::v1::DeliverHeader header;
    if (resolved.ok()) header = HeaderFor(sender, *resolved, notices);
    const bool reachable = header.recipients_size() > 0 || header.has_queue();
    if (reachable && co_await Store(store, report, notices.require_tls, std::move(header)))
      continue;
    LogUntold(report);
    told = false;
  }
  co_return told;
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

TellSender::TellSender(boost::asio::any_io_executor executor, AddressLookup& addresses,
                       gateway::StoreSession store, Notices notices)
    : state_(std::make_shared<State>(executor)) {
  boost::asio::co_spawn(executor, Tell(addresses, std::move(store), std::move(notices)),
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
