// The model notices when a server lies: each lie, and beside it the honest answer that it does not
// mind. Without this, a run without findings would prove nothing.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tools/imap_stress/message.h"
#include "tools/imap_stress/oracle.h"
#include "tools/imap_stress/response.h"
#include "tools/imap_stress/view.h"

namespace rmail::imap_stress {
namespace {

constexpr CommandRules kAny;
constexpr CommandRules kFetch{.may_expunge = false, .fetches = true};

class ViewTest : public ::testing::Test {
 protected:
  // Three messages with the UIDs 2, 4 and 6.
  ViewTest() { Open(view_); }

  static void Open(View& view) {
    Findings findings;
    view.Begin(kFetch);
    for (const std::string_view line :
         {"* FLAGS (\\Seen \\Deleted stress-shared-0)", "* 3 EXISTS",
          "* OK [UIDVALIDITY 7] UIDs valid", "* 1 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (5))",
          "* 2 FETCH (UID 4 FLAGS () MODSEQ (6))", "* 3 FETCH (UID 6 FLAGS () MODSEQ (7))"}) {
      EXPECT_TRUE(view.Take(*ParseResponse(line), findings));
    }
    view.TakeFetched();
    EXPECT_TRUE(findings.empty());
  }

  // What is found when the server says these lines, after all of that.
  static std::string Found(View view, CommandRules rules,
                           const std::vector<std::string_view>& lines) {
    Findings findings;
    view.Begin(rules);
    for (const std::string_view line : lines) {
      const std::optional<Response> response = ParseResponse(line);
      if (!response) return "grammar";
      view.Take(*response, findings);
    }
    return findings.empty() ? "" : findings.texts().front();
  }
  std::string Found(CommandRules rules, const std::vector<std::string_view>& lines) {
    return Found(view_, rules, lines);
  }

  View view_;
};

TEST_F(ViewTest, HonestAnswers) {
  EXPECT_EQ(Found(kAny, {"* 3 EXISTS", "* 5 EXISTS", "* 0 RECENT"}), "");
  EXPECT_EQ(Found(kAny, {"* 3 EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE", "* 0 EXISTS"}), "");
  EXPECT_EQ(Found(kAny, {"* 4 EXISTS", "* 4 FETCH (UID 9 FLAGS (\\Seen))"}), "");
  EXPECT_EQ(Found(kAny, {"* 2 FETCH (FLAGS (stress-shared-0) MODSEQ (9))"}), "");
  EXPECT_EQ(Found(kFetch, {"* 2 FETCH (UID 4 BODY[] {3}\r\nabc RFC822.SIZE 3)"}), "");
}

TEST_F(ViewTest, ExistsShrinks) {
  EXPECT_EQ(Found(kAny, {"* 2 EXISTS"}), "EXISTS shrinks from 3 to 2");
  EXPECT_EQ(Found(kAny, {"* 3 EXPUNGE", "* 4 EXISTS", "* 3 EXISTS"}), "EXISTS shrinks from 4 to 3");
}

TEST_F(ViewTest, ExpungeAtTheWrongTime) {
  EXPECT_NE(Found(kFetch, {"* 1 EXPUNGE"}), "");
  EXPECT_NE(Found(kAny, {"* 4 EXPUNGE"}), "");
  EXPECT_NE(Found(kAny, {"* 0 EXPUNGE"}), "");
  EXPECT_NE(Found(kAny, {"* 3 EXPUNGE", "* 3 EXPUNGE"}), "");
}

TEST_F(ViewTest, NumbersAndUids) {
  EXPECT_NE(Found(kFetch, {"* 1 FETCH (UID 3)"}), "");
  EXPECT_NE(Found(kFetch, {"* 4 FETCH (UID 8)"}), "");
  EXPECT_NE(Found(kFetch, {"* 0 FETCH (UID 8)"}), "");
  // After message 1 went, message 1 is UID 4.
  EXPECT_EQ(Found(kAny, {"* 1 EXPUNGE", "* 1 FETCH (UID 4 FLAGS ())"}), "");
  EXPECT_NE(Found(kAny, {"* 1 EXPUNGE", "* 1 FETCH (UID 2 FLAGS ())"}), "");
  // UIDs ascend, also where not all are known.
  EXPECT_NE(Found(kAny, {"* 4 EXISTS", "* 4 FETCH (UID 5)"}), "");
  EXPECT_NE(Found(kAny, {"* 4 EXISTS", "* 4 FETCH (UID 6)"}), "");
  EXPECT_NE(Found(kAny, {"* 5 EXISTS", "* 4 FETCH (UID 9)", "* 5 FETCH (UID 8)"}), "");
}

TEST_F(ViewTest, Flags) {
  EXPECT_NE(Found(kAny, {"* 1 FETCH (FLAGS (\\Answered))"}), "");
  EXPECT_NE(Found(kAny, {"* 1 FETCH (FLAGS (nobodys))"}), "");
  EXPECT_NE(Found(kAny, {"* 1 FETCH (FLAGS (\\Seen \\Seen))"}), "");
}

TEST_F(ViewTest, Modseqs) {
  EXPECT_NE(Found(kAny, {"* 2 FETCH (FLAGS (\\Seen) MODSEQ (5))"}), "");
  EXPECT_NE(Found(kAny, {"* 2 FETCH (FLAGS (\\Seen) MODSEQ (6))"}), "");
  view_.Enable(true, false);
  EXPECT_NE(Found(kAny, {"* 2 FETCH (FLAGS (\\Seen))"}), "");
  EXPECT_EQ(Found(kFetch, {"* 2 FETCH (FLAGS (\\Seen))"}), "");
}

TEST_F(ViewTest, Vanished) {
  EXPECT_NE(Found(kAny, {"* VANISHED 4"}), "");
  view_.Enable(true, true);
  EXPECT_EQ(Found(kAny, {"* VANISHED 2,6", "* 1 EXISTS"}), "");
  EXPECT_EQ(Found(kAny, {"* VANISHED (EARLIER) 1,3,5"}), "");
  EXPECT_EQ(Found(kAny, {"* 5 EXISTS", "* VANISHED 9", "* 4 FETCH (UID 8)"}), "");
  EXPECT_NE(Found(kAny, {"* VANISHED 5"}), "");
  EXPECT_NE(Found(kAny, {"* VANISHED 9"}), "");
  EXPECT_NE(Found(kAny, {"* VANISHED 4", "* VANISHED 4"}), "");
  EXPECT_NE(Found(kFetch, {"* VANISHED 4"}), "");
  EXPECT_NE(Found(kAny, {"* 2 EXPUNGE"}), "");
  EXPECT_NE(Found(kAny, {"* VANISHED 2", "* 3 EXISTS", "* 2 EXISTS"}), "");
}

TEST_F(ViewTest, Grammar) {
  for (const std::string_view line :
       {"* 1 FETCH (UID)", "* 1 FETCH UID 2", "* 1 FETCH (FLAGS (\\Seen)", "* 1 FETCH (MODSEQ 5)",
        "* FLAGS", "* VANISHED", "* OK [UIDNEXT] x", "* OK [UIDNEXT 1", "* OK", "* 1 FETCH (X 1)",
        "* SEARCH ", "* 1 FETCH (BODY[] {9}\r\nabc)", "* 99999999999 EXISTS", ""}) {
    EXPECT_NE(Found(kAny, {line}), "") << line;
  }
}

class OracleTest : public ::testing::Test {
 protected:
  // UIDs 1 to 3 with the tokens t1 to t3; UID 3 has \Deleted.
  OracleTest() {
    for (uint32_t uid = 1; uid <= 3; ++uid) {
      oracle_.Appended(0, 7, uid, oracle_.Now(0), "t" + std::to_string(uid),
                       uid == 3 ? kDeleted : 0, findings_);
    }
    EXPECT_TRUE(findings_.empty());
  }

  std::string Found() {
    const std::string text = findings_.empty() ? "" : findings_.texts().front();
    findings_ = Findings();
    return text;
  }

  Findings findings_;
  Oracle oracle_{2};
};

TEST_F(OracleTest, Appends) {
  const Oracle::Floor floor = oracle_.Now(0);
  oracle_.Appended(0, 7, 3, floor, "t4", 0, findings_);
  EXPECT_NE(Found(), "");
  oracle_.Appended(0, 8, 4, floor, "t4", 0, findings_);
  EXPECT_NE(Found(), "");
  oracle_.Appended(0, 7, 5, floor, "t5", 0, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawToken(0, 6, "t1", findings_);
  oracle_.Appended(0, 7, 6, floor, "t6", 0, findings_);
  EXPECT_NE(Found(), "");
}

TEST_F(OracleTest, Content) {
  oracle_.SawToken(0, 1, "t1", findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawToken(0, 1, "t2", findings_);
  EXPECT_NE(Found(), "");
  EXPECT_EQ(TokenIn(MessageOf("t1")), "t1");
  EXPECT_NE(MessageOf("t1"), MessageOf("t2"));
}

TEST_F(OracleTest, Copies) {
  const Oracle::Floor from = oracle_.Now(0);
  const Oracle::Floor to = oracle_.Now(1);
  oracle_.Copied(0, from, 1, to, 9, {1, 2}, {1, 2}, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawToken(1, 1, "t1", findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawToken(1, 2, "t1", findings_);
  EXPECT_NE(Found(), "") << "COPYUID mixes two messages up";
  oracle_.Copied(0, from, 1, to, 9, {1, 2}, {4, 3}, findings_);
  EXPECT_NE(Found(), "");
  oracle_.Copied(0, from, 1, to, 9, {1, 2}, {5}, findings_);
  EXPECT_NE(Found(), "");
  oracle_.Copied(0, from, 1, oracle_.Now(1), 9, {1}, {2}, findings_);
  EXPECT_NE(Found(), "");
}

TEST_F(OracleTest, Flags) {
  oracle_.WillStore(0, {1}, Operation::kAdd, kSeen);
  oracle_.SawFlags(0, 1, kSeen, 11, findings_);
  oracle_.SawFlags(0, 1, 0, 10, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawFlags(0, 1, 0, 11, findings_);
  EXPECT_NE(Found(), "") << "two states with one modseq";
  oracle_.SawFlags(0, 2, kSeen, 0, findings_);
  EXPECT_NE(Found(), "") << "set by nobody";
  oracle_.DidStore(0, {1}, Operation::kAdd, kSeen);
  oracle_.SawEnd(0, {{1, 0}, {2, 0}, {3, kDeleted}}, findings_);
  EXPECT_NE(Found(), "") << "lost";
  oracle_.WillStore(0, {1}, Operation::kReplace, kFlagged);
  oracle_.SawEnd(0, {{1, 0}, {2, 0}, {3, kDeleted}}, findings_);
  EXPECT_EQ(Found(), "");
}

TEST_F(OracleTest, Expunges) {
  oracle_.Gone(0, 3, findings_);
  EXPECT_NE(Found(), "") << "nobody has said EXPUNGE";
  oracle_.WillExpungeAll(0);
  oracle_.Gone(0, 3, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.Gone(0, 1, findings_);
  EXPECT_NE(Found(), "") << "it is not \\Deleted";
  oracle_.WillMove(0, {2});
  oracle_.Gone(0, 2, findings_);
  EXPECT_EQ(Found(), "");
}

TEST_F(OracleTest, UidExpungeNamesMessages) {
  oracle_.WillStore(0, {1, 2}, Operation::kAdd, kDeleted);
  oracle_.WillExpunge(0, {1});
  oracle_.Gone(0, 1, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.Gone(0, 2, findings_);
  EXPECT_NE(Found(), "");
}

TEST_F(OracleTest, WhatIsThere) {
  oracle_.WillExpungeAll(0);
  oracle_.SawEnd(0, {{1, 0}, {2, 0}}, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawEnd(0, {{1, 0}}, findings_);
  EXPECT_NE(Found(), "") << "an acknowledged message is missing";
  oracle_.SawEnd(0, {{1, 0}, {2, 0}, {9, 0}}, findings_);
  EXPECT_NE(Found(), "") << "made by nobody";
  oracle_.Gone(0, 3, findings_);
  oracle_.SawEnd(0, {{1, 0}, {2, 0}, {3, kDeleted}}, findings_);
  EXPECT_NE(Found(), "") << "expunged and there again";
}

TEST_F(OracleTest, Counters) {
  const Oracle::Floor floor = oracle_.Now(0);
  oracle_.SawStatus(0, floor, 7, 4, 20, findings_);
  EXPECT_EQ(Found(), "");
  oracle_.SawStatus(0, floor, 7, 3, 20, findings_);
  EXPECT_NE(Found(), "") << "UIDNEXT is in use";
  oracle_.SawStatus(0, floor, 8, 4, 20, findings_);
  EXPECT_NE(Found(), "") << "UIDVALIDITY changes";
  oracle_.SawStatus(0, oracle_.Now(0), 7, 4, 19, findings_);
  EXPECT_NE(Found(), "") << "HIGHESTMODSEQ falls";
  oracle_.SawStatus(0, oracle_.Now(0), 7, 9, 20, findings_);
  oracle_.SawStatus(0, oracle_.Now(0), 7, 8, 20, findings_);
  EXPECT_NE(Found(), "") << "UIDNEXT falls";
}

}  // namespace
}  // namespace rmail::imap_stress
