#include "gateway/smtp/outcome.h"

#include <gtest/gtest.h>

#include "gateway/smtp/non_delivery.h"
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
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_STORE_UNAVAILABLE)), "451 4.3.0");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_CORRUPT_MAILBOX)), "451 4.3.0");
  // More recipients than an alias may have.
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_INVALID_ALIAS)), "451 4.3.0");
  EXPECT_EQ(Codes(ReplyFor(store::v1::ERROR_REASON_BAD_TOKEN)), "451 4.3.0");
  EXPECT_EQ(Codes(ReplyFor(absl::InternalError("x"))), "451 4.3.0");
}

TEST(AccountsOf, EachOnceInOrder) {
  EXPECT_EQ(AccountsOf({{"a", {"accounts/1", "accounts/2"}}, {"b", {"accounts/2", "accounts/3"}}}),
            (std::vector<std::string>{"accounts/1", "accounts/2", "accounts/3"}));
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
  const std::vector<Recipient> recipients = {
      {"a@x", {"accounts/1"}}, {"list@x", {"accounts/1", "accounts/2"}}, {"c@x", {"accounts/3"}}};
  const auto response = Response({{"accounts/1", ""}, {"accounts/2", "OVER_QUOTA"}});
  const auto failed = FailedRecipients(recipients, response);
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(failed[0].address, "list@x");
  EXPECT_EQ(Codes(failed[0].reply), "552 5.2.2");
  // The store has not said anything about it.
  EXPECT_EQ(failed[1].address, "c@x");
  EXPECT_EQ(Codes(failed[1].reply), "451 4.3.0");
  EXPECT_TRUE(AnyDelivered(response));
  EXPECT_FALSE(AnyDelivered(Response({{"accounts/1", "OVER_QUOTA"}})));
}

TEST(RefusalOfAll, TransientFirst) {
  EXPECT_EQ(RefusalOfAll({{"a", {552, "5.2.2", ""}}, {"b", {550, "5.1.1", ""}}}).code, 552);
  EXPECT_EQ(RefusalOfAll({{"a", {552, "5.2.2", ""}}, {"b", {451, "4.3.0", ""}}}).code, 451);
  EXPECT_EQ(RefusalOfAll({}).code, 451);
}

TEST(ComposeNonDelivery, TransientReasonsAreFinalAndUtf8IsNamed) {
  NonDelivery notice{"mail.example.com", "carol@example.com", "id1", {}, absl::UnixEpoch()};
  notice.failed.push_back({"j\xc3\xbcrgen@example.com", {451, "4.3.0", "Down"}});
  const std::string message = ComposeNonDelivery(notice);
  EXPECT_NE(message.find("\r\nFinal-Recipient: utf-8; j\xc3\xbcrgen@example.com\r\n"
                         "Action: failed\r\nStatus: 5.3.0\r\n"
                         "Diagnostic-Code: smtp; 451 4.3.0 Down\r\n"),
            std::string::npos)
      << message;
  EXPECT_EQ(message.find('\0'), std::string::npos);
  for (size_t at = message.find('\n'); at != std::string::npos; at = message.find('\n', at + 1)) {
    ASSERT_EQ(message[at - 1], '\r');
  }
}

TEST(Judge, Limits) {
  const MessagePolicy policy{100, 10, 2};
  EXPECT_FALSE(Judge({100, false, 10, 2}, policy).has_value());
  EXPECT_EQ(Judge({101, false, 10, 2}, policy)->code, 552);
  EXPECT_EQ(Codes(*Judge({100, false, 11, 2}, policy)), "550 5.6.0");
  EXPECT_EQ(Codes(*Judge({100, false, 10, 3}, policy)), "554 5.4.6");
  EXPECT_EQ(Codes(*Judge({101, true, 11, 3}, policy)), "550 5.6.11");
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

TEST(AccountOf, InLowerCase) {
  EXPECT_EQ(AccountOf("Alice@Example.COM"), "accounts/alice@example.com");
}

}  // namespace
}  // namespace rmail::gateway::smtp
