#include "gateway/imap/selected_mailbox.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

namespace rmail::gateway::imap {
namespace {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// What SyncMailbox would answer.
bool Sync(SelectedMailbox& mailbox, const std::string& text) {
  const bool same = mailbox.Apply(FromText<store::v1::SyncMailboxResponse>(
      "mailbox { keywords: '$Forwarded' counts { uid_validity: 7 uid_next: 99 highest_modseq: 50 } "
      "}" +
      text));
  if (same) mailbox.FinishSync();
  return same;
}

std::string Changes(SelectedMailbox& mailbox, bool expunges = true) {
  std::string out;
  EXPECT_TRUE(mailbox.TakeChanges(out, expunges));
  return out;
}

// UIDs 10, 20, 30, 40, of which 20 is seen.
class SelectedMailboxTest : public ::testing::Test {
 protected:
  SelectedMailboxTest() {
    Sync(mailbox_,
         "changed { uids: 10 uids: 20 uids: 30 uids: 40 flags: 0 flags: 1 flags: 0 flags: 0 }");
    mailbox_.ForgetChanges();
  }
  std::string Resolved(const SequenceSet& set, bool uids) {
    const auto messages = uids ? mailbox_.ResolveUids(set) : mailbox_.ResolveSequence(set);
    if (!messages) return "none";
    UidRangeList ranges;
    mailbox_.AddUidRanges(*messages, ranges);
    std::string text;
    for (const store::v1::UidRange& range : ranges) {
      text += std::to_string(range.first()) + ":" + std::to_string(range.last()) + " ";
    }
    return text;
  }
  SelectedMailbox mailbox_{"accounts/a@b/mailboxes/1", false};
};

TEST_F(SelectedMailboxTest, AsksForWhatItDoesNotKnow) {
  EXPECT_EQ(SelectedMailbox("m", false).SyncRequest().since_modseq(), 0u);
  EXPECT_EQ(mailbox_.SyncRequest().since_modseq(), 50u);
  EXPECT_EQ(mailbox_.SyncRequest().uid_validity(), 7u);
}

TEST_F(SelectedMailboxTest, AnOwnChangeNeedsNoSyncUnlessSomethingCameBefore) {
  mailbox_.NoteOwnChange(0);
  EXPECT_EQ(mailbox_.modseq(), 50u);
  mailbox_.NoteOwnChange(52);
  EXPECT_EQ(mailbox_.modseq(), 50u);
  mailbox_.NoteOwnChange(51);
  EXPECT_EQ(mailbox_.SyncRequest().since_modseq(), 51u);
}

TEST_F(SelectedMailboxTest, KnowsItsMessages) {
  EXPECT_EQ(mailbox_.size(), 4u);
  EXPECT_EQ(mailbox_.IndexOf(30), 2u);
  EXPECT_EQ(mailbox_.IndexOf(31), std::nullopt);
  EXPECT_EQ(mailbox_.IndexOf(50), std::nullopt);
  EXPECT_EQ(mailbox_.FirstUnseen(), 0u);
  EXPECT_EQ(Changes(mailbox_), "");
}

TEST_F(SelectedMailboxTest, ReportsNewMessagesAndFlags) {
  Sync(mailbox_, "changed { uids: 20 uids: 30 uids: 50 flags: 1 flags: 34 flags: 0 }");
  EXPECT_EQ(Changes(mailbox_),
            "* 5 EXISTS\r\n"
            "* 3 FETCH (UID 30 FLAGS (\\Answered $Forwarded))\r\n");
  EXPECT_EQ(Changes(mailbox_), "");
}

TEST_F(SelectedMailboxTest, KeepsNumbersUntilTheClientIsTold) {
  Sync(mailbox_, "expunged { first: 15 last: 35 } changed { uids: 50 flags: 0 }");
  EXPECT_EQ(Changes(mailbox_, false), "* 5 EXISTS\r\n");
  EXPECT_EQ(mailbox_.size(), 5u);
  EXPECT_EQ(Resolved({{{4, 4}}}, false), "40:40 ");
  EXPECT_EQ(Changes(mailbox_), "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n");
  EXPECT_EQ(mailbox_.size(), 3u);
  EXPECT_EQ(Resolved({{{2, 2}}}, false), "40:40 ");
  EXPECT_EQ(Changes(mailbox_), "");
}

TEST_F(SelectedMailboxTest, HidesAMessageThatCameAndWent) {
  Sync(mailbox_, "changed { uids: 50 uids: 51 flags: 0 flags: 0 }");
  Sync(mailbox_, "expunged { first: 50 last: 50 } expunged { first: 10 last: 10 }");
  EXPECT_EQ(Changes(mailbox_), "* 1 EXPUNGE\r\n* 4 EXISTS\r\n");
}

TEST_F(SelectedMailboxTest, AnExpungeIsReportedOnce) {
  mailbox_.MarkExpunged(
      FromText<store::v1::ExpungeMessagesResponse>("expunged { first: 20 last: 20 }").expunged());
  Sync(mailbox_, "expunged { first: 20 last: 20 } expunged { first: 1000 last: 2000 }");
  EXPECT_EQ(Changes(mailbox_), "* 2 EXPUNGE\r\n");
  Sync(mailbox_, "expunged { first: 20 last: 20 }");
  EXPECT_EQ(Changes(mailbox_), "");
}

TEST_F(SelectedMailboxTest, AResetFindsWhatIsGone) {
  Sync(mailbox_, "reset: true changed { uids: 20 uids: 40 uids: 60 flags: 1 flags: 4 flags: 0 }");
  EXPECT_EQ(Changes(mailbox_),
            "* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n* 3 EXISTS\r\n* 2 FETCH (UID 40 FLAGS (\\Flagged))\r\n");
}

TEST_F(SelectedMailboxTest, NoticesAnotherUidValidity) {
  EXPECT_FALSE(mailbox_.Apply(FromText<store::v1::SyncMailboxResponse>(
      "mailbox { counts { uid_validity: 8 uid_next: 1 highest_modseq: 1 } } reset: true")));
}

TEST_F(SelectedMailboxTest, ReportsKeywordsBeforeTheirUse) {
  mailbox_.SetFlags(0, 64, true);
  EXPECT_EQ(Changes(mailbox_), "") << "the bit has no name yet";
  EXPECT_TRUE(mailbox_.Apply(FromText<store::v1::SyncMailboxResponse>(
      "mailbox { keywords: '$Forwarded' keywords: 'new' "
      "counts { uid_validity: 7 uid_next: 99 highest_modseq: 51 } } "
      "changed { uids: 10 flags: 64 }")));
  EXPECT_EQ(Changes(mailbox_),
            "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded new)\r\n"
            "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded new "
            "\\*)] Flags that can be changed\r\n"
            "* 1 FETCH (UID 10 FLAGS (new))\r\n");
}

TEST_F(SelectedMailboxTest, NoMoreKeywordsCanBeMadeWhenAllAreNamed) {
  store::v1::SyncMailboxResponse names;
  for (int i = 0; i < 31; ++i) {
    std::string out;
    mailbox_.SetKeywords(names.mailbox().keywords());
    mailbox_.AppendFlagsAnswers(out);
    EXPECT_NE(out.find(" \\*)] Flags"), std::string::npos) << out;
    names.mutable_mailbox()->add_keywords("k" + std::to_string(i));
  }
  std::string out;
  mailbox_.SetKeywords(names.mailbox().keywords());
  mailbox_.AppendFlagsAnswers(out);
  EXPECT_EQ(out.find("\\*"), std::string::npos) << out;
  EXPECT_TRUE(out.ends_with(" k30)] Flags that can be changed\r\n")) << out;
}

// UIDs 10 and 20 with modseqs 5 and 6, for a client with QRESYNC.
class ModseqTest : public ::testing::Test {
 protected:
  ModseqTest() {
    mailbox_.TrackModseqs();
    mailbox_.UseVanished();
    Sync(mailbox_, "changed { uids: 10 uids: 20 flags: 0 flags: 1 modseqs: 5 modseqs: 6 }");
    mailbox_.ForgetChanges();
  }
  // A sync up to a modseq.
  void SyncTo(uint64_t modseq, const std::string& text) {
    EXPECT_TRUE(mailbox_.Apply(FromText<store::v1::SyncMailboxResponse>(
        "mailbox { keywords: '$Forwarded' counts { uid_validity: 7 highest_modseq: " +
        std::to_string(modseq) + " } } " + text)));
    mailbox_.FinishSync();
  }
  std::string Code() {
    std::string out;
    mailbox_.TakeHighestModseq(out);
    return out;
  }
  SelectedMailbox mailbox_{"accounts/a@b/mailboxes/1", false};
};

TEST_F(ModseqTest, TellsModseqsWithFlags) {
  EXPECT_FALSE(mailbox_.SyncRequest().omit_modseqs());
  EXPECT_EQ(mailbox_.modseq(1), 6u);
  SyncTo(60, "changed { uids: 20 flags: 5 modseqs: 60 }");
  EXPECT_EQ(Changes(mailbox_), "* 2 FETCH (UID 20 FLAGS (\\Seen \\Flagged) MODSEQ (60))\r\n");
  EXPECT_EQ(Code(), "") << "the client has seen it";
  // Changed there and back.
  SyncTo(62, "changed { uids: 20 flags: 5 modseqs: 62 }");
  EXPECT_EQ(Changes(mailbox_), "* 2 FETCH (UID 20 FLAGS (\\Seen \\Flagged) MODSEQ (62))\r\n");
  SyncTo(62, "changed { uids: 20 flags: 5 modseqs: 62 }");
  EXPECT_EQ(Changes(mailbox_), "");
}

TEST_F(ModseqTest, VanishedHasSetsOfUids) {
  SyncTo(60,
         "changed { uids: 30 uids: 31 uids: 32 uids: 40 flags: 0 flags: 0 flags: 0 flags: 0 "
         "modseqs: 51 modseqs: 51 modseqs: 51 modseqs: 51 }");
  EXPECT_EQ(Changes(mailbox_), "* 6 EXISTS\r\n");
  EXPECT_EQ(Code(), "* OK [HIGHESTMODSEQ 60] Highest\r\n");
  SyncTo(61,
         "expunged { first: 30 last: 39 } expunged { first: 1 last: 10 } expunged { first: 50 "
         "last: 50 } changed { uids: 50 flags: 0 modseqs: 60 }");
  EXPECT_EQ(Changes(mailbox_), "* VANISHED 10,30:32\r\n");
  EXPECT_EQ(mailbox_.size(), 2u);
  EXPECT_EQ(mailbox_.modseq(1), 51u) << "modseqs stay with their messages";
}

TEST_F(ModseqTest, AClientIsNotMadeToBelieveThatItKnowsDelayedExpunges) {
  SyncTo(60, "expunged { first: 10 last: 10 } changed { uids: 20 flags: 0 modseqs: 60 }");
  EXPECT_EQ(Changes(mailbox_, false), "* 2 FETCH (UID 20 FLAGS () MODSEQ (60))\r\n");
  EXPECT_EQ(Code(), "* OK [HIGHESTMODSEQ 50] Changes are still to be reported\r\n");
  EXPECT_EQ(Code(), "");
  EXPECT_EQ(Changes(mailbox_), "* VANISHED 10\r\n");
  EXPECT_EQ(Code(), "* OK [HIGHESTMODSEQ 60] Highest\r\n");
}

TEST_F(ModseqTest, WhatWasSentAheadOfTheSyncIsKnown) {
  mailbox_.SetMessage(0, 1, 70, false);
  std::string out;
  mailbox_.AppendModseqItem(out, 70);
  EXPECT_EQ(out, "MODSEQ (70)");
  EXPECT_TRUE(mailbox_.told_beyond_sync());
  // The sync failed.
  EXPECT_EQ(Changes(mailbox_), "");
  EXPECT_EQ(Code(), "* OK [HIGHESTMODSEQ 50] Highest\r\n");
  SyncTo(70, "changed { uids: 10 flags: 1 modseqs: 70 }");
  EXPECT_FALSE(mailbox_.told_beyond_sync());
  EXPECT_EQ(Changes(mailbox_), "");
  EXPECT_EQ(Code(), "* OK [HIGHESTMODSEQ 70] Highest\r\n");
}

TEST_F(ModseqTest, LongSetsBecomeSeveralLines) {
  std::string columns = "changed {";
  for (int uid = 100; uid < 20'000; uid += 2) {
    columns += " uids: " + std::to_string(uid) + " flags: 0 modseqs: 51";
  }
  SyncTo(60, columns + " }");
  Changes(mailbox_);
  SyncTo(61, "expunged { first: 100 last: 20000 }");
  const std::string out = Changes(mailbox_);
  EXPECT_EQ(mailbox_.size(), 2u);
  size_t lines = 0;
  for (size_t at = 0; at < out.size(); at = out.find("\r\n", at) + 2, ++lines) {
    EXPECT_TRUE(out.substr(at).starts_with("* VANISHED "));
    EXPECT_LE(out.find("\r\n", at) - at, SetLines::kMaxLine + 22);
  }
  EXPECT_GT(lines, 5u);
  EXPECT_TRUE(out.ends_with(",19996,19998\r\n")) << out.substr(out.size() - 40);
}

TEST_F(SelectedMailboxTest, LearnsModseqsLater) {
  EXPECT_TRUE(mailbox_.SyncRequest().omit_modseqs());
  EXPECT_EQ(mailbox_.modseq(0), 0u);
  mailbox_.TrackModseqs();
  EXPECT_EQ(mailbox_.SyncRequest().since_modseq(), 0u);
  EXPECT_FALSE(mailbox_.SyncRequest().omit_modseqs());
  Sync(mailbox_,
       "changed { uids: 20 uids: 30 uids: 40 uids: 50 flags: 1 flags: 2 flags: 0 flags: 0 "
       "modseqs: 3 modseqs: 50 modseqs: 5 modseqs: 49 }");
  EXPECT_EQ(mailbox_.SyncRequest().since_modseq(), 50u);
  EXPECT_EQ(Changes(mailbox_),
            "* 1 EXPUNGE\r\n* 4 EXISTS\r\n* 2 FETCH (UID 30 FLAGS (\\Answered) MODSEQ (50))\r\n");
  EXPECT_EQ(mailbox_.modseq(2), 5u);
}

TEST(SelectedMailboxPiecesTest, ChangesComeInPieces) {
  constexpr uint32_t kMessages = 20'000;
  SelectedMailbox mailbox("m", false);
  store::v1::SyncMailboxResponse sync;
  sync.mutable_mailbox()->mutable_counts()->set_uid_validity(1);
  sync.mutable_mailbox()->mutable_counts()->set_highest_modseq(1);
  for (uint32_t uid = 1; uid <= kMessages; ++uid) {
    sync.mutable_changed()->add_uids(uid);
    sync.mutable_changed()->add_flags(0);
  }
  mailbox.Apply(sync);
  mailbox.FinishSync();
  mailbox.ForgetChanges();
  // Every second one goes, the others are seen now.
  UidRangeList gone;
  for (uint32_t i = 0; i < kMessages; i += 2) {
    store::v1::UidRange* range = gone.Add();
    range->set_first(mailbox.uid(i));
    range->set_last(mailbox.uid(i));
    mailbox.SetFlags(i + 1, 1, true);
  }
  mailbox.MarkExpunged(gone);
  std::string expected;
  for (uint32_t i = 1; i <= kMessages / 2; ++i) {
    expected += "* " + std::to_string(i) + " EXPUNGE\r\n";
  }
  for (uint32_t i = 1; i <= kMessages / 2; ++i) {
    expected +=
        "* " + std::to_string(i) + " FETCH (UID " + std::to_string(2 * i) + " FLAGS (\\Seen))\r\n";
  }
  std::string all;
  for (bool done = false; !done;) {
    std::string piece;
    done = mailbox.TakeChanges(piece, true);
    ASSERT_LE(piece.size(), SelectedMailbox::kPiece + 100);
    ASSERT_TRUE(done || !piece.empty());
    all += piece;
  }
  EXPECT_TRUE(all == expected);
  EXPECT_EQ(mailbox.size(), kMessages / 2);
  EXPECT_EQ(Changes(mailbox), "");
}

TEST_F(SelectedMailboxTest, ResolvesSets) {
  EXPECT_EQ(Resolved({{{1, 2}, {4, kStar}}}, false), "10:20 40:40 ");
  EXPECT_EQ(Resolved({{{kStar, kStar}}}, false), "40:40 ");
  EXPECT_EQ(Resolved({{{3, 9}}}, false), "30:40 ");
  EXPECT_EQ(Resolved({{{5, 5}}}, false), "none");
  EXPECT_EQ(Resolved({{{1, 1}, {6, 9}}}, false), "none");
  EXPECT_EQ(Resolved({{{11, 19}}}, true), "");
  EXPECT_EQ(Resolved({{{11, 30}, {31, 45}}}, true), "20:40 ");
  EXPECT_EQ(Resolved({{{100, kStar}}}, true), "40:40 ");
  SelectedMailbox empty("m", false);
  EXPECT_TRUE(empty.ResolveSequence({{{1, kStar}}})->empty());
  EXPECT_TRUE(empty.ResolveUids({{{1, kStar}}}).empty());
  EXPECT_FALSE(empty.ResolveSequence({{{1, 1}}}));
}

}  // namespace
}  // namespace rmail::gateway::imap
