// The relay and a store that fails it, lost leases, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/relay/relay.h"
#include "gateway/relay/testing/relay_fixture.h"
#include "store/base/error.h"

namespace rmail::gateway::relay {
namespace {

using store::v1::QueueRecipient;
using ::testing::HasSubstr;

class RelayFailureTest : public RelayFixture {
 protected:
  static absl::Status Down() {
    return Error(store::v1::ERROR_REASON_STORE_UNAVAILABLE, "down to order");
  }
  // Waits until a call has been made so often.
  bool Called(const std::string& call, int count) {
    return queue.WaitFor([&] { return queue.calls(call) >= count; });
  }
};

TEST_F(RelayFailureTest, AFailureIsReportedOnlyWhenItsNoticeIsStored) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  queue.FailCalls("Deliver", Down());
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(Called("Deliver", 1));
  EXPECT_EQ(queue.calls("Report"), 0);
  queue.FailCalls("Deliver", absl::OkStatus());
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(1));
    return !queue.Get(name).has_value();
  }));
  EXPECT_EQ(queue.Inbox("alice@example.com").size(), 1u);
  EXPECT_EQ(transport.sent().size(), 1u);
}

TEST_F(RelayFailureTest, ANoticeThatCannotBeStoredForLongIsMadeAnewLater) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  queue.FailDelivery("alice@example.com", "CORRUPT_MAILBOX");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(5));
    const auto message = queue.Get(name);
    return message.has_value() && message->envelope().recipients(0).attempts() == 1;
  }));
  EXPECT_EQ(queue.Get(name)->envelope().recipients(0).state(), QueueRecipient::STATE_WAITING);
  EXPECT_GT(NextAttemptOf(name), clock.Now());
  queue.FailDelivery("alice@example.com", "");
  clock.Advance(absl::Minutes(2));
  ASSERT_TRUE(Finished(name));
  EXPECT_EQ(queue.Inbox("alice@example.com").size(), 1u);
}

TEST_F(RelayFailureTest, WhatIsSentIsReportedUntilTheStoreHasItAndNotSentAgain) {
  queue.FailCalls("Report", Down());
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(Called("Report", 1));
  // The lease is kept all the while.
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(options.lease / 10);
    return queue.calls("Renew") >= 5;
  }));
  queue.FailCalls("Report", absl::OkStatus());
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(5));
    return !queue.Get(name).has_value();
  }));
  EXPECT_EQ(transport.sent().size(), 1u);
}

TEST_F(RelayFailureTest, WhatIsSentUnderALostLeaseIsNotSentAgainByTheSameRelay) {
  queue.FailCalls("Report", Down());
  queue.FailCalls("Renew", Down());
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test", "carl@b.test"});
  ASSERT_TRUE(Called("Report", 1));
  ASSERT_TRUE(queue.WaitFor([&] { return transport.sent().size() == 2; }));
  // The lease runs out, and the next one comes to the same relay.
  const int leases = queue.calls("Lease");
  clock.Advance(options.lease + absl::Seconds(1));
  ASSERT_TRUE(Called("Lease", leases + 1));
  queue.FailCalls("Report", absl::OkStatus());
  queue.FailCalls("Renew", absl::OkStatus());
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(5));
    return !queue.Get(name).has_value();
  }));
  EXPECT_EQ(transport.sent().size(), 2u);
}

TEST_F(RelayFailureTest, NobodyIsToldUnderALostLease) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  transport.Hold("a.test");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  queue.StealLease(name);
  clock.Advance(options.lease / 2);
  ASSERT_TRUE(Called("Renew", 1));
  transport.Release();
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 0; }));
  Drain(absl::Seconds(10));
  EXPECT_EQ(queue.calls("Deliver"), 0);
  EXPECT_EQ(queue.calls("Report"), 0);
  EXPECT_TRUE(queue.Get(name).has_value());
}

TEST_F(RelayFailureTest, WhatIsDeliveredUnderALostLeaseIsNotSentAgainThoughNobodyIsTold) {
  transport.Hold("a.test");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"}, QueueRecipient::NOTIFY_SUCCESS);
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  queue.StealLease(name);
  clock.Advance(options.lease / 2);
  ASSERT_TRUE(Called("Renew", 1));
  transport.Release();
  // The thief dies, and the message comes back.
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(5));
    return !queue.Get(name).has_value();
  }));
  ASSERT_EQ(transport.sent().size(), 1u);
  EXPECT_FALSE(transport.sent()[0].still_ours);
  EXPECT_EQ(queue.calls("Deliver"), 0);
}

TEST_F(RelayFailureTest, WhatIsPutOffUnderALostLeaseDoesNotPutItOffForWhoeverHasIt) {
  transport.Hold("a.test");
  transport.Script("bob@a.test", {AnswerOf(451, "4.3.2", "Not ours"), AnswerOf(250, "", "OK")});
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  queue.StealLease(name);
  clock.Advance(options.lease / 2);
  ASSERT_TRUE(Called("Renew", 1));
  transport.Release();
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(5));
    return !queue.Get(name).has_value();
  }));
  for (const auto& report : queue.reports()) {
    for (const auto& recipient : report.recipients()) {
      EXPECT_EQ(recipient.state(), QueueRecipient::STATE_DELIVERED);
    }
  }
}

TEST_F(RelayFailureTest, ALeaseThatCameBackAndRanOutIsNotUsed) {
  transport.Hold("a.test");
  queue.FailCalls("Renew", Down());
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  // The relay waits for more.
  ASSERT_TRUE(Called("Lease", 2));
  queue.FailCalls("Lease", Down());
  const int64_t first = queue.Get(name)->leased_until();
  clock.Advance(options.lease + absl::Seconds(1));
  // It has come back, and nothing comes after it.
  ASSERT_TRUE(Called("Lease", 3));
  ASSERT_GT(queue.Get(name)->leased_until(), first);
  clock.Advance(options.lease + absl::Seconds(1));
  transport.Release();
  ASSERT_TRUE(Called("Report", 1));
  Drain(absl::Seconds(30));
  EXPECT_EQ(queue.calls("Report"), 1);
  EXPECT_TRUE(queue.reports().empty());
}

TEST_F(RelayFailureTest, AMessageDeletedWhileItIsSentIsForgotten) {
  transport.Hold("a.test");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  queue.Delete(name);
  transport.Release();
  ASSERT_TRUE(Called("Report", 1));
  ASSERT_TRUE(Finished(Add("alice@example.com", {"bob@b.test"})));
}

TEST_F(RelayFailureTest, AStoreThatIsDownIsAskedAgain) {
  queue.FailCalls("Lease", Down());
  Start();
  ASSERT_TRUE(Called("Lease", 1));
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(1));
    return queue.calls("Lease") >= 3;
  }));
  queue.FailCalls("Lease", absl::OkStatus());
  ASSERT_TRUE(queue.WaitFor([&] {
    clock.Advance(absl::Seconds(1));
    return !queue.Get(name).has_value();
  }));
}

TEST_F(RelayFailureTest, WhetherADomainIsOursMustBeKnown) {
  queue.FailCalls("Resolve", Down());
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(Tried(name, 1));
  EXPECT_TRUE(transport.sent().empty());
  EXPECT_THAT(queue.Get(name)->envelope().recipients(0).last_reply(), HasSubstr("451 4.3.0"));
}

TEST_F(RelayFailureTest, AnExceptionIsAnAttemptThatFailed) {
  transport.Throw("a.test");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(Tried(name, 1));
  EXPECT_EQ(NextAttemptOf(name), clock.Now() + absl::Minutes(1));
}

TEST_F(RelayFailureTest, DrainLetsASendingEnd) {
  transport.Hold("a.test");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  std::thread release([&] {
    // The drain has begun when the relay takes nothing more.
    queue.EndWaits();
    transport.Release();
  });
  Drain(absl::Seconds(30));
  release.join();
  EXPECT_FALSE(queue.Get(name).has_value());
}

TEST_F(RelayFailureTest, DrainBreaksOffAndGivesBack) {
  transport.Hold("a.test");
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("a.test") == 1; }));
  Drain(absl::ZeroDuration());
  ASSERT_TRUE(queue.Get(name).has_value());
  EXPECT_TRUE(transport.sent().empty());
  ASSERT_EQ(queue.reports().size(), 1u);
  EXPECT_TRUE(queue.reports()[0].release());
}

TEST_F(RelayFailureTest, DrainDoesNotWaitForAStoreThatIsDown) {
  queue.FailCalls("Report", Down());
  Start();
  Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(Called("Report", 1));
  Drain(absl::Seconds(30));
  EXPECT_EQ(transport.sent().size(), 1u);
}

TEST_F(RelayFailureTest, ManyMessagesAllGetThroughOnce) {
  options.workers = 20;
  options.max_per_destination = 3;
  Start();
  constexpr int kMessages = 300;
  for (int i = 0; i < kMessages; ++i) {
    Add("alice@example.com",
        {"bob@d" + std::to_string(i % 7) + ".test", "carl@d" + std::to_string(i % 11) + ".test"});
  }
  ASSERT_TRUE(queue.WaitFor([&] { return queue.All().empty(); }));
  size_t recipients = 0;
  for (const FakeTransport::Sent& sent : transport.sent()) recipients += sent.recipients.size();
  EXPECT_EQ(recipients, 2u * kMessages);
}

}  // namespace
}  // namespace rmail::gateway::relay
