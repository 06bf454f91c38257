#include "gateway/relay/delivery_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/relay/report_fields.h"
#include "gateway/relay/returned_content.h"

namespace rmail::gateway::relay {
namespace {

using store::v1::QueueEnvelope;
using ::testing::HasSubstr;
using ::testing::Not;

// "J\xc3\xbcrgen", with an umlaut.
constexpr char kUmlaut[] = "j\xc3\xbcrgen@example.org";

DeliveryReport Report(ReportAction action) {
  DeliveryReport report;
  report.action = action;
  report.hostname = "mail.example.com";
  report.sender = "alice@example.com";
  report.trace_id = "T1";
  report.unique = "dsn1";
  report.arrived = absl::UnixEpoch();
  report.time = absl::UnixEpoch() + absl::Hours(1);
  report.retry_until = absl::UnixEpoch() + absl::Hours(120);
  report.recipients.push_back({"bob@example.org", "", {550, "5.1.1", "No such user"}, "mx.org"});
  return report;
}

void ExpectWellFormed(const std::string& message) { EXPECT_FALSE(IsUnclean(message)) << message; }

TEST(DeliveryReport, Failure) {
  DeliveryReport report = Report(ReportAction::kFailed);
  report.envelope_id = "E1";
  report.recipients[0].original_recipient = "rfc822;Bob@example.org";
  report.returned = {"Message-ID: <1@x>\r\nSubject: Hi\r\n\r\nBody", true};
  const ComposedReport composed = ComposeReport(report);
  EXPECT_EQ(composed.message,
            "From: Mail Delivery System <MAILER-DAEMON@mail.example.com>\r\n"
            "To: <alice@example.com>\r\n"
            "Date: Thu, 01 Jan 1970 01:00:00 +0000\r\n"
            "Message-ID: <dsn1@mail.example.com>\r\n"
            "References: <1@x>\r\n"
            "Subject: Undelivered mail\r\n"
            "Auto-Submitted: auto-replied\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
            "\tboundary=\"=_dsn1\"\r\n"
            "\r\n--=_dsn1\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\n"
            "This is the mail system at mail.example.com.\r\n\r\n"
            "Your message could not be delivered to the recipients below.\r\n"
            "Nothing more will be tried for them.\r\n"
            "\r\n  <bob@example.org>\r\n"
            "    mx.org said:\r\n"
            "    550 5.1.1 No such user\r\n"
            "\r\nThe message's id here was T1.\r\n"
            "\r\n--=_dsn1\r\n"
            "Content-Type: message/delivery-status\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\n"
            "Original-Envelope-Id: E1\r\n"
            "Reporting-MTA: dns; mail.example.com\r\n"
            "Arrival-Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
            "\r\n"
            "Original-Recipient: rfc822; Bob@example.org\r\n"
            "Final-Recipient: rfc822; bob@example.org\r\n"
            "Action: failed\r\n"
            "Status: 5.1.1\r\n"
            "Remote-MTA: dns; mx.org\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
            "Last-Attempt-Date: Thu, 01 Jan 1970 01:00:00 +0000\r\n"
            "\r\n--=_dsn1\r\n"
            "Content-Type: message/rfc822\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\n"
            "Message-ID: <1@x>\r\nSubject: Hi\r\n\r\nBody"
            "\r\n--=_dsn1--\r\n");
  EXPECT_FALSE(composed.utf8);
  EXPECT_FALSE(composed.eight_bit);
}

TEST(DeliveryReport, Delay) {
  DeliveryReport report = Report(ReportAction::kDelayed);
  report.recipients[0].reply = {451, "", "Greylisted\nsorry"};
  report.recipients[0].server = "";
  const std::string message = ComposeReport(report).message;
  EXPECT_THAT(message, HasSubstr("Subject: Delayed mail\r\n"));
  EXPECT_THAT(message, HasSubstr("It will be tried until Tue, 06 Jan 1970 00:00:00 +0000.\r\n"));
  EXPECT_THAT(message, HasSubstr("Action: delayed\r\nStatus: 4.0.0\r\n"
                                 "Diagnostic-Code: x-rmail; 451 Greylisted sorry\r\n"));
  EXPECT_THAT(message, HasSubstr("Will-Retry-Until: Tue, 06 Jan 1970 00:00:00 +0000\r\n"));
  EXPECT_THAT(message, Not(HasSubstr("Remote-MTA")));
  EXPECT_THAT(message, Not(HasSubstr("rfc822-headers")));
  ExpectWellFormed(message);
}

TEST(DeliveryReport, SuccessHereAndElsewhere) {
  DeliveryReport report = Report(ReportAction::kDelivered);
  report.recipients[0].reply = {250, "2.1.5", "Delivered"};
  EXPECT_THAT(ComposeReport(report).message, HasSubstr("Action: delivered\r\nStatus: 2.1.5\r\n"));
  report.action = ReportAction::kRelayed;
  EXPECT_THAT(ComposeReport(report).message, HasSubstr("Action: relayed\r\nStatus: 2.1.5\r\n"));
}

TEST(DeliveryReport, TransientReasonsAreFinalWhenItFails) {
  DeliveryReport report = Report(ReportAction::kFailed);
  report.recipients[0].reply = {451, "4.3.0", "Down"};
  EXPECT_THAT(ComposeReport(report).message, HasSubstr("Status: 5.3.0\r\n"));
  report.recipients[0].expired = true;
  const std::string message = ComposeReport(report).message;
  EXPECT_THAT(message, HasSubstr("Status: 4.4.7\r\n"));
  EXPECT_THAT(message, HasSubstr("Diagnostic-Code: smtp; 451 4.3.0 Down\r\n"));
  EXPECT_THAT(message, HasSubstr("It was tried since Thu, 01 Jan 1970 00:00:00 +0000."));
}

TEST(DeliveryReport, NoWordOfOthersBreaksALine) {
  DeliveryReport report = Report(ReportAction::kFailed);
  constexpr std::string_view kStart("a\r\nBcc: x@y\r\n\r\n--=_dsn1\n\0\x1b[2J\x80\xff", 31);
  static_assert(kStart.ends_with('\xff'));
  const std::string evil = std::string(kStart) + std::string(2000, 'x');
  report.sender = evil;
  report.trace_id = evil;
  report.envelope_id = evil;
  report.recipients[0] = {evil, evil, {599, evil, evil}, evil};
  report.recipients.push_back({"x", "utf-8;" + evil, {0, "", ""}, ""});
  report.returned = {"Message-ID: <a\rb@c>\r\n" + evil + "\r\n\r\n", true};
  report.utf8 = true;
  const std::string message = ComposeReport(report).message;
  ExpectWellFormed(message);
  EXPECT_THAT(message, Not(HasSubstr("\r\nBcc:")));
  EXPECT_THAT(message, Not(HasSubstr("References")));
  EXPECT_THAT(message, Not(HasSubstr("\x1b")));
  EXPECT_THAT(message, HasSubstr("text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n"));
  EXPECT_THAT(message, HasSubstr("Status: 5.0.0\r\n"));
}

TEST(DeliveryReport, InternationalisedAddresses) {
  DeliveryReport report = Report(ReportAction::kFailed);
  report.recipients[0].address = kUmlaut;
  report.recipients[0].original_recipient = std::string("utf-8;") + kUmlaut;
  // A sender who has not used SMTPUTF8 can't be expected to read it.
  ComposedReport composed = ComposeReport(report);
  EXPECT_THAT(composed.message, HasSubstr("Content-Type: message/delivery-status\r\n"));
  EXPECT_THAT(composed.message, HasSubstr("Original-Recipient: utf-8; j\\x{FC}rgen@example.org\r\n"
                                          "Final-Recipient: utf-8; j\\x{FC}rgen@example.org\r\n"));
  EXPECT_FALSE(composed.utf8);
  report.utf8 = true;
  composed = ComposeReport(report);
  EXPECT_THAT(composed.message, HasSubstr("Content-Type: message/global-delivery-status\r\n"
                                          "Content-Transfer-Encoding: 8bit\r\n"));
  EXPECT_THAT(composed.message, HasSubstr(std::string("Final-Recipient: utf-8; ") + kUmlaut));
  EXPECT_FALSE(composed.utf8);
  EXPECT_TRUE(composed.eight_bit);
  report.sender = kUmlaut;
  EXPECT_TRUE(ComposeReport(report).utf8);
}

TEST(DeliveryReport, ReturnedMessages) {
  DeliveryReport report = Report(ReportAction::kFailed);
  report.utf8 = true;
  report.returned = {"Subject: \xc3\xbc\r\n\r\nBody\r\n", true};
  EXPECT_THAT(ComposeReport(report).message,
              HasSubstr("Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                        "Subject: \xc3\xbc\r\n\r\nBody\r\n\r\n--=_dsn1--\r\n"));
  report.returned = {"Subject: \xc3\xbc\r\n", false};
  EXPECT_THAT(ComposeReport(report).message, HasSubstr("Content-Type: message/global-headers\r\n"));
  // Latin-1 is not UTF-8.
  report.returned = {"Subject: \xfc\r\n", false};
  EXPECT_THAT(ComposeReport(report).message, HasSubstr("Content-Type: text/rfc822-headers\r\n"
                                                       "Content-Transfer-Encoding: 8bit\r\n"));
  // A message that would need an encoding can have none.
  report.returned = {"Subject: x\r\n\r\n" + std::string(999, 'y'), true};
  EXPECT_THAT(ComposeReport(report).message,
              HasSubstr("text/rfc822-headers\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
                        "Subject: x\r\n\r\n--=_dsn1--"));
}

TEST(NewReportId, IsNewEachTime) { EXPECT_NE(NewReportId(), NewReportId()); }

TEST(ReportFields, CleanLineCutsBetweenCharacters) {
  EXPECT_EQ(CleanLine("\xc3\xbc\xc3\xbc", false, 3), "\xc3\xbc");
  EXPECT_EQ(CleanLine("\xc3\xbc", true), "??");
  EXPECT_EQ(CleanLine("\xc3", false), "?");
  EXPECT_EQ(CleanLine("a\tb\x7f", false), "a b ");
}

TEST(ReportFields, StatusOfAReply) {
  EXPECT_EQ(StatusOf({550, "5.1.1", ""}, '5'), "5.1.1");
  EXPECT_EQ(StatusOf({450, "4.7.100", ""}, '5'), "5.7.100");
  for (const char* bad : {"", "5", "5.1", "5.1.", "5..1", "6.1.1", "5.1.1.1", "5.1.1000",
                          "5.1000.1", "5.1.1 x", "5.a.1", "5\r\n.1"}) {
    EXPECT_EQ(StatusOf({450, bad, ""}, '4'), "4.0.0") << bad;
  }
}

TEST(ReportFields, MessageIds) {
  EXPECT_EQ(MessageIdOf("Subject: x\r\nmessage-ID:  <a@b> \r\n"), "<a@b>");
  EXPECT_EQ(MessageIdOf("Subject: x\r\n\r\nMessage-ID: <a@b>\r\n"), "");
  EXPECT_EQ(MessageIdOf("Message-ID:\r\n <a@b>\r\n"), "");
  EXPECT_EQ(MessageIdOf("Message-ID: <a@b> <c@d>\r\n"), "");
  EXPECT_EQ(MessageIdOf("Message-ID: <a\x01@b>"), "");
  EXPECT_EQ(MessageIdOf("Message-ID: <" + std::string(2000, 'x') + ">"), "");
  EXPECT_EQ(MessageIdOf("Message-ID: <>"), "");
}

TEST(ReportFields, UncleanText) {
  const std::string full(998, 'x');
  EXPECT_FALSE(IsUnclean(""));
  EXPECT_FALSE(IsUnclean(full + "\r\n" + full));
  EXPECT_TRUE(IsUnclean(full + "x"));
  EXPECT_TRUE(IsUnclean(full + "x\r\n"));
  EXPECT_TRUE(IsUnclean("a\nb"));
  EXPECT_TRUE(IsUnclean("a\rb"));
  EXPECT_TRUE(IsUnclean("a\r"));
  EXPECT_TRUE(IsUnclean(std::string_view("a\0b", 3)));
}

ReturnedContent Read(bool whole, const std::vector<std::string>& pieces) {
  ReturnedContentReader reader(whole);
  for (const std::string& piece : pieces) {
    if (!reader.Feed(piece)) break;
  }
  return reader.Take();
}

TEST(ReturnedContent, HeaderEndsWhereverThePiecesDo) {
  const std::string message = "A: b\r\nC: d\r\n\r\nBody\r\n\r\nMore";
  for (size_t cut = 0; cut <= message.size(); ++cut) {
    const ReturnedContent content = Read(false, {message.substr(0, cut), message.substr(cut)});
    EXPECT_EQ(content.data, "A: b\r\nC: d\r\n") << cut;
    EXPECT_FALSE(content.whole);
    EXPECT_EQ(Read(true, {message.substr(0, cut), message.substr(cut)}).data, message);
  }
}

TEST(ReturnedContent, OddMessages) {
  EXPECT_EQ(Read(false, {}).data, "");
  EXPECT_EQ(Read(false, {"\r\nBody"}).data, "");
  EXPECT_EQ(Read(false, {"A: b\r\nC"}).data, "A: b\r\n");
  EXPECT_EQ(Read(false, {"A"}).data, "A");
}

TEST(ReturnedContent, Bounds) {
  const std::string line = "A: " + std::string(995, 'x') + "\r\n";
  std::vector<std::string> lines(2000, line);
  ReturnedContent content = Read(false, lines);
  EXPECT_LE(content.data.size(), kMaxReturnedHeader);
  EXPECT_GT(content.data.size(), kMaxReturnedHeader - line.size());
  EXPECT_TRUE(content.data.ends_with("x\r\n"));
  content = Read(true, lines);
  EXPECT_FALSE(content.whole);
  EXPECT_LE(content.data.size(), kMaxReturnedHeader);
  content = Read(true, {std::string(kMaxReturnedMessage, 'y')});
  EXPECT_TRUE(content.whole);
  EXPECT_EQ(content.data.size(), kMaxReturnedMessage);
  EXPECT_FALSE(Read(true, {std::string(kMaxReturnedMessage, 'y'), "y"}).whole);
}

TEST(ReturnedContent, WhatIsReturned) {
  QueueEnvelope envelope;
  EXPECT_FALSE(ReturnsWhole(envelope, 1, ReportAction::kFailed));
  envelope.set_account("alice@example.com");
  EXPECT_TRUE(ReturnsWhole(envelope, 1, ReportAction::kFailed));
  envelope.set_returned(QueueEnvelope::RETURN_HEADERS);
  EXPECT_FALSE(ReturnsWhole(envelope, 1, ReportAction::kFailed));
  envelope.set_account("");
  envelope.set_returned(QueueEnvelope::RETURN_FULL);
  EXPECT_TRUE(ReturnsWhole(envelope, 1, ReportAction::kFailed));
  EXPECT_FALSE(ReturnsWhole(envelope, 1, ReportAction::kDelayed));
  EXPECT_FALSE(ReturnsWhole(envelope, kMaxReturnedMessage + 1, ReportAction::kFailed));
  envelope.set_require_tls(true);
  EXPECT_FALSE(ReturnsWhole(envelope, 1, ReportAction::kFailed));
}

}  // namespace
}  // namespace rmail::gateway::relay
