#include "gateway/relay/report_delivery.h"

#include <string>
#include <utility>

#include "gateway/smtp/outcome.h"
#include "store/base/error.h"
#include "store/base/logging.h"

namespace rmail::gateway::relay {
namespace {

namespace pb = ::rmail::store::v1;
using boost::asio::awaitable;

ReportFate Failed(const DeliveryReport& report, const smtp::Reply& reply) {
  if (smtp::IsTransient(reply)) return ReportFate::kNotNow;
  LogWarning("relay: {} the sender <{}> can't be told: {} {}", report.trace_id, report.sender,
             reply.enhanced, reply.text);
  return ReportFate::kUndeliverable;
}

void QueueFor(const std::string& address, pb::DeliverHeader& header) {
  pb::QueueRecipient& recipient = *header.mutable_queue()->add_recipients();
  recipient.set_address(address);
  recipient.set_notify(pb::QueueRecipient::NOTIFY_NEVER);
}

// Where the sender's mail goes, as the header of a delivery; an error when it is nobody's.
absl::StatusOr<pb::DeliverHeader> HeaderFor(
    const std::string& sender, const absl::StatusOr<pb::ResolveRecipientResponse>& resolved) {
  pb::DeliverHeader header;
  // What can't be an account's address is no local one.
  const bool foreign = resolved.ok()
                           ? !resolved->local()
                           : ReasonOf(resolved.status()) == pb::ERROR_REASON_INVALID_ADDRESS;
  if (foreign) {
    QueueFor(sender, header);
    return header;
  }
  if (!resolved.ok()) return resolved.status();
  *header.mutable_recipients() = resolved->accounts();
  for (const std::string& address : resolved->external()) QueueFor(address, header);
  return header;
}

// What became of a delivery none of whose copies may have been stored.
ReportFate FateOf(const DeliveryReport& report, const pb::DeliverMessageResponse& response) {
  if (!response.queued().empty() || smtp::AnyDelivered(response)) return ReportFate::kStored;
  smtp::Reply reply = smtp::ReplyFor(pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  for (const pb::DeliveryResult& result : response.results()) {
    reply = smtp::ReplyFor(ReasonFromName(result.reason()));
    if (smtp::IsTransient(reply)) break;
  }
  return Failed(report, reply);
}

}  // namespace

awaitable<ReportFate> DeliverReport(RelayStore& store, DeliveryReport report, bool require_tls) {
  absl::StatusOr<pb::DeliverHeader> header =
      HeaderFor(report.sender, co_await store.Resolve(report.sender));
  if (!header.ok()) co_return Failed(report, smtp::ReplyFor(header.status()));
  ComposedReport composed = ComposeReport(report);
  DescribeReport(report, composed, require_tls, *header);
  const auto response = co_await store.Deliver(
      *std::move(header), std::make_unique<StringSource>(std::move(composed.message)));
  if (!response.ok()) co_return Failed(report, smtp::ReplyFor(response.status()));
  co_return FateOf(report, *response);
}

}  // namespace rmail::gateway::relay
