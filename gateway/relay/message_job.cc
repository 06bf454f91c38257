#include "gateway/relay/message_job.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "gateway/relay/report_fields.h"
#include "gateway/relay/returned_content.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace pb = ::rmail::store::v1;
using boost::asio::awaitable;

constexpr absl::Duration kLongestPause = absl::Seconds(30);

// The store can't take a notice for so often: it is not the store as a whole that is down, or it is
// down for long.
constexpr int kMaxNoticeFailures = 5;

Delivered NotNow() {
  Delivered delivered;
  delivered.reply = {451, "4.3.0", "Local error, it is tried again"};
  return delivered;
}

void LogOutcome(const pb::QueuedMessage& message, const Outcome& outcome) {
  const char* status = "deferred";
  if (outcome.report.state() == pb::QueueRecipient::STATE_DELIVERED) status = "sent";
  if (outcome.report.state() == pb::QueueRecipient::STATE_FAILED) {
    status = outcome.told.expired ? "expired" : "failed";
  }
  LogInfo("relay: {} {} {}: from=<{}> to=<{}> server={} reply={}", message.name(),
          message.envelope().trace_id(), status, message.envelope().sender(), outcome.told.address,
          outcome.report.server(), outcome.report.reply());
}

}  // namespace

MessageJob::MessageJob(JobContext& context, boost::asio::any_io_executor executor, Task task,
                       std::function<void(const std::string&)> destination_done)
    : context_(context),
      executor_(std::move(executor)),
      task_(std::move(task)),
      destination_done_(std::move(destination_done)),
      renewal_(context.clock.NewTimer(executor_)),
      pause_(context.clock.NewTimer(executor_)),
      destinations_(executor_),
      keeper_(executor_),
      open_destinations_(task_.destinations.size()),
      settled_(std::move(task_.settled)),
      lease_ends_(absl::ToUnixMicros(task_.leased_at + context.options.lease)) {}

awaitable<MessageJob::Reports> MessageJob::Run() {
  keeper_.Spawn(KeepLease());
  for (const Destination& destination : task_.destinations) {
    destinations_.Spawn(RunDestination(destination));
  }
  co_await destinations_.Wait();
  try {
    co_await Conclude();
  } catch (const std::exception& error) {
    LogError("relay: {}: {}", task_.message.name(), error.what());
  }
  ended_ = true;
  renewal_->Cancel();
  co_await keeper_.Wait();
  // A Stop() may still be on its way here: it shall find nothing that needs the clock.
  renewal_ = nullptr;
  pause_ = nullptr;
  co_return std::move(settled_);
}

awaitable<void> MessageJob::Conclude() {
  for (const auto& [action, outcomes] : untold_) co_await Tell(action, outcomes);
  co_await ReportLast();
}

void MessageJob::Stop() {
  stopping_ = true;
  if (pause_ != nullptr) pause_->Cancel();
}

awaitable<void> MessageJob::KeepLease() {
  const absl::Duration lease = context_.options.lease;
  absl::Time renew_at = task_.leased_at + lease / 2;
  while (!ended_ && !lost_) {
    co_await renewal_->WaitUntil(renew_at);
    if (ended_) co_return;
    pb::RenewLeaseRequest request;
    request.set_name(task_.message.name());
    request.set_lease(task_.lease);
    request.set_lease_seconds(static_cast<uint32_t>(absl::ToInt64Seconds(lease)));
    const absl::Time asked = context_.clock.Now();
    const absl::Status status = co_await context_.store.Renew(std::move(request));
    NoteLost(status);
    if (status.ok()) lease_ends_ = absl::ToUnixMicros(asked + lease);
    renew_at = context_.clock.Now() + (status.ok() ? lease / 2 : lease / 10);
  }
}

awaitable<void> MessageJob::RunDestination(const Destination& destination) {
  if (!stopping_ && LeaseIsGood()) {
    bool local = false;
    const std::vector<Delivered> answers = co_await Attempt(destination, &local);
    Settle(destination, answers, local);
  }
  destination_done_(destination.domain);
  // The sooner it is known what is delivered, the less is sent twice after a crash.
  // What can't be reported now is reported in the end.
  if (--open_destinations_ > 0 && !settled_.empty()) {
    static_cast<void>(co_await ReportSettled(/*release=*/false));
  }
}

awaitable<std::vector<Delivered>> MessageJob::Attempt(const Destination& destination, bool* local) {
  std::vector<Delivered> answers;
  try {
    answers = co_await AttemptOrThrow(destination, local);
  } catch (const std::exception& error) {
    LogError("relay: {} to {}: {}", task_.message.name(), destination.domain, error.what());
  }
  answers.resize(destination.recipients.size(), NotNow());
  co_return answers;
}

awaitable<std::vector<Delivered>> MessageJob::AttemptOrThrow(const Destination& destination,
                                                             bool* local) {
  if (destination.domain.empty()) {
    Delivered refused;
    refused.reply = {550, "5.1.3", "The address has no domain"};
    co_return std::vector<Delivered>(destination.recipients.size(), refused);
  }
  const Locality locality =
      co_await context_.domains.Find(destination.domain, context_.clock.Now());
  if (locality == Locality::kUnknown) co_return std::vector<Delivered>();
  *local = locality == Locality::kHere;
  if (*local) co_return co_await DeliverLocally(context_.store, task_.message, destination);
  Shipment shipment;
  shipment.domain = destination.domain;
  shipment.envelope = &task_.message.envelope();
  shipment.size = task_.message.size();
  shipment.recipients = destination.recipients;
  shipment.open = [this] { return context_.store.Read(task_.message.name()); };
  shipment.still_ours = [this] { return LeaseIsGood(); };
  co_return co_await context_.transport.Send(std::move(shipment));
}

void MessageJob::Settle(const Destination& destination, const std::vector<Delivered>& answers,
                        bool local) {
  const absl::Time now = context_.clock.Now();
  for (size_t i = 0; i < destination.recipients.size(); ++i) {
    // It may just mean that the message is not ours, and whoever has it now tries it anyway.
    if (smtp::IsTransient(answers[i].reply) && !LeaseIsGood()) continue;
    Outcome outcome = ConcludeAttempt(task_.message, destination.recipients[i], answers[i], local,
                                      context_.options.retry, now);
    LogOutcome(task_.message, outcome);
    if (outcome.notice.has_value()) {
      untold_[*outcome.notice].push_back(std::move(outcome));
    } else {
      settled_.push_back(std::move(outcome.report));
    }
  }
}

awaitable<void> MessageJob::Tell(ReportAction action, const std::vector<Outcome>& outcomes) {
  // Whoever has the message now sees to it.
  if (lost_) {
    KeepCertain(outcomes);
    co_return;
  }
  const pb::QueueEnvelope& envelope = task_.message.envelope();
  const absl::Time queued_at = absl::FromUnixMicros(task_.message.queued_at());
  DeliveryReport notice;
  notice.action = action;
  notice.hostname = context_.options.hostname;
  notice.sender = envelope.sender();
  notice.trace_id = envelope.trace_id().empty() ? task_.message.name() : envelope.trace_id();
  notice.envelope_id = envelope.envelope_id();
  notice.unique = NewReportId();
  notice.arrived = queued_at;
  notice.time = context_.clock.Now();
  notice.retry_until = queued_at + context_.options.retry.max_age;
  notice.utf8 = envelope.utf8();
  for (const Outcome& outcome : outcomes) notice.recipients.push_back(outcome.told);
  notice.returned = co_await ReadReturned(action);
  const ReportFate fate = co_await StoreNotice(std::move(notice));
  if (lost_ && fate == ReportFate::kNotNow) {
    KeepCertain(outcomes);
    co_return;
  }
  for (const Outcome& outcome : outcomes) {
    if (fate != ReportFate::kNotNow) {
      settled_.push_back(outcome.report);
      continue;
    }
    const auto postponed =
        PostponeOutcome(task_.message, outcome, context_.options.retry, context_.clock.Now());
    if (!postponed.has_value()) {
      LogError("relay: {} dropped for <{}>: the sender <{}> could not be told for too long",
               task_.message.name(), outcome.told.address, envelope.sender());
    }
    settled_.push_back(postponed.value_or(outcome.report));
  }
}

void MessageJob::KeepCertain(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    if (outcome.report.state() == pb::QueueRecipient::STATE_DELIVERED) {
      settled_.push_back(outcome.report);
    }
  }
}

awaitable<ReportFate> MessageJob::StoreNotice(DeliveryReport notice) {
  for (int failures = 1;; ++failures) {
    const ReportFate fate =
        co_await DeliverReport(context_.store, notice, task_.message.envelope().require_tls());
    if (fate != ReportFate::kNotNow || failures == kMaxNoticeFailures) co_return fate;
    if (!co_await PauseBeforeRetry(failures)) co_return fate;
  }
}

awaitable<ReturnedContent> MessageJob::ReadReturned(ReportAction action) {
  ReturnedContentReader reader(
      ReturnsWhole(task_.message.envelope(), task_.message.size(), action));
  const std::unique_ptr<MessageSource> source = context_.store.Read(task_.message.name());
  while (true) {
    const absl::StatusOr<std::optional<std::string>> piece = co_await source->Next();
    // What can't be read is not brought back: the notice matters more.
    if (!piece.ok()) co_return ReturnedContent();
    if (!piece->has_value() || !reader.Feed(**piece)) co_return reader.Take();
  }
}

awaitable<absl::Status> MessageJob::ReportSettled(bool release) {
  pb::ReportDeliveryRequest request;
  request.set_name(task_.message.name());
  request.set_lease(task_.lease);
  request.set_release(release);
  const Reports taken = std::exchange(settled_, {});
  for (const pb::RecipientReport& report : taken) *request.add_recipients() = report;
  const absl::Status status = co_await context_.store.Report(std::move(request));
  NoteLost(status);
  if (!status.ok()) settled_.insert(settled_.begin(), taken.begin(), taken.end());
  co_return status;
}

awaitable<void> MessageJob::ReportLast() {
  for (int failures = 1; !lost_; ++failures) {
    const absl::Status status = co_await ReportSettled(/*release=*/true);
    // A lease that is not given back runs out.
    if (status.ok() || settled_.empty()) co_return;
    LogWarning("relay: {} can't be reported: {}", task_.message.name(), ToText(status));
    if (!co_await PauseBeforeRetry(failures)) co_return;
  }
}

awaitable<bool> MessageJob::PauseBeforeRetry(int failures) {
  if (stopping_ || lost_) co_return false;
  const absl::Duration pause =
      std::min(absl::Seconds(1) * (1 << std::min(failures - 1, 5)), kLongestPause);
  co_await pause_->WaitUntil(context_.clock.Now() + pause);
  co_return !lost_;
}

bool MessageJob::LeaseIsGood() const {
  return !lost_ && absl::ToUnixMicros(context_.clock.Now()) < lease_ends_;
}

void MessageJob::NoteLost(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  if (reason != pb::ERROR_REASON_LEASE_LOST &&
      reason != pb::ERROR_REASON_QUEUED_MESSAGE_NOT_FOUND) {
    return;
  }
  if (!lost_) LogWarning("relay: the lease of {} is lost", task_.message.name());
  lost_ = true;
}

}  // namespace rmail::gateway::relay
