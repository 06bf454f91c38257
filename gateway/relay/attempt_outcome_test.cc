#include "gateway/relay/attempt_outcome.h"

#include <gtest/gtest.h>

#include "gateway/relay/destination_limits.h"
#include "gateway/relay/unreported.h"

namespace rmail::gateway::relay {
namespace {

using store::v1::QueuedMessage;
using store::v1::QueueRecipient;

const absl::Time kQueued = absl::FromUnixSeconds(1'800'000'000);

QueuedMessage Message(const std::vector<std::string>& recipients, uint32_t notify = 0) {
  QueuedMessage message;
  message.set_queued_at(absl::ToUnixMicros(kQueued));
  message.mutable_envelope()->set_sender("alice@example.com");
  for (const std::string& address : recipients) {
    QueueRecipient& recipient = *message.mutable_envelope()->add_recipients();
    recipient.set_address(address);
    recipient.set_state(QueueRecipient::STATE_WAITING);
    recipient.set_next_attempt(message.queued_at());
    recipient.set_notify(notify);
  }
  return message;
}

Delivered Answer(int code) {
  Delivered delivered;
  delivered.reply = {code, "", "text"};
  delivered.server = "mx";
  return delivered;
}

Outcome Conclude(const QueuedMessage& message, int code, absl::Duration age = {},
                 bool local = false) {
  return ConcludeAttempt(message, 0, Answer(code), local, RetryPolicy(), kQueued + age);
}

TEST(DueDestinations, ByDomainInOrder) {
  QueuedMessage message =
      Message({"a@B.test", "b@a.test", "c@b.TEST", "later@b.test", "done@b.test", "nowhere"});
  auto& recipients = *message.mutable_envelope()->mutable_recipients();
  recipients[3].set_next_attempt(message.queued_at() + 60'000'000);
  recipients[4].set_state(QueueRecipient::STATE_DELIVERED);
  std::vector<Destination> due = DueDestinations(message, kQueued);
  ASSERT_EQ(due.size(), 3u);
  EXPECT_EQ(due[0].domain, "b.test");
  EXPECT_EQ(due[0].recipients, (std::vector<int>{0, 2}));
  EXPECT_EQ(due[1].domain, "a.test");
  EXPECT_EQ(due[2].domain, "");
  due = DueDestinations(message, kQueued + absl::Minutes(1));
  EXPECT_EQ(due[0].recipients, (std::vector<int>{0, 2, 3}));
}

TEST(DueDestinations, AClockThatIsBehindFindsWhatTheStoreHasFound) {
  const QueuedMessage message = Message({"a@b.test"});
  EXPECT_EQ(DueDestinations(message, kQueued - absl::Hours(1)).size(), 1u);
  EXPECT_TRUE(DueDestinations(Message({}), kQueued).empty());
}

TEST(ConcludeAttempt, Delivered) {
  Outcome outcome = Conclude(Message({"a@b.test"}), 250);
  EXPECT_EQ(outcome.report.state(), QueueRecipient::STATE_DELIVERED);
  EXPECT_EQ(outcome.report.reply(), "250 text");
  EXPECT_EQ(outcome.report.server(), "mx");
  EXPECT_FALSE(outcome.notice.has_value());
  const QueuedMessage asked = Message({"a@b.test"}, QueueRecipient::NOTIFY_SUCCESS);
  EXPECT_EQ(Conclude(asked, 250).notice, ReportAction::kRelayed);
  EXPECT_EQ(Conclude(asked, 250, {}, true).notice, ReportAction::kDelivered);
  Delivered passed = Answer(250);
  passed.passes_notices = true;
  EXPECT_FALSE(ConcludeAttempt(asked, 0, passed, false, RetryPolicy(), kQueued).notice.has_value());
}

TEST(ConcludeAttempt, Failed) {
  const Outcome outcome = Conclude(Message({"a@b.test"}), 550);
  EXPECT_EQ(outcome.report.state(), QueueRecipient::STATE_FAILED);
  EXPECT_EQ(outcome.notice, ReportAction::kFailed);
  EXPECT_FALSE(outcome.told.expired);
  for (const uint32_t notify : {QueueRecipient::NOTIFY_NEVER, QueueRecipient::NOTIFY_SUCCESS,
                                QueueRecipient::NOTIFY_DELAY}) {
    EXPECT_FALSE(Conclude(Message({"a@b.test"}, notify), 550).notice.has_value());
  }
  EXPECT_EQ(Conclude(Message({"a@b.test"}, QueueRecipient::NOTIFY_FAILURE), 550).notice,
            ReportAction::kFailed);
}

TEST(ConcludeAttempt, NobodyIsToldOfMailFromNobody) {
  QueuedMessage message =
      Message({"a@b.test"}, QueueRecipient::NOTIFY_SUCCESS | QueueRecipient::NOTIFY_FAILURE |
                                QueueRecipient::NOTIFY_DELAY);
  message.mutable_envelope()->clear_sender();
  EXPECT_FALSE(Conclude(message, 250).notice.has_value());
  EXPECT_FALSE(Conclude(message, 450, absl::Hours(5)).notice.has_value());
  EXPECT_FALSE(Conclude(message, 550).notice.has_value());
}

TEST(ConcludeAttempt, DeferredThenExpired) {
  QueuedMessage message = Message({"a@b.test"});
  message.mutable_envelope()->mutable_recipients(0)->set_attempts(1);
  Outcome outcome = Conclude(message, 450, absl::Minutes(1));
  EXPECT_EQ(outcome.report.state(), QueueRecipient::STATE_WAITING);
  EXPECT_EQ(absl::FromUnixMicros(outcome.report.next_attempt()), kQueued + absl::Minutes(6));
  EXPECT_FALSE(outcome.notice.has_value());
  outcome = Conclude(message, 450, absl::Hours(120));
  EXPECT_EQ(outcome.report.state(), QueueRecipient::STATE_FAILED);
  EXPECT_EQ(outcome.notice, ReportAction::kFailed);
  EXPECT_TRUE(outcome.told.expired);
}

TEST(ConcludeAttempt, DelayIsToldOnce) {
  QueuedMessage message = Message({"a@b.test"});
  const Outcome outcome = Conclude(message, 450, absl::Hours(4));
  EXPECT_EQ(outcome.notice, ReportAction::kDelayed);
  EXPECT_TRUE(outcome.report.delay_told());
  ApplyReport(outcome.report, message);
  const Outcome again = Conclude(message, 450, absl::Hours(5));
  EXPECT_FALSE(again.notice.has_value());
  EXPECT_TRUE(again.report.delay_told());
  EXPECT_FALSE(Conclude(Message({"a@b.test"}, QueueRecipient::NOTIFY_FAILURE), 450, absl::Hours(5))
                   .notice.has_value());
}

TEST(ConcludeAttempt, AServersTextIsMadeHarmless) {
  Delivered delivered = Answer(550);
  delivered.reply.text = "no\r\nsuch\x1b\xff" + std::string(5000, 'x');
  delivered.server = "evil\n" + std::string(5000, 'x');
  const Outcome outcome =
      ConcludeAttempt(Message({"a@b.test"}), 0, delivered, false, RetryPolicy(), kQueued);
  EXPECT_TRUE(outcome.report.reply().starts_with("550 no  such ?xx"));
  EXPECT_LE(outcome.report.reply().size(), 600u);
  EXPECT_TRUE(outcome.report.server().starts_with("evil xx"));
  EXPECT_LE(outcome.report.server().size(), 255u);
}

TEST(PostponeOutcome, WhatFailsIsTriedAgainUntilFarTooLate) {
  const QueuedMessage message = Message({"a@b.test"});
  const RetryPolicy policy;
  const Outcome failed = Conclude(message, 550);
  auto report = PostponeOutcome(message, failed, policy, kQueued);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->state(), QueueRecipient::STATE_WAITING);
  EXPECT_EQ(absl::FromUnixMicros(report->next_attempt()), kQueued + absl::Minutes(1));
  EXPECT_FALSE(PostponeOutcome(message, failed, policy, kQueued + absl::Hours(241)).has_value());
}

TEST(PostponeOutcome, WhatIsDeliveredStaysSoAndADelayIsToldLater) {
  const QueuedMessage message = Message({"a@b.test"}, QueueRecipient::NOTIFY_SUCCESS);
  auto report = PostponeOutcome(message, Conclude(message, 250), RetryPolicy(), kQueued);
  EXPECT_EQ(report->state(), QueueRecipient::STATE_DELIVERED);
  const QueuedMessage slow = Message({"a@b.test"});
  report = PostponeOutcome(slow, Conclude(slow, 450, absl::Hours(4)), RetryPolicy(),
                           kQueued + absl::Hours(4));
  EXPECT_EQ(report->state(), QueueRecipient::STATE_WAITING);
  EXPECT_FALSE(report->delay_told());
}

TEST(ApplyReport, OfARecipientThatIsNotThere) {
  QueuedMessage message = Message({"a@b.test"});
  store::v1::RecipientReport report;
  report.set_index(4'000'000'000);
  ApplyReport(report, message);
  report.set_index(1);
  ApplyReport(report, message);
  EXPECT_EQ(message.envelope().recipients(0).attempts(), 0u);
}

TEST(ApplyReport, WhatIsSettledStaysSo) {
  QueuedMessage message = Message({"a@b.test", "c@b.test"});
  message.mutable_envelope()->mutable_recipients(0)->set_state(QueueRecipient::STATE_DELIVERED);
  message.mutable_envelope()->mutable_recipients(1)->set_delay_told(true);
  store::v1::RecipientReport stale;
  stale.set_state(QueueRecipient::STATE_WAITING);
  ApplyReport(stale, message);
  EXPECT_EQ(message.envelope().recipients(0).state(), QueueRecipient::STATE_DELIVERED);
  EXPECT_EQ(message.envelope().recipients(0).attempts(), 0u);
  stale.set_index(1);
  ApplyReport(stale, message);
  EXPECT_EQ(message.envelope().recipients(1).attempts(), 1u);
  EXPECT_TRUE(message.envelope().recipients(1).delay_told());
}

TEST(DestinationLimits, FullAndHeadroom) {
  DestinationLimits limits(2);
  EXPECT_EQ(limits.Headroom(), 2u);
  EXPECT_TRUE(limits.Begin("a"));
  EXPECT_EQ(limits.Headroom(), 1u);
  EXPECT_TRUE(limits.Full().empty());
  EXPECT_TRUE(limits.Begin("a"));
  EXPECT_FALSE(limits.Begin("a"));
  EXPECT_EQ(limits.Full(), std::vector<std::string>{"a"});
  // Nothing goes there, so it does not count.
  EXPECT_EQ(limits.Headroom(), 2u);
  limits.End("a");
  EXPECT_TRUE(limits.Full().empty());
  limits.End("a");
  limits.End("a");
  EXPECT_EQ(limits.Headroom(), 2u);
}

TEST(Unreported, TheOldestGoesFirstAndNothingIsKeptForEver) {
  Unreported unreported(2, absl::Hours(24));
  const Unreported::Reports reports(1);
  EXPECT_EQ(unreported.Keep("a", reports, kQueued + absl::Seconds(1)), "");
  EXPECT_EQ(unreported.Keep("b", reports, kQueued + absl::Seconds(2)), "");
  // In place of the earlier ones: it is the youngest now.
  EXPECT_EQ(unreported.Keep("a", Unreported::Reports(3), kQueued + absl::Seconds(3)), "");
  EXPECT_EQ(unreported.Keep("c", reports, kQueued + absl::Seconds(4)), "b");
  EXPECT_EQ(unreported.Take("a").size(), 3u);
  EXPECT_TRUE(unreported.Take("a").empty());
  EXPECT_TRUE(unreported.Take("b").empty());
  EXPECT_EQ(unreported.Keep("d", reports, kQueued + absl::Hours(25)), "");
  EXPECT_TRUE(unreported.Take("c").empty());
  EXPECT_EQ(unreported.Take("d").size(), 1u);
}

}  // namespace
}  // namespace rmail::gateway::relay
