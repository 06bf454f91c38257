#include "gateway/imap/vanished_uids.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

namespace rmail::gateway::imap {
namespace {

store::v1::SyncMailboxResponse Response(const std::string& text) {
  store::v1::SyncMailboxResponse response;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &response)) << text;
  return response;
}

const SequenceSet kAll{{{1, kStar}}};

// UIDs 10, 20, 21 and 40; the next one is 51.
class VanishedUidsTest : public ::testing::Test {
 protected:
  VanishedUidsTest() {
    mailbox_.Apply(
        Response("mailbox { counts { uid_validity: 7 uid_next: 51 highest_modseq: 90 } } "
                 "changed { uids: 10 uids: 20 uids: 21 uids: 40 flags: 0 flags: 0 flags: 0 "
                 "flags: 0 }"));
    mailbox_.FinishSync();
  }
  std::string Lines(const SequenceSet& known, uint32_t above, const std::string& response) {
    VanishedUids vanished(mailbox_, known, above);
    vanished.Take(Response(response));
    vanished.Finish();
    std::string out;
    EXPECT_TRUE(vanished.Append(out));
    return out;
  }
  SelectedMailbox mailbox_{"m", false};
};

TEST_F(VanishedUidsTest, TellsWhatTheStoreKnows) {
  EXPECT_EQ(Lines(kAll, 0, ""), "");
  // In the order in which they went; UIDs above the view's are not the client's yet.
  EXPECT_EQ(Lines(kAll, 0,
                  "expunged { first: 30 last: 33 } expunged { first: 5 last: 6 } "
                  "expunged { first: 34 last: 34 } expunged { first: 50 last: 60 }"),
            "* VANISHED (EARLIER) 5:6,30:34,50\r\n");
}

TEST_F(VanishedUidsTest, LeavesMessagesToTheViewThatItStillCounts) {
  EXPECT_EQ(Lines(kAll, 0, "expunged { first: 9 last: 41 }"),
            "* VANISHED (EARLIER) 9,11:19,22:39,41\r\n");
  EXPECT_EQ(Lines(kAll, 0, "expunged { first: 20 last: 21 }"), "");
}

TEST_F(VanishedUidsTest, KeepsToWhatTheClientAsksAbout) {
  EXPECT_EQ(Lines({{{30, 31}, {5, 7}, {100, 200}}}, 0, "expunged { first: 1 last: 50 }"),
            "* VANISHED (EARLIER) 5:7,30:31\r\n");
  EXPECT_EQ(Lines(kAll, 31, "expunged { first: 1 last: 50 }"),
            "* VANISHED (EARLIER) 32:39,41:50\r\n");
  EXPECT_EQ(Lines(kAll, 50, "expunged { first: 1 last: 50 }"), "");
}

TEST_F(VanishedUidsTest, AStoreThatHasForgottenMakesAllThatIsMissingVanish) {
  EXPECT_EQ(Lines(kAll, 0, "reset: true"), "* VANISHED (EARLIER) 1:9,11:19,22:39,41:50\r\n");
  EXPECT_EQ(Lines({{{10, 22}}}, 0, "reset: true"), "* VANISHED (EARLIER) 11:19,22\r\n");
}

TEST_F(VanishedUidsTest, AnEmptyMailboxThatNeverHadAMessage) {
  SelectedMailbox empty("m", false);
  VanishedUids vanished(empty, kAll, 0);
  vanished.Take(Response("reset: true"));
  vanished.Finish();
  std::string out;
  EXPECT_TRUE(vanished.Append(out));
  EXPECT_EQ(out, "");
}

TEST(VanishedUidsPiecesTest, LongAnswersComeInPieces) {
  SelectedMailbox mailbox("m", false);
  store::v1::SyncMailboxResponse sync;
  sync.mutable_mailbox()->mutable_counts()->set_uid_validity(1);
  sync.mutable_mailbox()->mutable_counts()->set_uid_next(100'001);
  for (uint32_t uid = 2; uid <= 100'000; uid += 2) {
    sync.mutable_changed()->add_uids(uid);
    sync.mutable_changed()->add_flags(0);
  }
  mailbox.Apply(sync);
  mailbox.FinishSync();
  VanishedUids vanished(mailbox, kAll, 0);
  vanished.Take(Response("reset: true"));
  vanished.Finish();
  std::string numbers;
  for (bool done = false; !done;) {
    std::string piece;
    done = vanished.Append(piece);
    ASSERT_LE(piece.size(), SelectedMailbox::kPiece + 100);
    ASSERT_TRUE(piece.ends_with("\r\n"));
    for (size_t at = 0; at < piece.size(); at = piece.find("\r\n", at) + 2) {
      constexpr std::string_view kStart = "* VANISHED (EARLIER) ";
      ASSERT_TRUE(piece.substr(at).starts_with(kStart));
      numbers +=
          piece.substr(at + kStart.size(), piece.find("\r\n", at) - at - kStart.size()) + ",";
    }
  }
  std::string expected;
  for (uint32_t uid = 1; uid < 100'000; uid += 2) expected += std::to_string(uid) + ",";
  EXPECT_TRUE(numbers == expected);
}

TEST_F(VanishedUidsTest, TheHighestPairThatMatchesCounts) {
  const auto matched = [&](std::vector<SequenceRange> numbers, std::vector<SequenceRange> uids) {
    QresyncParameter parameter;
    parameter.match_numbers.ranges = std::move(numbers);
    parameter.match_uids.ranges = std::move(uids);
    return MatchedUid(parameter, mailbox_);
  };
  EXPECT_EQ(matched({}, {}), 0u);
  EXPECT_EQ(matched({{1, 1}, {2, 3}, {4, 4}}, {{10, 10}, {20, 21}, {40, 40}}), 40u);
  EXPECT_EQ(matched({{1, 4}}, {{10, 10}, {20, 21}, {30, 30}}), 21u);
  EXPECT_EQ(matched({{2, 4}}, {{20, 22}}), 21u);
  EXPECT_EQ(matched({{1, 1}}, {{11, 11}}), 0u);
  EXPECT_EQ(matched({{5, 5}, {7, 9}}, {{40, 43}}), 0u);
  EXPECT_EQ(matched({{1, 4294967295}}, {{1, 4294967295}}), 0u);
  EXPECT_EQ(matched({{2, 4294967277}}, {{20, 4294967295 - 1}, {4294967295, 4294967295}}), 21u);
}

}  // namespace
}  // namespace rmail::gateway::imap
