#include "gateway/exchange/answers.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange/message_id.h"
#include "gateway/exchange/message_view.h"
#include "store/mime/digest.h"

namespace rmail::gateway::exchange {
namespace {

namespace json = boost::json;

constexpr std::string_view kMailbox = "accounts/ann@a.example/mailboxes/m1";

constexpr std::string_view kMixed =
    "From: =?utf-8?q?J=C3=BCrgen?= <j@a.example>, Bob <b@a.example>\r\n"
    "To: friends: x@b.example, y@b.example;, \"Doe, Jane\" <jane@b.example>\r\n"
    "Subject: =?iso-8859-1?q?Gr=FC=DFe?= from =?utf-8?b?4oKs?=\r\n"
    "Date: Tue, 24 Nov 2026 23:06:03 +0100\r\n"
    "Message-ID: <1@a.example>\r\n"
    "X-Folded: one\r\n two\r\n"
    "Content-Type: multipart/mixed; boundary=o\r\n"
    "\r\n"
    "--o\r\n"
    "Content-Type: multipart/alternative; boundary=i\r\n"
    "\r\n"
    "--i\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Gr=FC=DFe, und =\r\n"
    "mehr\r\n"
    "--i\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "PGI+R3LDvMOfZTwvYj4=\r\n"
    "--i--\r\n"
    "--o\r\n"
    "Content-Type: image/png\r\n"
    "Content-ID: <pic@a>\r\n"
    "Content-Disposition: inline\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "AAECAwQ=\r\n"
    "--o\r\n"
    "Content-Type: application/pdf; name=\"=?utf-8?q?=C3=BC.pdf?=\"\r\n"
    "Content-Disposition: attachment; filename=\"../../etc/x.pdf\"\r\n"
    "\r\n"
    "%PDF\r\n"
    "--o\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner\r\n"
    "\r\n"
    "inner text\r\n"
    "--o--\r\n";

MessageRow RowOf(std::string_view message) {
  MessageRow row;
  row.uid = 7;
  row.flags = 1 | 4 | 32 | 64;
  row.internal_date = 1795561563'000000;
  row.size = message.size();
  row.digest = mime::DigestOf(message);
  return row;
}

// As GetMessage does it for a message that lies in one piece.
json::object Show(std::string_view message) {
  MessageDetail detail;
  detail.mailbox.set_name(std::string(kMailbox));
  detail.mailbox.add_keywords("$Forwarded");
  detail.mailbox.add_keywords("");
  detail.row = RowOf(message);
  detail.parts = FindParts(detail.row.digest.body());
  detail.row.has_attachments = HasAttachments(detail.parts);
  detail.header = std::string(message.substr(0, detail.row.digest.body().body_offset()));
  const auto bytes = [&](const store::v1::BodyPart& part) {
    return message.substr(part.body_offset(), part.body_size());
  };
  if (detail.parts.text.body != nullptr) {
    detail.text = DecodeText(*detail.parts.text.body, bytes(*detail.parts.text.body));
  }
  if (detail.parts.html.body != nullptr) {
    detail.html = DecodeText(*detail.parts.html.body, bytes(*detail.parts.html.body));
  }
  for (const Part& part : detail.parts.attachments) {
    detail.attachment_sizes.push_back(DecodedSize(*part.body, bytes(*part.body)));
  }
  return json::parse(ToJson(detail)).as_object();
}

TEST(MessageDetailTest, DecodesHeaders) {
  const json::object message = Show(kMixed);
  EXPECT_EQ(message.at("subject"), "Grüße from €");
  EXPECT_EQ(
      json::serialize(message.at("from")),
      R"([{"name":"Jürgen","address":"j@a.example"},{"name":"Bob","address":"b@a.example"}])");
  EXPECT_EQ(json::serialize(message.at("to")),
            R"([{"name":"","address":"x@b.example"},{"name":"","address":"y@b.example"},)"
            R"({"name":"Doe, Jane","address":"jane@b.example"}])");
  EXPECT_EQ(message.at("date"), "2026-11-24T22:06:03Z");
  EXPECT_EQ(message.at("received"), "2026-11-24T23:06:03Z");
  EXPECT_EQ(message.at("message_id"), "<1@a.example>");
  EXPECT_EQ(message.at("in_reply_to"), nullptr);
  const std::string headers = json::serialize(message.at("headers"));
  EXPECT_NE(headers.find(R"({"name":"X-Folded","value":"one two"})"), std::string::npos) << headers;
  EXPECT_NE(headers.find(R"({"name":"Subject","value":"Grüße from €"})"), std::string::npos)
      << headers;
}

TEST(MessageDetailTest, ShowsFlagsAndKeywords) {
  const json::object message = Show(kMixed);
  EXPECT_EQ(message.at("seen"), true);
  EXPECT_EQ(message.at("flagged"), true);
  EXPECT_EQ(message.at("answered"), false);
  EXPECT_EQ(message.at("draft"), false);
  // Bit 6 has no name.
  EXPECT_EQ(json::serialize(message.at("keywords")), R"(["$Forwarded"])");
  EXPECT_EQ(DecodeMessageId(std::string_view(message.at("id").as_string()))->uid, 7);
  EXPECT_EQ(message.at("folder"), "m1");
  EXPECT_EQ(message.at("size"), kMixed.size());
}

TEST(MessageDetailTest, DecodesBodies) {
  const json::object message = Show(kMixed);
  EXPECT_EQ(message.at("text"), "Grüße, und mehr");
  EXPECT_EQ(message.at("html"), "<b>Grüße</b>");
}

TEST(MessageDetailTest, ListsAttachments) {
  const json::object message = Show(kMixed);
  EXPECT_EQ(message.at("has_attachments"), true);
  EXPECT_EQ(
      json::serialize(message.at("attachments")),
      R"([{"part":"2","name":"","type":"image/png","size":5,"inline":true,"content_id":"<pic@a>"},)"
      R"({"part":"3","name":"x.pdf","type":"application/pdf","size":4,"inline":false,"content_id":null},)"
      R"({"part":"4","name":"","type":"message/rfc822","size":28,"inline":false,"content_id":null}])");
}

TEST(MessageDetailTest, OfAPlainMessage) {
  const json::object message = Show("Subject: x\r\n\r\nbody\r\n");
  EXPECT_EQ(message.at("text"), "body\r\n");
  EXPECT_EQ(message.at("html"), nullptr);
  EXPECT_EQ(message.at("has_attachments"), false);
  EXPECT_EQ(message.at("date"), nullptr);
  EXPECT_EQ(json::serialize(message.at("from")), "[]");
}

TEST(MessageDetailTest, AFileIsNotTheText) {
  const json::object message =
      Show("Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx");
  EXPECT_EQ(message.at("text"), nullptr);
  EXPECT_EQ(message.at("attachments").at(0).at("part"), "1");
  EXPECT_EQ(message.at("attachments").at(0).at("name"), "a.txt");
}

TEST(MessageDetailTest, WhateverComesTheJsonIsValid) {
  const std::string_view messages[] = {
      "",
      "\r\n",
      std::string_view("\0\0\0", 3),
      "Subject: \xff\xfe\x80\r\nFrom: \xff <\xff@\xff>\r\n\r\n\xff\xfe",
      "Subject: =?utf-8?q?=00=01=ff?=\r\nContent-Type: text/plain; charset=\"\xff\"\r\n\r\n\x80",
      "Content-Type: \xff/\xff; name=\"\xff\r\nContent-ID: \xff\r\n\r\nx",
      "Content-Type: multipart/mixed\r\n\r\n--\r\n",
      "Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n////",
      "Date: Tue, 99 Xyz 99999 99:99:99\r\n\r\n",
  };
  for (const std::string_view message : messages) {
    // json::parse, which checks UTF-8, throws for text that is not valid.
    EXPECT_NO_THROW(Show(message)) << message;
  }
}

TEST(MessagePartsTest, EstimatesTheSizeOfWhatIsNotThere) {
  store::v1::BodyPart part;
  part.set_encoding("base64");
  part.set_body_size(10 * 78);
  part.set_lines(10);
  EXPECT_EQ(DecodedSize(part, ""), 570);
  part.set_body_size(0);
  EXPECT_EQ(DecodedSize(part, ""), 0);
  part.set_encoding("8bit");
  part.set_body_size(100);
  EXPECT_EQ(DecodedSize(part, ""), 100);
}

TEST(MessagePageTest, ShowsRowsAndCounts) {
  auto folder = std::make_shared<FolderState>();
  folder->mailbox.set_name(std::string(kMailbox));
  folder->uids = std::make_shared<std::vector<uint32_t>>(101, 1);
  MessagePage page;
  page.folder = folder;
  page.page = 2;
  page.page_size = 50;
  page.rows.push_back(RowOf(kMixed));
  KeepSummary(page.rows[0]);
  const json::value value = json::parse(ToJson(page));
  EXPECT_EQ(value.at("folder"), "m1");
  EXPECT_EQ(value.at("page"), 2);
  EXPECT_EQ(value.at("total"), 101);
  EXPECT_EQ(value.at("pages"), 3);
  EXPECT_EQ(value.at("messages").at(0).at("uid"), 7);
  EXPECT_EQ(value.at("messages").at(0).at("preview"), "Grüße, und mehr");
  EXPECT_EQ(value.at("messages").at(0).at("subject"), "Grüße from €");
  EXPECT_EQ(value.at("messages").at(0).at("to").as_array().size(), 3);
  EXPECT_EQ(value.at("messages").at(0).at("date"), "2026-11-24T22:06:03Z");
  EXPECT_EQ(value.at("messages").at(0).at("has_attachments"), true);
}

TEST(MessagePageTest, HostileMessagesStaySmallInAList) {
  std::string mail = "Subject: " + std::string(60'000, 's') + "\r\nTo: ";
  for (int i = 0; i < 900; ++i) {
    mail += std::string(500, 'n') + " <" + std::string(200, 'a') + "@b.example>,\r\n ";
  }
  mail += "x@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 900; ++i) {
    mail += "--b\r\nContent-Type: a/b; name=" + std::string(300, 'x') + "\r\n\r\n\r\n";
  }
  MessageRow row = RowOf(mail);
  EXPECT_GT(row.digest.ByteSizeLong(), 200'000);
  KeepSummary(row);
  EXPECT_LT(row.digest.ByteSizeLong(), 100'000);
  EXPECT_TRUE(row.has_attachments);
}

TEST(MessagePageTest, CutsBetweenWordsAndCharacters) {
  std::string words;
  for (int i = 0; i < 100; ++i) words += " =?utf-8?q?=C3=BC=C3=BC?=";
  std::string umlauts = "Subject: x";
  for (int i = 0; i < 2000; ++i) umlauts += "ü";
  for (const std::string& mail : {"Subject:" + words + "\r\n\r\n", umlauts + "\r\n\r\n"}) {
    MessageRow row = RowOf(mail);
    KeepSummary(row);
    const std::string subject = json::value_to<std::string>(SummaryOf(row, {}).at("subject"));
    EXPECT_TRUE(subject.ends_with("üü")) << subject;
    EXPECT_EQ(subject.find('?'), std::string::npos) << subject;
    EXPECT_LE(subject.size(), 2048);
  }
}

TEST(FolderListTest, ShowsCountsAndSpecialUse) {
  FolderList list;
  store::v1::Mailbox mailbox;
  mailbox.set_name(std::string(kMailbox));
  mailbox.set_path("INBOX");
  mailbox.mutable_counts()->set_messages(3);
  mailbox.mutable_counts()->set_unseen(2);
  mailbox.mutable_counts()->set_size(5'000'000'000);
  mailbox.mutable_counts()->set_uid_validity(9);
  mailbox.mutable_counts()->set_uid_next(4294967295);
  mailbox.set_subscribed(true);
  list.mailboxes.push_back(mailbox);
  mailbox.set_path("Müll/\"x\"");
  mailbox.set_special_use(store::v1::SPECIAL_USE_TRASH);
  list.mailboxes.push_back(mailbox);
  const std::string text = ToJson(list);
  EXPECT_TRUE(text.starts_with(
      R"({"folders":[{"id":"m1","name":"INBOX","special_use":"inbox","subscribed":true,"messages":3,)"
      R"("unseen":2,"size":5000000000,"uid_validity":9,"uid_next":4294967295},)"))
      << text;
  EXPECT_EQ(json::parse(text).at("folders").at(1).at("name"), "Müll/\"x\"");
  EXPECT_EQ(json::parse(text).at("folders").at(1).at("special_use"), "trash");
}

TEST(LoginAnswerTest, SplitsTheAddress) {
  EXPECT_EQ(ToJson(LoginAnswer{"t.o.k", "accounts/ann@a.example", 3600}),
            R"({"token":"t.o.k","username":"ann","domain":"a.example","expires_in":3600})");
}

}  // namespace
}  // namespace rmail::gateway::exchange
