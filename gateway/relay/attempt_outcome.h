// What an attempt means for a recipient: for the queue, and for the sender. Pure.
#ifndef RMAIL_GATEWAY_RELAY_ATTEMPT_OUTCOME_H_
#define RMAIL_GATEWAY_RELAY_ATTEMPT_OUTCOME_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gateway/relay/delivery_report.h"
#include "gateway/relay/retry_schedule.h"
#include "gateway/relay/transport.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::relay {

// Recipients of a message that one server is responsible for.
struct Destination {
  // In lower case; empty for addresses that have none.
  std::string domain;
  // Places in the envelope.
  std::vector<int> recipients;
};

// The recipients that are due, by domain. The one that is due first always counts as due: the
// store's clock, which has leased the message, may be ahead of ours.
std::vector<Destination> DueDestinations(const store::v1::QueuedMessage& message, absl::Time now);

struct Outcome {
  store::v1::RecipientReport report;
  // What the sender is to be told before the report is given; nullopt: nothing.
  std::optional<ReportAction> notice;
  ReportedRecipient told;
};

// The outcome of an attempt at recipient `index`. `local`: an answer of 2yz means that it is in a
// mailbox here.
Outcome ConcludeAttempt(const store::v1::QueuedMessage& message, int index,
                        const Delivered& delivered, bool local, const RetryPolicy& policy,
                        absl::Time now);

// What to report of a recipient whose sender can't be told what became of it: it is tried again
// later. nullopt: the message has waited for that far too long.
std::optional<store::v1::RecipientReport> PostponeOutcome(const store::v1::QueuedMessage& message,
                                                          const Outcome& outcome,
                                                          const RetryPolicy& policy,
                                                          absl::Time now);

// Enters a report into the message, as the store will: what is settled stays so.
void ApplyReport(const store::v1::RecipientReport& report, store::v1::QueuedMessage& message);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_ATTEMPT_OUTCOME_H_
