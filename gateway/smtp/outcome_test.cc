#include "gateway/smtp/outcome.h"

#include <gtest/gtest.h>

#include "gateway/smtp/verdict.h"

namespace rmail::gateway::smtp {
namespace {

std::string Codes(const Reply& reply) { return std::to_string(reply.code) + " " + reply.enhanced; }

TEST(ReplyFor, Reasons) {
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND)), "550 5.1.1");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_MAILBOX_NOT_FOUND)), "550 5.1.1");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_ACCOUNT_DISABLED)), "550 5.2.1");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_OVER_QUOTA)), "552 5.2.2");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_MESSAGE_TOO_LARGE)), "552 5.3.4");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_ALIAS_LOOP)), "550 5.4.6");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_QUEUE_FULL)), "452 4.3.1");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_STORE_UNAVAILABLE)), "451 4.3.0");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_CORRUPT_MAILBOX)), "451 4.3.0");
  // More recipients than an alias may have.
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_INVALID_ALIAS)), "451 4.3.0");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_BAD_TOKEN)), "451 4.3.0");
  EXPECT_EQ(Codes(ReplyFor(absl::InternalError("x"))), "451 4.3.0");
}

store::v1::DeliverMessageResponse Response(
    std::initializer_list<std::pair<const char*, const char*>> results) {
  store::v1::DeliverMessageResponse response;
  for (const auto& [recipient, reason] : results) {
    store::v1::DeliveryResult& result = *response.add_results();
    result.set_recipient(recipient);
    result.set_reason(reason);
  }
  return response;
}

TEST(FailedRecipients, ByForwardPath) {
  const std::vector<Recipient> recipients = {{"a@x", {"accounts/1"}, {}, 0, ""},
                                             {"list@x", {"accounts/1", "accounts/2"}, {}, 0, ""},
                                             {"c@x", {"accounts/3"}, {}, 0, ""}};
  const auto response = Response({{"accounts/1", ""}, {"accounts/2", "OVER_QUOTA"}});
  const auto failed = FailedRecipients(recipients, response);
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(failed[0].address, "list@x");
  EXPECT_EQ(failed[0].index, 1u);
  EXPECT_TRUE(failed[0].partial);
  EXPECT_EQ(Codes(failed[0].reply), "552 5.2.2");
  // The store has not said anything about it.
  EXPECT_EQ(failed[1].address, "c@x");
  EXPECT_FALSE(failed[1].partial);
  EXPECT_EQ(Codes(failed[1].reply), "451 4.3.0");
  EXPECT_TRUE(AnyDelivered(response));
  auto refused = Response({{"accounts/1", "OVER_QUOTA"}});
  EXPECT_FALSE(AnyDelivered(refused));
  refused.set_queued("queue/1");
  EXPECT_TRUE(AnyDelivered(refused));
}

TEST(RefusalOfAll, TransientFirst) {
  EXPECT_EQ(RefusalOfAll({{"a", {552, "5.2.2", ""}}, {"b", {550, "5.1.1", ""}}}).code, 552);
  EXPECT_EQ(RefusalOfAll({{"a", {552, "5.2.2", ""}}, {"b", {451, "4.3.0", ""}}}).code, 451);
  EXPECT_EQ(RefusalOfAll({}).code, 451);
}

MessageFacts Facts(uint64_t size, uint64_t longest_line, uint32_t received_fields) {
  MessageFacts facts;
  facts.size = size;
  facts.longest_line = longest_line;
  facts.received_fields = received_fields;
  return facts;
}

TEST(Judge, Limits) {
  const MessagePolicy policy{100, 10, 2};
  EXPECT_FALSE(Judge(Facts(100, 10, 2), policy).has_value());
  EXPECT_EQ(Judge(Facts(101, 10, 2), policy)->code, 552);
  EXPECT_EQ(Codes(*Judge(Facts(100, 11, 2), policy)), "550 5.6.0");
  EXPECT_EQ(Codes(*Judge(Facts(100, 10, 3), policy)), "554 5.4.6");
  MessageFacts facts = Facts(101, 11, 3);
  facts.bare_newline = true;
  EXPECT_EQ(Codes(*Judge(facts, policy)), "550 5.6.11");
}

TEST(Judge, BinaryMessagesHaveLinesInTheHeaderOnly) {
  const MessagePolicy policy{100, 10, 2, /*binary=*/true};
  MessageFacts facts = Facts(100, 90, 2);
  facts.bare_newline = true;
  EXPECT_FALSE(Judge(facts, policy).has_value());
  facts.bare_newline_in_header = true;
  EXPECT_EQ(Codes(*Judge(facts, policy)), "550 5.6.11");
}

TEST(RefusalOfSome, FitsALine) {
  std::vector<FailedRecipient> failed(
      50, {std::string(60, 'a') + "@example.com", Reply{451, "4.3.0", "x"}});
  const Reply reply = RefusalOfSome(failed);
  EXPECT_EQ(reply.code, 554);
  EXPECT_LE(FormatReply(reply).size(), 512u);
  EXPECT_TRUE(reply.text.ends_with("a@example.com> and 45 more")) << reply.text;
  failed.assign(1, {std::string(500, 'a'), Reply{552, "5.2.2", "x"}});
  EXPECT_EQ(RefusalOfSome(failed).text, "Stored for some recipients; not for: and 1 more");
}

}  // namespace
}  // namespace rmail::gateway::smtp
