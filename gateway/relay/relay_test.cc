// What the relay makes of servers' answers, under a clock that the test moves.
#include "gateway/relay/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/relay/testing/relay_fixture.h"

namespace rmail::gateway::relay {
namespace {

using store::v1::QueueRecipient;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class RelayTest : public RelayFixture {};

TEST_F(RelayTest, SendsWhatIsQueuedAndTellsNobody) {
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test", "carl@b.test", "dora@a.test"});
  EXPECT_TRUE(Finished(name));
  std::vector<std::string> domains;
  for (const FakeTransport::Sent& sent : transport.sent()) {
    domains.push_back(sent.domain);
    EXPECT_EQ(sent.text, kText);
    if (sent.domain == "a.test") {
      EXPECT_EQ(sent.recipients, (std::vector<std::string>{"bob@a.test", "dora@a.test"}));
    }
  }
  EXPECT_THAT(domains, UnorderedElementsAre("a.test", "b.test"));
  EXPECT_TRUE(queue.Inbox("alice@example.com").empty());
}

TEST_F(RelayTest, RetriesOnScheduleUntilItGetsThrough) {
  transport.Script("bob@a.test", {AnswerOf(450, "4.2.0", "Greylisted"), AnswerOf(421, "", "Busy"),
                                  AnswerOf(250, "", "OK")});
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  ASSERT_TRUE(Tried(name, 1));
  EXPECT_EQ(NextAttemptOf(name), clock.Now() + absl::Minutes(1));
  EXPECT_EQ(queue.Get(name)->envelope().recipients(0).last_reply(), "450 4.2.0 Greylisted");
  EXPECT_EQ(queue.Get(name)->envelope().recipients(0).last_server(), "mx.elsewhere.test");
  clock.Advance(absl::Seconds(59));
  EXPECT_EQ(transport.sent().size(), 1u);
  clock.Advance(absl::Seconds(1));
  ASSERT_TRUE(Tried(name, 2));
  EXPECT_EQ(NextAttemptOf(name), clock.Now() + absl::Minutes(5));
  clock.Advance(absl::Minutes(5));
  EXPECT_TRUE(Finished(name));
  EXPECT_EQ(transport.sent().size(), 3u);
  EXPECT_TRUE(queue.Inbox("alice@example.com").empty());
}

TEST_F(RelayTest, TellsALocalSenderOfAFailure) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  store::v1::QueueEnvelope envelope = Envelope("alice@example.com", {"bob@a.test", "carl@a.test"});
  envelope.set_envelope_id("ENV1");
  envelope.set_account("alice@example.com");
  envelope.mutable_recipients(0)->set_original_recipient("rfc822;bob@old.test");
  Start();
  const std::string name = queue.Add(envelope, kText);
  ASSERT_TRUE(Finished(name));
  const std::vector<std::string> inbox = queue.Inbox("alice@example.com");
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_TRUE(inbox[0].starts_with("Return-Path: <>\r\nFrom: Mail Delivery System"));
  EXPECT_THAT(inbox[0], HasSubstr("Original-Envelope-Id: ENV1\r\n"));
  EXPECT_THAT(inbox[0], HasSubstr("Original-Recipient: rfc822; bob@old.test\r\n"
                                  "Final-Recipient: rfc822; bob@a.test\r\n"
                                  "Action: failed\r\nStatus: 5.1.1\r\n"
                                  "Remote-MTA: dns; mx.elsewhere.test\r\n"));
  EXPECT_THAT(inbox[0], Not(HasSubstr("carl@a.test")));
  // All of it: it was one of our own who sent it.
  EXPECT_THAT(inbox[0], HasSubstr("Subject: Hello\r\n\r\nThe body.\r\n"));
  EXPECT_THAT(inbox[0], HasSubstr("References: <1@example.com>\r\n"));
}

TEST_F(RelayTest, TellsASenderElsewhereThroughTheQueue) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  transport.Script("zoe@far.test", {AnswerOf(550, "5.1.1", "Nor here")});
  Start();
  const std::string name = Add("zoe@far.test", {"bob@a.test"});
  ASSERT_TRUE(Finished(name));
  // The notice is sent, and that it fails is the end.
  ASSERT_TRUE(queue.WaitFor([&] { return transport.sent().size() == 2 && queue.All().empty(); }));
  const FakeTransport::Sent notice = transport.sent()[1];
  EXPECT_EQ(notice.recipients, std::vector<std::string>{"zoe@far.test"});
  EXPECT_TRUE(notice.text.starts_with("From: Mail Delivery System"));
  EXPECT_THAT(notice.text, HasSubstr("text/rfc822-headers"));
  EXPECT_THAT(notice.text, Not(HasSubstr("The body.")));
}

TEST_F(RelayTest, MailFromNobodyFailsSilently) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  Start();
  ASSERT_TRUE(Finished(Add("", {"bob@a.test"})));
  EXPECT_EQ(queue.calls("Deliver"), 0);
}

TEST_F(RelayTest, ASenderThatIsGoneIsNotWaitedFor) {
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  queue.AddAccount("full@example.com");
  queue.FailDelivery("full@example.com", "OVER_QUOTA");
  Start();
  EXPECT_TRUE(Finished(Add("gone@example.com", {"bob@a.test"})));
  EXPECT_TRUE(Finished(Add("full@example.com", {"bob@a.test"})));
}

TEST_F(RelayTest, TellsOfDelayOnceAndOfTheEnd) {
  transport.Script("bob@a.test", {AnswerOf(451, "4.4.1", "Timed out", "")});
  Start();
  const absl::Time queued = clock.Now();
  const std::string name = Add("alice@example.com", {"bob@a.test"});
  uint32_t attempts = 1;
  for (; attempts < 20; ++attempts) {
    if (!queue.WaitFor([&] {
          const auto message = queue.Get(name);
          return !message.has_value() ||
                 (message->envelope().recipients(0).attempts() == attempts &&
                  message->envelope().recipients(0).next_attempt() >
                      absl::ToUnixMicros(clock.Now()));
        })) {
      FAIL() << "attempt " << attempts;
    }
    if (!queue.Get(name).has_value()) break;
    const size_t told = clock.Now() - queued >= absl::Hours(4) ? 1 : 0;
    ASSERT_EQ(queue.Inbox("alice@example.com").size(), told) << attempts;
    clock.Advance(NextAttemptOf(name) - clock.Now());
  }
  EXPECT_EQ(attempts, 13u);
  EXPECT_EQ(clock.Now() - queued, absl::Hours(120));
  const std::vector<std::string> inbox = queue.Inbox("alice@example.com");
  ASSERT_EQ(inbox.size(), 2u);
  EXPECT_THAT(inbox[0], HasSubstr("Action: delayed\r\nStatus: 4.4.1\r\n"));
  EXPECT_THAT(inbox[1], HasSubstr("Action: failed\r\nStatus: 4.4.7\r\n"));
  EXPECT_THAT(inbox[1], HasSubstr("Diagnostic-Code: x-rmail; 451 4.4.1 Timed out\r\n"));
}

TEST_F(RelayTest, TellsOfSuccessUnlessTheNextServerDoes) {
  Delivered passes = AnswerOf(250, "2.0.0", "OK");
  passes.passes_notices = true;
  transport.Script("carl@a.test", {passes});
  Start();
  const std::string name =
      Add("alice@example.com", {"bob@a.test", "carl@a.test"}, QueueRecipient::NOTIFY_SUCCESS);
  ASSERT_TRUE(Finished(name));
  const std::vector<std::string> inbox = queue.Inbox("alice@example.com");
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_THAT(inbox[0], HasSubstr("Final-Recipient: rfc822; bob@a.test\r\nAction: relayed\r\n"));
  EXPECT_THAT(inbox[0], Not(HasSubstr("carl")));
}

TEST_F(RelayTest, OneNoticeForEachThingToTell) {
  clock.Advance(absl::Hours(1));
  transport.Script("bob@a.test", {AnswerOf(550, "5.1.1", "No such user")});
  transport.Script("carl@b.test", {AnswerOf(550, "5.7.1", "No")});
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test", "carl@b.test", "dora@c.test"},
                               QueueRecipient::NOTIFY_SUCCESS | QueueRecipient::NOTIFY_FAILURE);
  ASSERT_TRUE(Finished(name));
  const std::vector<std::string> inbox = queue.Inbox("alice@example.com");
  ASSERT_EQ(inbox.size(), 2u);
  EXPECT_THAT(inbox[0], HasSubstr("Final-Recipient: rfc822; bob@a.test\r\n"));
  EXPECT_THAT(inbox[0], HasSubstr("Final-Recipient: rfc822; carl@b.test\r\n"));
  EXPECT_THAT(inbox[1], HasSubstr("Final-Recipient: rfc822; dora@c.test\r\n"));
}

TEST_F(RelayTest, OnlyWhoIsDueIsTried) {
  transport.Script("bob@a.test", {AnswerOf(450, "", "Later"), AnswerOf(250, "", "OK")});
  Start();
  const std::string name = Add("alice@example.com", {"bob@a.test", "carl@b.test"});
  ASSERT_TRUE(Tried(name, 1));
  clock.Advance(absl::Minutes(1));
  ASSERT_TRUE(Finished(name));
  EXPECT_EQ(transport.sent().size(), 3u);
}

TEST_F(RelayTest, AnAddressWithoutADomainFails) {
  Start();
  ASSERT_TRUE(Finished(Add("alice@example.com", {"bob"})));
  ASSERT_EQ(queue.Inbox("alice@example.com").size(), 1u);
  EXPECT_THAT(queue.Inbox("alice@example.com")[0], HasSubstr("Status: 5.1.3\r\n"));
  EXPECT_TRUE(transport.sent().empty());
}

TEST_F(RelayTest, WhatIsLocalByNowIsDeliveredHere) {
  queue.AddDomain("new.test");
  queue.AddAccount("bob@new.test");
  queue.AddAlias("list@new.test", {"bob@new.test", "alice@example.com", "zoe@far.test"});
  Start();
  const std::string name =
      Add("alice@example.com", {"bob@new.test", "list@new.test", "nobody@new.test"},
          QueueRecipient::NOTIFY_SUCCESS | QueueRecipient::NOTIFY_FAILURE);
  ASSERT_TRUE(Finished(name));
  const std::vector<std::string> bob = queue.Inbox("bob@new.test");
  ASSERT_EQ(bob.size(), 1u);
  EXPECT_EQ(bob[0], std::string("Return-Path: <alice@example.com>\r\n") + kText);
  ASSERT_TRUE(queue.WaitFor([&] { return queue.All().empty(); }));
  ASSERT_EQ(transport.sent().size(), 1u);
  EXPECT_EQ(transport.sent()[0].recipients, std::vector<std::string>{"zoe@far.test"});
  EXPECT_EQ(transport.sent()[0].text, kText);
  EXPECT_TRUE(transport.sent()[0].still_ours);
  // Alice's copy; that one has failed; that bob has his; that zoe's was passed on.
  ASSERT_TRUE(queue.WaitFor([&] { return queue.Inbox("alice@example.com").size() == 4; }));
  const std::vector<std::string> alice = queue.Inbox("alice@example.com");
  EXPECT_THAT(alice[1], HasSubstr("Final-Recipient: rfc822; nobody@new.test\r\n"
                                  "Action: failed\r\nStatus: 5.1.1\r\n"));
  EXPECT_THAT(alice[2],
              HasSubstr("Final-Recipient: rfc822; bob@new.test\r\nAction: delivered\r\n"));
  EXPECT_THAT(alice[3], HasSubstr("Original-Recipient: rfc822; list@new.test\r\n"
                                  "Final-Recipient: rfc822; zoe@far.test\r\nAction: relayed\r\n"));
}

TEST_F(RelayTest, AliasesThatMeetElsewhereShareACopyAndLoseNoNotice) {
  for (const char* alias : {"one", "two", "three"}) {
    queue.AddAlias(std::string(alias) + "@example.com", {"zoe@far.test"});
  }
  transport.Hold("far.test");
  store::v1::QueueEnvelope envelope =
      Envelope("alice@example.com", {"one@example.com", "two@example.com", "three@example.com"});
  envelope.mutable_recipients(0)->set_notify(QueueRecipient::NOTIFY_NEVER);
  envelope.mutable_recipients(1)->set_notify(QueueRecipient::NOTIFY_SUCCESS);
  Start();
  ASSERT_TRUE(Finished(queue.Add(envelope, kText)));
  ASSERT_EQ(queue.All().size(), 1u);
  const store::v1::QueuedMessage copy = queue.All()[0];
  ASSERT_EQ(copy.envelope().recipients_size(), 1);
  EXPECT_EQ(copy.envelope().recipients(0).notify(),
            static_cast<uint32_t>(QueueRecipient::NOTIFY_SUCCESS | QueueRecipient::NOTIFY_FAILURE |
                                  QueueRecipient::NOTIFY_DELAY));
  EXPECT_EQ(copy.envelope().recipients(0).original_recipient(), "rfc822;two@example.com");
  transport.Release();
}

TEST_F(RelayTest, WithASmarthostAllDomainsAreOneDestination) {
  options.smarthost = true;
  options.max_per_destination = 2;
  std::vector<std::string> names;
  for (const char* domain : {"a.test", "b.test", "c.test", "d.test"}) transport.Hold(domain);
  Start();
  for (const char* domain : {"a.test", "b.test", "c.test", "d.test"}) {
    names.push_back(Add("alice@example.com", {std::string("bob@") + domain}));
  }
  ASSERT_TRUE(queue.WaitFor(
      [&] { return transport.running("a.test") == 1 && transport.running("b.test") == 1; }));
  EXPECT_EQ(transport.running("c.test") + transport.running("d.test"), 0);
  // Nobody takes what can't be begun.
  EXPECT_EQ(queue.Get(names[3])->leased_until(), 0);
  transport.Release();
  for (const std::string& name : names) EXPECT_TRUE(Finished(name));
}

TEST_F(RelayTest, ACopyThatFailsForNowIsTriedAgainUnlessOthersHaveTheirs) {
  queue.AddAccount("bob@example.com");
  queue.AddAlias("both@example.com", {"alice@example.com", "bob@example.com"});
  queue.FailDelivery("bob@example.com", "CORRUPT_MAILBOX");
  Start();
  const std::string one = Add("zoe@far.test", {"bob@example.com"});
  ASSERT_TRUE(Tried(one, 1));
  const std::string two = Add("zoe@far.test", {"both@example.com"});
  ASSERT_TRUE(Finished(two));
  ASSERT_TRUE(queue.WaitFor([&] { return transport.sent().size() == 1; }));
  EXPECT_THAT(transport.sent()[0].text, HasSubstr("Action: failed\r\nStatus: 5.3.0\r\n"));
  EXPECT_EQ(queue.Inbox("alice@example.com").size(), 1u);
}

TEST_F(RelayTest, AnOddLocalPartElsewhereIsSentThere) {
  Start();
  ASSERT_TRUE(Finished(Add("alice@example.com", {"\"odd one\"@a.test"})));
  EXPECT_EQ(transport.sent().size(), 1u);
}

TEST_F(RelayTest, DestinationsAndWorkersAreBounded) {
  options.workers = 5;
  options.max_per_destination = 2;
  transport.Hold("slow.test");
  transport.Hold("idle.test");
  Start();
  std::vector<std::string> slow;
  for (int i = 0; i < 6; ++i) slow.push_back(Add("alice@example.com", {"bob@slow.test"}));
  ASSERT_TRUE(queue.WaitFor([&] { return transport.running("slow.test") == 2; }));
  // Others are not held up.
  ASSERT_TRUE(Finished(Add("alice@example.com", {"bob@quick.test"})));
  // Of a message for both, the part that can go goes.
  const std::string both = Add("alice@example.com", {"bob@slow.test", "carl@quick.test"});
  ASSERT_TRUE(Tried(both, 1, 1));
  EXPECT_EQ(queue.Get(both)->envelope().recipients(0).attempts(), 0u);
  EXPECT_EQ(transport.running("slow.test"), 2);
  transport.Release();
  for (const std::string& name : slow) EXPECT_TRUE(Finished(name));
  EXPECT_TRUE(Finished(both));
}

}  // namespace
}  // namespace rmail::gateway::relay
