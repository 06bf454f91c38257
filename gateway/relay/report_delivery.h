// Brings a delivery report to the sender, wherever that is.
#ifndef RMAIL_GATEWAY_RELAY_REPORT_DELIVERY_H_
#define RMAIL_GATEWAY_RELAY_REPORT_DELIVERY_H_

#include <boost/asio/awaitable.hpp>

#include "gateway/relay/delivery_report.h"
#include "gateway/relay/relay_store.h"

namespace rmail::gateway::relay {

enum class ReportFate {
  // It is in a mailbox or in the queue, on disk.
  kStored,
  // Nobody can ever be told: there is no such sender. It is logged.
  kUndeliverable,
  // The store can't take it now.
  kNotNow,
};

// Composes and stores it: in the sender's mailboxes when it is one of ours, else in the queue. Its
// reverse-path is null. `require_tls`: the message that it is about came with REQUIRETLS, and so
// must the report (RFC 8689, 5).
boost::asio::awaitable<ReportFate> DeliverReport(RelayStore& store, DeliveryReport report,
                                                 bool require_tls);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_REPORT_DELIVERY_H_
