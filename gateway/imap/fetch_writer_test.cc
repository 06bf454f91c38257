#include "gateway/imap/fetch_writer.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/flag_update.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {
namespace {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

FetchPlan Plan(const std::string& items, bool uid = false) {
  const ParseResult result = ParseCommand("a FETCH 1 " + items);
  EXPECT_TRUE(result.command) << result.error;
  return MakeFetchPlan(std::get<FetchArguments>(result.command->arguments).items, uid);
}

std::vector<std::string> Labels(const FetchPlan& plan) {
  std::vector<std::string> labels;
  for (const FetchSection& section : plan.sections) labels.push_back(section.label);
  return labels;
}

class FetchWriterTest : public ::testing::Test {
 protected:
  FetchWriterTest() {
    mailbox_.Apply(FromText<store::v1::SyncMailboxResponse>(
        "mailbox { counts { uid_validity: 7 uid_next: 99 highest_modseq: 5 } } "
        "changed { uids: 10 uids: 20 flags: 0 flags: 1 }"));
    mailbox_.FinishSync();
    mailbox_.ForgetChanges();
  }

  // The answers to `items`; "broken" when the stream is refused.
  std::string Write(const std::string& items, const std::vector<std::string>& responses) {
    const FetchPlan plan = Plan(items, uid_);
    std::string out;
    FetchWriter writer(plan, mailbox_, newly_seen_, out);
    for (const std::string& response : responses) {
      if (!writer.Consume(FromText<store::v1::FetchMessagesResponse>(response))) return "broken";
    }
    return writer.Finish() ? out : "broken";
  }

  SelectedMailbox mailbox_{"m", false};
  std::vector<uint32_t> newly_seen_;
  bool uid_ = false;
};

TEST_F(FetchWriterTest, Metadata) {
  EXPECT_EQ(Write("(FLAGS INTERNALDATE RFC822.SIZE)",
                  {"columns { uids: 10 uids: 20 flags: 0 flags: 3 internal_dates: 0 "
                   "internal_dates: 1000000 sizes: 5 sizes: 6 }"}),
            "* 1 FETCH (FLAGS () INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\" RFC822.SIZE 5)\r\n"
            "* 2 FETCH (FLAGS (\\Seen \\Answered) INTERNALDATE \" 1-Jan-1970 00:00:01 +0000\" "
            "RFC822.SIZE 6)\r\n");
}

TEST_F(FetchWriterTest, Digests) {
  uid_ = true;
  EXPECT_EQ(Write("(ENVELOPE BODY)",
                  {"columns { uids: 10 flags: 0 } digests { envelope { subject: 's' } body { type: "
                   "'image' subtype: 'png' encoding: '7bit' } }"}),
            "* 1 FETCH (UID 10 ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
            "BODY (\"image\" \"png\" NIL NIL NIL \"7bit\" 0))\r\n");
}

TEST_F(FetchWriterTest, SectionsInPieces) {
  EXPECT_EQ(Write("(BODY.PEEK[] BODY.PEEK[9]<5.3>)",
                  {"columns { uids: 10 flags: 0 } sections { uid: 10 total: 6 data: 'abc' }",
                   "sections { uid: 10 total: 6 position: 3 data: 'def' } "
                   "sections { uid: 10 section: 1 missing: true }",
                   "columns { uids: 20 flags: 1 } sections { uid: 20 total: 0 } "
                   "sections { uid: 20 section: 1 total: 1 data: 'x' }"}),
            "* 1 FETCH (BODY[] {6}\r\nabcdef BODY[9]<5> NIL)\r\n"
            "* 2 FETCH (BODY[] {0}\r\n BODY[9]<5> {1}\r\nx)\r\n");
}

TEST_F(FetchWriterTest, SkipsMessagesThatTheClientDoesNotKnow) {
  EXPECT_EQ(
      Write("(RFC822.TEXT)",
            {"columns { uids: 10 uids: 15 uids: 20 flags: 0 flags: 0 flags: 0 } "
             "sections { uid: 10 total: 1 data: 'a' } sections { uid: 15 total: 1 data: 'b' } "
             "sections { uid: 20 total: 1 data: 'c' }"}),
      "* 1 FETCH (RFC822.TEXT {1}\r\na)\r\n* 2 FETCH (RFC822.TEXT {1}\r\nc)\r\n");
}

TEST_F(FetchWriterTest, ShowsFlagsOfWhatItMarkedAsSeen) {
  newly_seen_ = {10};
  EXPECT_EQ(Write("BODY[TEXT]", {"columns { uids: 10 flags: 1 } sections { uid: 10 total: 0 }"}),
            "* 1 FETCH (FLAGS (\\Seen) BODY[TEXT] {0}\r\n)\r\n");
}

TEST_F(FetchWriterTest, FlagsThatWereNotAskedForAreReportedLater) {
  Write("(RFC822.SIZE)", {"columns { uids: 10 flags: 4 sizes: 1 }"});
  std::string out;
  EXPECT_TRUE(mailbox_.TakeChanges(out, false));
  EXPECT_EQ(out, "* 1 FETCH (UID 10 FLAGS (\\Flagged))\r\n");
}

TEST_F(FetchWriterTest, KeywordsWithoutANameWaitForTheNextSync) {
  EXPECT_EQ(Write("(FLAGS)", {"columns { uids: 20 flags: 34 modseqs: 9 }"}),
            "* 2 FETCH (FLAGS (\\Seen))\r\n");
  std::string out;
  EXPECT_TRUE(mailbox_.TakeChanges(out, true));
  EXPECT_EQ(out, "");
  mailbox_.Apply(FromText<store::v1::SyncMailboxResponse>(
      "mailbox { counts { uid_validity: 7 uid_next: 99 highest_modseq: 9 } keywords: 'new' } "
      "changed { uids: 20 flags: 34 }"));
  mailbox_.FinishSync();
  EXPECT_TRUE(mailbox_.TakeChanges(out, true));
  EXPECT_NE(out.find("* 2 FETCH (UID 20 FLAGS (\\Answered new))\r\n"), std::string::npos) << out;
}

TEST_F(FetchWriterTest, RefusesAnswersThatContradictThemselves) {
  EXPECT_EQ(
      Write("BODY[]", {"columns { uids: 10 flags: 0 } sections { uid: 10 total: 6 data: 'a' }"}),
      "broken");
  EXPECT_EQ(
      Write("BODY[]", {"columns { uids: 10 flags: 0 } sections { uid: 10 total: 1 data: 'ab' }"}),
      "broken");
  EXPECT_EQ(
      Write("BODY[]", {"columns { uids: 10 flags: 0 } sections { uid: 10 total: 6 data: 'a' }",
                       "columns { uids: 20 flags: 0 }"}),
      "broken");
  EXPECT_EQ(
      Write("BODY[]", {"columns { uids: 10 flags: 0 } sections { uid: 10 section: 1 total: 1 }"}),
      "broken");
}

TEST_F(FetchWriterTest, BinarySections) {
  const std::string items = "(BINARY.PEEK[1] BINARY.SIZE[1])";
  const std::string columns = "columns { uids: 10 flags: 0 } ";
  EXPECT_EQ(Write(items, {columns + "sections { uid: 10 total: 3 data: 'abc' } "
                                    "sections { uid: 10 section: 1 total: 3 }"}),
            "* 1 FETCH (BINARY[1] {3}\r\nabc BINARY.SIZE[1] 3)\r\n");
  // What has a NUL, or may still bring one, is a literal8.
  EXPECT_EQ(Write(items, {columns + "sections { uid: 10 total: 3 data: 'a\\000c' }"}),
            std::string("* 1 FETCH (BINARY[1] ~{3}\r\na\0c)\r\n", 33));
  EXPECT_EQ(Write(items, {columns + "sections { uid: 10 total: 3 data: 'a' }",
                          "sections { uid: 10 total: 3 position: 1 data: 'bc' }"}),
            "* 1 FETCH (BINARY[1] ~{3}\r\nabc)\r\n");
  EXPECT_EQ(Write(items, {columns + "sections { uid: 10 unknown_encoding: true } "
                                    "sections { uid: 10 section: 1 missing: true }"}),
            "* 1 FETCH (BINARY[1] NIL BINARY.SIZE[1] 0)\r\n");
}

TEST_F(FetchWriterTest, NoNulInAnOrdinaryString) {
  EXPECT_EQ(
      Write("BODY.PEEK[]",
            {"columns { uids: 10 flags: 0 } sections { uid: 10 total: 3 data: '\\000b\\000' }"}),
      "* 1 FETCH (BODY[] {3}\r\n\x80"
      "b\x80)\r\n");
}

TEST_F(FetchWriterTest, WhatElseDigestsTell) {
  const std::string items = "(PREVIEW SAVEDATE EMAILID THREADID)";
  EXPECT_EQ(Write(items, {"columns { uids: 10 flags: 0 } digests { preview: 'Hi \"you\"' saved: "
                          "1000000 email_id: 'M1' thread_id: 'T1' }"}),
            "* 1 FETCH (PREVIEW \"Hi \\\"you\\\"\" SAVEDATE \" 1-Jan-1970 00:00:01 +0000\" "
            "EMAILID (M1) THREADID (T1))\r\n");
  EXPECT_EQ(Write(items, {"columns { uids: 10 flags: 0 } digests {}"}),
            "* 1 FETCH (PREVIEW \"\" SAVEDATE NIL EMAILID NIL THREADID NIL)\r\n");
}

TEST(FetchPlanTest, AsksForWhatIsNeeded) {
  EXPECT_TRUE(Plan("(FLAGS UID)").local());
  EXPECT_FALSE(Plan("(FLAGS INTERNALDATE)").local());
  EXPECT_TRUE(Plan("BODY[]").sets_seen);
  EXPECT_TRUE(Plan("RFC822").sets_seen);
  EXPECT_FALSE(Plan("(BODY.PEEK[] RFC822.HEADER)").sets_seen);
  EXPECT_TRUE(Plan("BINARY[1]").sets_seen);
  EXPECT_FALSE(Plan("(BINARY.PEEK[1] BINARY.SIZE[1])").sets_seen);
  for (const char* const item : {"PREVIEW", "SAVEDATE", "EMAILID", "THREADID", "ENVELOPE"}) {
    EXPECT_TRUE(Plan(item).request.digests()) << item;
    EXPECT_FALSE(Plan(item).local()) << item;
  }
  EXPECT_EQ(Plan("(BINARY[1]<2.3> BINARY.SIZE[])").request.ShortDebugString(),
            "sections { part: 1 offset: 2 length: 3 decoded: true } "
            "sections { decoded: true size_only: true }");
  const FetchPlan plan = Plan("(BODY[1.2.HEADER.FIELDS (To \"X Y\")]<3.4> RFC822 RFC822)");
  EXPECT_EQ(plan.request.ShortDebugString(),
            "sections { part: 1 part: 2 kind: KIND_HEADER_FIELDS fields: \"To\" fields: \"X Y\" "
            "offset: 3 length: 4 } sections { }");
  EXPECT_EQ(Labels(plan),
            (std::vector<std::string>{"BODY[1.2.HEADER.FIELDS (To \"X Y\")]<3>", "RFC822"}));
}

TEST(FetchPlanTest, AsksForIdenticalSectionsOnce) {
  EXPECT_EQ(Labels(Plan("(BODY[1]<0.5> BODY.PEEK[1]<0.5> BODY[TEXT] RFC822.TEXT BODY[TEXT])")),
            (std::vector<std::string>{"BODY[1]<0>", "BODY[TEXT]", "RFC822.TEXT"}));
  EXPECT_EQ(Labels(Plan("(BODY[1]<0.5> BODY[1]<0.6> BODY[1]<1.5> BODY[1])")),
            (std::vector<std::string>{"BODY[1]<0>", "BODY[1]<0>", "BODY[1]<1>", "BODY[1]"}));
}

TEST(FlagUpdateTest, SplitsLargeSets) {
  SelectedMailbox mailbox("m", false);
  store::v1::SyncMailboxResponse everything;
  everything.mutable_mailbox()->mutable_counts()->set_uid_validity(1);
  constexpr uint32_t kMessages = 2 * FlagUpdate::kStep + 5;
  for (uint32_t uid = 1; uid <= kMessages; ++uid) {
    everything.mutable_changed()->add_uids(uid * 2);
    everything.mutable_changed()->add_flags(0);
  }
  mailbox.Apply(everything);
  FlagUpdate update({}, mailbox, {{0, 0}, {2, kMessages - 1}});
  size_t covered = 0;
  uint32_t last = 0;
  int calls = 0;
  while (const auto request = update.Next()) {
    ++calls;
    size_t messages = 0;
    for (const store::v1::UidRange& range : request->uids()) {
      EXPECT_GT(range.first(), last);
      last = range.last();
      messages += (range.last() - range.first()) / 2 + 1;
    }
    EXPECT_LE(messages, FlagUpdate::kStep);
    covered += messages;
  }
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(covered, kMessages - 1);
}

}  // namespace
}  // namespace rmail::gateway::imap
