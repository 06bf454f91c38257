#include "gateway/relay/attempt_outcome.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "gateway/relay/report_fields.h"

namespace rmail::gateway::relay {
namespace {

namespace pb = ::rmail::store::v1;
using pb::QueuedMessage;
using pb::QueueRecipient;

// Clocks of one site differ by less.
constexpr absl::Duration kClockSkew = absl::Seconds(1);

bool IsWaiting(const QueueRecipient& recipient) {
  return recipient.state() == QueueRecipient::STATE_WAITING;
}

std::string DomainOf(const std::string& address) {
  const size_t at = address.rfind('@');
  return at == std::string::npos ? "" : absl::AsciiStrToLower(address.substr(at + 1));
}

// RFC 3461, 4.1 and 5.2.3 to 5.2.5.
bool Wants(const QueuedMessage& message, const QueueRecipient& recipient, uint32_t notify) {
  if (message.envelope().sender().empty()) return false;
  if (recipient.notify() == QueueRecipient::NOTIFY_UNSPECIFIED) {
    return notify != QueueRecipient::NOTIFY_SUCCESS;
  }
  return (recipient.notify() & notify) != 0;
}

}  // namespace

std::vector<Destination> DueDestinations(const QueuedMessage& message, absl::Time now) {
  const auto& recipients = message.envelope().recipients();
  int64_t due = INT64_MAX;
  for (const QueueRecipient& recipient : recipients) {
    if (IsWaiting(recipient)) due = std::min(due, recipient.next_attempt());
  }
  due = std::max(due, absl::ToUnixMicros(now));
  if (due < INT64_MAX) due += absl::ToInt64Microseconds(kClockSkew);
  std::vector<Destination> destinations;
  absl::flat_hash_map<std::string, size_t> places;
  for (int i = 0; i < recipients.size(); ++i) {
    if (!IsWaiting(recipients[i]) || recipients[i].next_attempt() > due) continue;
    std::string domain = DomainOf(recipients[i].address());
    const auto [place, added] = places.try_emplace(domain, destinations.size());
    if (added) destinations.push_back({std::move(domain), {}});
    destinations[place->second].recipients.push_back(i);
  }
  return destinations;
}

Outcome ConcludeAttempt(const QueuedMessage& message, int index, const Delivered& delivered,
                        bool local, const RetryPolicy& policy, absl::Time now) {
  const QueueRecipient& recipient = message.envelope().recipients(index);
  const absl::Time queued_at = absl::FromUnixMicros(message.queued_at());
  Outcome outcome;
  outcome.told = {recipient.address(), recipient.original_recipient(), delivered.reply,
                  delivered.server, false};
  outcome.report.set_index(static_cast<uint32_t>(index));
  outcome.report.set_reply(ReplyText(delivered.reply, false));
  outcome.report.set_server(CleanLine(delivered.server, true, 255));
  outcome.report.set_delay_told(recipient.delay_told());

  if (!smtp::IsFailure(delivered.reply)) {
    outcome.report.set_state(QueueRecipient::STATE_DELIVERED);
    if (!delivered.passes_notices && Wants(message, recipient, QueueRecipient::NOTIFY_SUCCESS)) {
      outcome.notice = local ? ReportAction::kDelivered : ReportAction::kRelayed;
    }
    return outcome;
  }
  if (smtp::IsTransient(delivered.reply)) {
    const auto next = NextAttempt(policy, recipient.attempts() + 1, queued_at, now);
    if (next.has_value()) {
      outcome.report.set_state(QueueRecipient::STATE_WAITING);
      outcome.report.set_next_attempt(absl::ToUnixMicros(*next));
      if (!recipient.delay_told() && TakesLong(policy, queued_at, now) &&
          Wants(message, recipient, QueueRecipient::NOTIFY_DELAY)) {
        outcome.notice = ReportAction::kDelayed;
        outcome.report.set_delay_told(true);
      }
      return outcome;
    }
    outcome.told.expired = true;
  }
  outcome.report.set_state(QueueRecipient::STATE_FAILED);
  if (Wants(message, recipient, QueueRecipient::NOTIFY_FAILURE)) {
    outcome.notice = ReportAction::kFailed;
  }
  return outcome;
}

std::optional<pb::RecipientReport> PostponeOutcome(const QueuedMessage& message,
                                                   const Outcome& outcome,
                                                   const RetryPolicy& policy, absl::Time now) {
  pb::RecipientReport report = outcome.report;
  const QueueRecipient& recipient = message.envelope().recipients(static_cast<int>(report.index()));
  report.set_delay_told(recipient.delay_told());
  switch (report.state()) {
    case QueueRecipient::STATE_FAILED:
      if (now - absl::FromUnixMicros(message.queued_at()) > 2 * policy.max_age) {
        return std::nullopt;
      }
      report.set_state(QueueRecipient::STATE_WAITING);
      report.set_next_attempt(
          absl::ToUnixMicros(now + PauseAfter(policy, recipient.attempts() + 1)));
      return report;
    default:
      // What is delivered must not be sent again for the sake of a notice.
      return report;
  }
}

void ApplyReport(const pb::RecipientReport& report, QueuedMessage& message) {
  const int index = static_cast<int>(report.index());
  if (index < 0 || index >= message.envelope().recipients_size()) return;
  QueueRecipient& recipient = *message.mutable_envelope()->mutable_recipients(index);
  // What is settled stays so: a report may be older than what the queue knows.
  if (!IsWaiting(recipient)) return;
  recipient.set_state(report.state());
  recipient.set_next_attempt(report.next_attempt());
  recipient.set_attempts(recipient.attempts() + 1);
  recipient.set_last_reply(report.reply());
  recipient.set_last_server(report.server());
  if (report.delay_told()) recipient.set_delay_told(true);
}

}  // namespace rmail::gateway::relay
