#include "store/mime/envelope.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/digest.h"

namespace rmail::mime {
namespace {

using store::v1::Envelope;

Envelope EnvelopeOf(std::string_view header) { return DigestOf(header).envelope(); }

TEST(EnvelopeTest, KeepsRawText) {
  const Envelope envelope = EnvelopeOf(
      "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?x?= y \r\n"
      "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
      "Message-ID:  <1@x> \r\n"
      "In-Reply-To: <0@x>\r\n\r\n");
  EXPECT_EQ(envelope.subject(), "=?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?x?= y");
  EXPECT_EQ(envelope.date(), "Fri, 21 Nov 1997 09:55:06 -0600");
  EXPECT_EQ(envelope.sent(), 880127706000000);
  EXPECT_EQ(envelope.sent_zone(), -360);
  EXPECT_EQ(envelope.message_id(), "<1@x>");
  EXPECT_EQ(envelope.in_reply_to(), "<0@x>");
}

TEST(EnvelopeTest, MissingIsNotEmpty) {
  const Envelope missing = EnvelopeOf("To: a@b\n\n");
  EXPECT_FALSE(missing.has_subject() || missing.has_date() || missing.has_sent() ||
               missing.has_message_id() || missing.has_in_reply_to());
  const Envelope empty = EnvelopeOf("Subject:\nDate: never\nMessage-Id: \n\n");
  EXPECT_TRUE(empty.has_subject() && empty.has_date() && empty.has_message_id());
  EXPECT_FALSE(empty.has_sent());
}

TEST(EnvelopeTest, SenderAndReplyToDefaultToFrom) {
  const Envelope envelope = EnvelopeOf("Sender: \nFrom: Ann <a@b>\n\n");
  ASSERT_EQ(envelope.sender_size(), 1);
  EXPECT_EQ(envelope.sender(0).name(), "Ann");
  ASSERT_EQ(envelope.reply_to_size(), 1);
  EXPECT_EQ(envelope.reply_to(0).mailbox(), "a");
  const Envelope own = EnvelopeOf("Reply-To: r@x\nSender: s@x\nFrom: f@x\n\n");
  EXPECT_EQ(own.sender(0).mailbox(), "s");
  EXPECT_EQ(own.reply_to(0).mailbox(), "r");
}

TEST(EnvelopeTest, FirstFieldCountsAndListsAreJoined) {
  const Envelope envelope = EnvelopeOf(
      "Subject: 1\nSubject: 2\nDate: 1 Jan 2000 00:00 +0000\nDate: 2 Jan 2000 00:00 +0000\n"
      "Message-ID: <1@x>\nMessage-ID: <2@x>\nFrom: a@x\nFrom: b@x\n"
      "To: a@x\nTo: b@x\nCc: c@x\nCC: d@x\nBcc: e@x\nbcc: f@x\n\n");
  EXPECT_EQ(envelope.subject(), "1");
  EXPECT_EQ(envelope.sent(), 946684800000000);
  EXPECT_EQ(envelope.message_id(), "<1@x>");
  EXPECT_EQ(envelope.from_size(), 1);
  ASSERT_EQ(envelope.to_size(), 2);
  EXPECT_EQ(envelope.to(1).mailbox(), "b");
  EXPECT_EQ(envelope.cc_size(), 2);
  EXPECT_EQ(envelope.bcc_size(), 2);
}

TEST(EnvelopeTest, BytesBecomeUtf8) {
  EXPECT_EQ(EnvelopeOf("Subject: Gr\xFC\xDF"
                       "e\n\n")
                .subject(),
            "Grüße");
  EXPECT_EQ(EnvelopeOf(std::string_view("Subject: a\0b\n\n", 14)).subject(), "ab");
}

TEST(EnvelopeTest, References) {
  const auto references = [](std::string_view header) {
    const auto digest = DigestOf(header);
    return std::vector<std::string>(digest.references().begin(), digest.references().end());
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(references("References: <a@x>\r\n <b@x> (c) <c@\r\n x>\r\nIn-Reply-To: <d@x>\r\n\r\n"),
            (Ids{"a@x", "b@x", "c@x"}));
  EXPECT_EQ(references("In-Reply-To: Your message of <d@x>\n\n"), Ids{"d@x"});
  EXPECT_EQ(references("References: \nIn-Reply-To: <d@x>\n\n"), Ids{"d@x"});
  EXPECT_EQ(references("References: a@x, b@x nothing\n\n"), (Ids{"a@x", "b@x"}));
  EXPECT_EQ(references("References: <a@x <b@x> <>\n\n"), (Ids{"a@x", "b@x"}));
  EXPECT_EQ(references("Subject: none\n\n"), Ids{});
}

TEST(EnvelopeTest, KeepsTheRootAndTheLatestReferences) {
  std::string value;
  for (int i = 0; i < 250; ++i) value += "<" + std::to_string(i) + "@x> ";
  const std::vector<std::string> ids = ParseMessageIds(value, 100);
  ASSERT_EQ(ids.size(), 100u);
  EXPECT_EQ(ids.front(), "0@x");
  EXPECT_EQ(ids[1], "151@x");
  EXPECT_EQ(ids.back(), "249@x");
}

}  // namespace
}  // namespace rmail::mime
