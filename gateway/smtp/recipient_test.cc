#include "gateway/smtp/recipient.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

store::v1::ResolveRecipientResponse Resolved(std::vector<std::string> accounts,
                                             std::vector<std::string> external) {
  store::v1::ResolveRecipientResponse resolved;
  resolved.set_local(true);
  resolved.mutable_accounts()->Add(accounts.begin(), accounts.end());
  resolved.mutable_external()->Add(external.begin(), external.end());
  return resolved;
}

RcptCommand Rcpt(uint32_t notify, std::string original = "") {
  RcptCommand rcpt;
  rcpt.notify = notify;
  rcpt.original_recipient = std::move(original);
  return rcpt;
}

TEST(AccountOf, InLowerCase) {
  EXPECT_EQ(AccountOf("Alice@Example.COM"), "accounts/alice@example.com");
}

TEST(AccountsOf, EachOnceInOrder) {
  EXPECT_EQ(AccountsOf({{"a", {"accounts/1", "accounts/2"}, {}, 0, ""},
                        {"b", {"accounts/2", "accounts/3"}, {}, 0, ""}}),
            (std::vector<std::string>{"accounts/1", "accounts/2", "accounts/3"}));
}

TEST(MakeRecipient, OfAnotherServer) {
  const Recipient recipient = MakeRecipient("x@elsewhere.example", Rcpt(kNotifySuccess), {});
  EXPECT_TRUE(recipient.accounts.empty());
  EXPECT_EQ(recipient.external, std::vector<std::string>{"x@elsewhere.example"});
  EXPECT_EQ(recipient.notify, kNotifySuccess);
  EXPECT_EQ(recipient.original_recipient, "");
}

TEST(MakeRecipient, AliasKeepsWhatTheSenderWrote) {
  const auto away = Resolved({}, {"x@elsewhere.example"});
  EXPECT_EQ(MakeRecipient("sales@example.com", Rcpt(0), away).original_recipient,
            "rfc822;sales@example.com");
  EXPECT_EQ(MakeRecipient("\xc3\xbc@example.com", Rcpt(0), away).original_recipient,
            "utf-8;\xc3\xbc@example.com");
  EXPECT_EQ(MakeRecipient("sales@example.com", Rcpt(0, "rfc822;s@c"), away).original_recipient,
            "rfc822;s@c");
  EXPECT_EQ(
      MakeRecipient("a@example.com", Rcpt(0), Resolved({"accounts/a"}, {})).original_recipient, "");
}

TEST(EnvelopeFor, SaysWhatTheClientSaid) {
  MailCommand mail;
  mail.reverse_path = {"alice", "example.com"};
  mail.envelope_id = "id 1";
  mail.returned = Returned::kHeaders;
  mail.body = Body::kBinaryMime;
  mail.utf8 = true;
  mail.require_tls = true;
  const std::vector<Recipient> recipients = {
      MakeRecipient("bob@example.com", Rcpt(0), Resolved({"accounts/bob@example.com"}, {})),
      MakeRecipient("x@Elsewhere.example", Rcpt(kNotifyNever, "rfc822;y@z"), {}),
      MakeRecipient(
          "all@example.com", Rcpt(kNotifyDelay),
          Resolved({"accounts/bob@example.com"}, {"x@elsewhere.EXAMPLE", "X@elsewhere.example"}))};
  const auto envelope =
      EnvelopeFor(mail, recipients, "0123456789abcdef", "accounts/alice@example.com");
  EXPECT_EQ(envelope.sender(), "alice@example.com");
  EXPECT_EQ(envelope.envelope_id(), "id 1");
  EXPECT_EQ(envelope.returned(), store::v1::QueueEnvelope::RETURN_HEADERS);
  EXPECT_TRUE(envelope.utf8() && envelope.eight_bit() && envelope.binary());
  EXPECT_TRUE(envelope.require_tls());
  EXPECT_EQ(envelope.trace_id(), "0123456789abcdef");
  EXPECT_EQ(envelope.account(), "alice@example.com");
  // The domain's case does not matter, the local part's may.
  ASSERT_EQ(envelope.recipients_size(), 2);
  EXPECT_EQ(envelope.recipients(0).address(), "x@Elsewhere.example");
  EXPECT_EQ(envelope.recipients(0).notify(), kNotifyNever);
  EXPECT_EQ(envelope.recipients(0).original_recipient(), "rfc822;y@z");
  EXPECT_EQ(envelope.recipients(1).address(), "X@elsewhere.example");
  EXPECT_EQ(envelope.recipients(1).notify(), kNotifyDelay);
  EXPECT_EQ(envelope.recipients(1).original_recipient(), "rfc822;all@example.com");
}

TEST(RefineEnvelope, OnlyWhatTheMessageNeeds) {
  store::v1::QueueEnvelope declared;
  declared.add_recipients()->set_address("x@elsewhere.example");
  declared.set_utf8(true);
  declared.set_eight_bit(true);
  declared.set_binary(true);
  MessageFacts facts;
  facts.header_complete = true;

  store::v1::QueueEnvelope envelope = declared;
  RefineEnvelope(facts, /*complete=*/true, envelope);
  EXPECT_FALSE(envelope.utf8() || envelope.eight_bit() || envelope.binary());

  // What has not come yet may need it.
  envelope = declared;
  RefineEnvelope(facts, /*complete=*/false, envelope);
  EXPECT_FALSE(envelope.utf8());
  EXPECT_TRUE(envelope.eight_bit() && envelope.binary());
  facts.header_complete = false;
  envelope = declared;
  RefineEnvelope(facts, /*complete=*/false, envelope);
  EXPECT_TRUE(envelope.utf8());

  facts.eight_bit = facts.eight_bit_header = facts.nul = true;
  envelope = declared;
  RefineEnvelope(facts, /*complete=*/true, envelope);
  EXPECT_TRUE(envelope.utf8() && envelope.eight_bit() && envelope.binary());

  // Sent without being declared: most servers take it as 8BITMIME.
  envelope.set_utf8(false);
  envelope.set_eight_bit(false);
  envelope.set_binary(false);
  RefineEnvelope(facts, /*complete=*/true, envelope);
  EXPECT_FALSE(envelope.utf8());
  EXPECT_TRUE(envelope.eight_bit());
  EXPECT_FALSE(envelope.binary());
}

TEST(RefineEnvelope, AnAddressMayNeedUtf8) {
  store::v1::QueueEnvelope envelope;
  envelope.set_utf8(true);
  envelope.add_recipients()->set_address("\xc3\xbc@elsewhere.example");
  RefineEnvelope(MessageFacts(), /*complete=*/true, envelope);
  EXPECT_TRUE(envelope.utf8());
}

}  // namespace
}  // namespace rmail::gateway::smtp
