#include "gateway/relay/mail_commands.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace rmail::gateway::relay {
namespace {

using store::v1::QueueEnvelope;
using store::v1::QueueRecipient;

class MailCommandsTest : public ::testing::Test {
 protected:
  Mail MakeMail() {
    Mail mail;
    mail.envelope = &envelope_;
    mail.sender = std::get<smtp::Path>(ParseSender(envelope_.sender()));
    for (int i = 0; i < envelope_.recipients_size(); ++i) {
      mail.recipients.push_back(
          {i, std::get<smtp::Path>(ParseRecipient(envelope_.recipients(i).address()))});
    }
    mail.size = 1234;
    return mail;
  }
  std::string MailLine() { return MailCommand(MakeMail(), features_); }
  std::string RcptLine() {
    const Mail mail = MakeMail();
    return RcptCommand(mail, mail.recipients.at(0), features_);
  }
  std::string Trouble(bool utf8_header = false) {
    Mail mail = MakeMail();
    mail.utf8_header = utf8_header;
    const auto reply = Obstacle(mail, features_);
    return reply.has_value() ? std::to_string(reply->code) + " " + reply->enhanced : "none";
  }

  QueueEnvelope envelope_;
  ServerFeatures features_;
};

TEST_F(MailCommandsTest, Plain) {
  envelope_.set_sender("a@example.com");
  envelope_.add_recipients()->set_address("b@example.test");
  EXPECT_EQ(MailLine(), "MAIL FROM:<a@example.com>\r\n");
  EXPECT_EQ(RcptLine(), "RCPT TO:<b@example.test>\r\n");
  envelope_.set_sender("");
  EXPECT_EQ(MailLine(), "MAIL FROM:<>\r\n");
  envelope_.mutable_recipients(0)->set_address("\"a b\"@example.test");
  EXPECT_EQ(RcptLine(), "RCPT TO:<\"a b\"@example.test>\r\n");
}

TEST_F(MailCommandsTest, OnlyWhatIsOffered) {
  envelope_.set_sender("a@example.com");
  envelope_.set_envelope_id("id=1");
  envelope_.set_returned(QueueEnvelope::RETURN_HEADERS);
  envelope_.set_eight_bit(true);
  QueueRecipient& recipient = *envelope_.add_recipients();
  recipient.set_address("b@example.test");
  recipient.set_notify(QueueRecipient::NOTIFY_SUCCESS | QueueRecipient::NOTIFY_DELAY);
  recipient.set_original_recipient("rfc822;c+d@example.test");
  EXPECT_EQ(MailLine(), "MAIL FROM:<a@example.com>\r\n");
  EXPECT_EQ(RcptLine(), "RCPT TO:<b@example.test>\r\n");
  features_.eight_bit = features_.dsn = features_.size = true;
  EXPECT_EQ(MailLine(),
            "MAIL FROM:<a@example.com> SIZE=1234 BODY=8BITMIME RET=HDRS ENVID=id+3D1\r\n");
  EXPECT_EQ(RcptLine(),
            "RCPT TO:<b@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c+2Bd@example.test\r\n");
  recipient.set_notify(QueueRecipient::NOTIFY_NEVER);
  recipient.set_original_recipient("");
  envelope_.set_returned(QueueEnvelope::RETURN_FULL);
  EXPECT_EQ(RcptLine(), "RCPT TO:<b@example.test> NOTIFY=NEVER\r\n");
  EXPECT_NE(MailLine().find(" RET=FULL"), std::string::npos);
}

TEST_F(MailCommandsTest, OriginalRecipients) {
  features_.dsn = true;
  QueueRecipient& recipient = *envelope_.add_recipients();
  recipient.set_address("b@example.test");
  recipient.set_original_recipient("utf-8;\u00fc@example.test");
  EXPECT_EQ(RcptLine(), "RCPT TO:<b@example.test> ORCPT=utf-8;\\x{FC}@example.test\r\n");
  for (const char* bad :
       {"no type", ";a@b", "rfc822;", "a b;c@d", "a\r\nb;c@d", "rfc822;\u00fc@d"}) {
    recipient.set_original_recipient(bad);
    EXPECT_EQ(RcptLine(), "RCPT TO:<b@example.test>\r\n") << bad;
  }
}

// An envelope may hold anything; a command must not.
TEST_F(MailCommandsTest, NothingButAddresses) {
  for (const char* bad : {"a@b>\r\nDATA", "a b@example.test", "a@b> SIZE=1", "a@", "@b", "a",
                          "a@b c", "a\n@b", "<a@b>", "postmaster"}) {
    EXPECT_TRUE(std::holds_alternative<smtp::Reply>(ParseRecipient(bad))) << bad;
    EXPECT_TRUE(std::holds_alternative<smtp::Reply>(ParseSender(bad))) << bad;
  }
  EXPECT_TRUE(std::holds_alternative<smtp::Reply>(ParseRecipient("")));
}

TEST_F(MailCommandsTest, Obstacles) {
  envelope_.set_sender("a@example.com");
  envelope_.add_recipients()->set_address("b@example.test");
  EXPECT_EQ(Trouble(), "none");
  features_.max_size = 1233;
  EXPECT_EQ(Trouble(), "552 5.3.4");
  features_.max_size = 1234;
  EXPECT_EQ(Trouble(), "none");
  envelope_.set_eight_bit(true);
  EXPECT_EQ(Trouble(), "550 5.6.3");
  features_.eight_bit = true;
  EXPECT_EQ(Trouble(), "none");
  envelope_.set_binary(true);
  features_.binary = true;
  EXPECT_EQ(Trouble(), "550 5.6.1");
  features_.chunking = true;
  EXPECT_EQ(Trouble(), "none");
  EXPECT_NE(MailLine().find("BODY=BINARYMIME"), std::string::npos);
}

TEST_F(MailCommandsTest, Utf8) {
  envelope_.set_sender("a@b\u00fccher.example");
  envelope_.set_utf8(true);
  envelope_.add_recipients()->set_address("b@example.test");
  // The domain has another form.
  EXPECT_EQ(Trouble(), "none");
  EXPECT_EQ(MailLine(), "MAIL FROM:<a@xn--bcher-kva.example>\r\n");
  EXPECT_FALSE(HeaderDecides(MakeMail(), features_));
  // The header may need it, too.
  envelope_.set_eight_bit(true);
  features_.eight_bit = true;
  EXPECT_TRUE(HeaderDecides(MakeMail(), features_));
  EXPECT_EQ(Trouble(/*utf8_header=*/false), "none");
  EXPECT_EQ(Trouble(/*utf8_header=*/true), "550 5.6.7");
  // A local part has no other form.
  envelope_.set_eight_bit(false);
  envelope_.mutable_recipients(0)->set_address("\u00fc@example.test");
  EXPECT_EQ(Trouble(), "550 5.6.7");
  features_.utf8 = true;
  EXPECT_EQ(Trouble(), "none");
  EXPECT_EQ(MailLine(), "MAIL FROM:<a@b\u00fccher.example> SMTPUTF8\r\n");
  EXPECT_EQ(RcptLine(), "RCPT TO:<\u00fc@example.test>\r\n");
}

TEST_F(MailCommandsTest, RequireTls) {
  envelope_.set_sender("a@example.com");
  envelope_.set_require_tls(true);
  EXPECT_EQ(MailLine(), "MAIL FROM:<a@example.com> REQUIRETLS\r\n");
}

}  // namespace
}  // namespace rmail::gateway::relay
