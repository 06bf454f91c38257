#include "store/engine/mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/base/error.h"
#include "store/engine/failing_env.h"
#include "store/engine/log_file.h"
#include "store/engine/mailbox_fixture.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;

using MailboxTest = MailboxFixture;

TEST_F(MailboxTest, NewOneIsEmpty) {
  const auto counts = NewMailbox()->Counts();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->messages, 0u);
  EXPECT_EQ(counts->uid_next, 1u);
}

TEST_F(MailboxTest, AppendedMessagesAreThereAfterReopening) {
  auto mailbox = NewMailbox();
  EXPECT_EQ(Append(*mailbox, "one"), 1u);
  EXPECT_EQ(Append(*mailbox, "two!", kSeen | kFlagged), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Content(*mailbox, 1), "one");
    EXPECT_EQ(Content(*mailbox, 2), "two!");
    const auto counts = mailbox->Counts();
    ASSERT_TRUE(counts.ok());
    EXPECT_EQ(counts->messages, 2u);
    EXPECT_EQ(counts->unseen, 1u);
    EXPECT_EQ(counts->size, 7u);
    EXPECT_EQ(counts->uid_next, 3u);
    EXPECT_EQ(announced_, counts->highest_modseq);
    ExpectConsistent(*mailbox);
    mailbox = NewMailbox();
  }
}

TEST_F(MailboxTest, FlagsAddRemoveReplace) {
  auto mailbox = NewMailbox();
  Append(*mailbox, "one", kSeen);
  Append(*mailbox, "two");
  Mailbox::FlagUpdate update;
  update.spans = kAll;
  update.flags = kFlagged | (uint64_t{1} << 35);
  const auto added = mailbox->UpdateFlags(update);
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(added->messages.size(), 2u);
  EXPECT_EQ(Flags(*mailbox)[1], kSeen | kFlagged | (uint64_t{1} << 35));
  update.operation = FlagOperation::kRemove;
  update.flags = kFlagged;
  ASSERT_TRUE(mailbox->UpdateFlags(update).ok());
  EXPECT_EQ(Flags(*mailbox)[2], uint64_t{1} << 35);
  SetFlags(*mailbox, 1, kDraft);
  EXPECT_EQ(Flags(*mailbox)[1], kDraft);
  ExpectConsistent(*mailbox);
  EXPECT_EQ(Flags(*NewMailbox()), Flags(*mailbox));
}

TEST_F(MailboxTest, UnchangedSinceLeavesNewerMessagesAlone) {
  auto mailbox = NewMailbox();
  Append(*mailbox, "one");
  Append(*mailbox, "two");
  const uint64_t before = mailbox->Counts()->highest_modseq;
  SetFlags(*mailbox, 1, kFlagged);
  Mailbox::FlagUpdate update;
  update.spans = kAll;
  update.flags = kSeen;
  update.unchanged_since = before;
  const auto result = mailbox->UpdateFlags(update);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->conflicts, ElementsAre(1));
  EXPECT_EQ(Flags(*mailbox)[1], kFlagged);
  EXPECT_EQ(Flags(*mailbox)[2], kSeen);
}

TEST_F(MailboxTest, ExpungeRemovesOnlyDeletedOnesAndUidsAreNotGivenAgain) {
  auto mailbox = NewMailbox();
  for (const char* text : {"one", "two", "three"}) Append(*mailbox, text);
  SetFlags(*mailbox, 2, kDeleted);
  SetFlags(*mailbox, 3, kDeleted);
  const auto first = mailbox->Expunge({{1, 2}});
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(first->uids, ElementsAre(2));
  const auto second = mailbox->Expunge(kAll);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(second->uids, ElementsAre(3));
  EXPECT_EQ(Append(*mailbox, "four"), 4u);
  EXPECT_EQ(Append(*NewMailbox(), "five"), 5u);
  ExpectConsistent(*mailbox);
}

TEST_F(MailboxTest, ChangesSinceTellsWhatChangedAndWhatWent) {
  auto mailbox = NewMailbox();
  for (const char* text : {"one", "two", "three"}) Append(*mailbox, text);
  const uint64_t known = mailbox->Counts()->highest_modseq;
  SetFlags(*mailbox, 1, kSeen);
  SetFlags(*mailbox, 3, kDeleted);
  ASSERT_TRUE(mailbox->Expunge(kAll).ok());
  Append(*mailbox, "four");
  const auto changes = mailbox->ChangesSince(known);
  ASSERT_TRUE(changes.ok());
  EXPECT_FALSE(changes->reset);
  EXPECT_THAT(Uids(changes->changed), ElementsAre(1, 4));
  EXPECT_THAT(changes->expunged, ElementsAre(UidSpan{3, 3}));
  EXPECT_TRUE(mailbox->ChangesSince(known + 1'000'000)->reset);
}

// Two objects on one folder are two processes as far as the files are concerned: flock excludes
// open files.
TEST_F(MailboxTest, TwoStoresSeeEachOther) {
  auto a = NewMailbox();
  auto b = NewMailbox();
  EXPECT_EQ(Append(*a, "one"), 1u);
  EXPECT_EQ(Append(*b, "two"), 2u);
  EXPECT_EQ(Append(*a, "three"), 3u);
  SetFlags(*b, 1, kSeen);
  EXPECT_EQ(Content(*a, 1), "one");
  EXPECT_EQ(Flags(*a), Flags(*b));
  SetFlags(*a, 2, kDeleted);
  ASSERT_TRUE(b->Expunge(kAll).ok());
  EXPECT_EQ(Content(*a, 2), "(no row)");
  ExpectConsistent(*a);
  ExpectConsistent(*b);
}

TEST_F(MailboxTest, ConcurrentAppendsAndFlagsOfTwoStoresLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  auto a = NewMailbox();
  auto b = NewMailbox();
  std::vector<std::vector<uint32_t>> uids(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Mailbox& mailbox = t % 2 == 0 ? *a : *b;
      for (int i = 0; i < kEach; ++i) {
        uids[t].push_back(Append(mailbox, std::to_string(t * kEach + i)));
        SetFlags(mailbox, uids[t].back(), kSeen);
        Mailbox& other = t % 2 == 0 ? *b : *a;
        SetFlags(other, uids[t][i / 2], kSeen | kFlagged);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint32_t> distinct;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kEach; ++i) {
      EXPECT_TRUE(distinct.insert(uids[t][i]).second);
      EXPECT_EQ(Content(*a, uids[t][i]), std::to_string(t * kEach + i));
    }
  }
  EXPECT_EQ(distinct.size(), static_cast<size_t>(kThreads * kEach));
  EXPECT_EQ(Flags(*a), Flags(*b));
  ExpectConsistent(*a);
}

class BrokenIndexTest : public MailboxTest {
 protected:
  void SetUp() override {
    auto mailbox = NewMailbox();
    Append(*mailbox, "one", kSeen);
    Append(*mailbox, "two");
    Append(*mailbox, "three");
    SetFlags(*mailbox, 2, kDeleted);
    ASSERT_TRUE(mailbox->Expunge(kAll).ok());
    SetFlags(*mailbox, 3, kAnswered);
    before_ = *mailbox->Counts();
  }

  void ExpectWhole(Mailbox& mailbox, const std::string& what) {
    EXPECT_EQ(Flags(mailbox), (std::map<uint32_t, uint64_t>{{1, kSeen}, {3, kAnswered}})) << what;
    EXPECT_EQ(Content(mailbox, 1), "one") << what;
    EXPECT_EQ(Content(mailbox, 3), "three") << what;
    EXPECT_GT(Append(mailbox, "four"), 3u) << what;
    EXPECT_GT(mailbox.Counts()->highest_modseq, before_.highest_modseq) << what;
    ExpectConsistent(mailbox);
  }

  IndexCounts before_;
};

TEST_F(BrokenIndexTest, MissingLogIsMadeAnew) {
  ASSERT_TRUE(Env::Posix()->Remove(folder_.Path("log.1")).ok());
  ExpectWhole(*NewMailbox(), "missing");
}

TEST_F(BrokenIndexTest, LogThatVanishesUnderAnOpenMailboxIsMadeAnew) {
  auto mailbox = NewMailbox();
  ASSERT_TRUE(mailbox->Counts().ok());
  ASSERT_TRUE(Env::Posix()->Remove(folder_.Path("log.1")).ok());
  ExpectWhole(*mailbox, "vanished");
}

TEST_F(BrokenIndexTest, LogDamagedAtAnyOctetIsMendedOrMadeAnew) {
  const std::string whole = folder_.Read("log.1");
  const std::string copy = folder_.path() + ".copy";
  for (size_t at = 0; at < whole.size(); ++at) {
    std::filesystem::copy(folder_.path(), copy, std::filesystem::copy_options::recursive);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    ASSERT_TRUE(Env::Posix()->ReplaceFile(copy + "/log.1", damaged).ok());
    const auto opened = NewMailboxAt(copy);
    Mailbox& mailbox = *opened;
    const std::map<uint32_t, uint64_t> flags = Flags(mailbox);
    // A torn last record loses the last flag change at most when no name says better: names say it
    // here.
    EXPECT_EQ(flags.count(1), 1u) << at;
    EXPECT_EQ(flags.count(2), 0u) << at;
    EXPECT_EQ(flags.count(3), 1u) << at;
    EXPECT_EQ(Content(mailbox, 3), "three") << at;
    EXPECT_GT(Append(mailbox, "four"), 3u) << at;
    ExpectConsistent(mailbox);
    std::filesystem::remove_all(copy);
  }
}

TEST_F(BrokenIndexTest, NamesThatLagBehindAreBroughtForward) {
  // As if a process had died between the log record and the rename.
  std::filesystem::rename(folder_.Path("0/3.1700000000000000.5.R.eml"),
                          folder_.Path("0/3.1700000000000000.5..eml"));
  ExpectWhole(*NewMailbox(), "lagging");
}

TEST_F(BrokenIndexTest, NameChangedUnderAnOpenMailboxIsFound) {
  auto mailbox = NewMailbox();
  ASSERT_TRUE(mailbox->Counts().ok());
  std::filesystem::rename(folder_.Path("0/3.1700000000000000.5.R.eml"),
                          folder_.Path("0/3.1700000000000000.5.ST.eml"));
  ExpectWhole(*mailbox, "renamed");
}

TEST_F(BrokenIndexTest, RecordWhoseFileNeverCameIsTakenBack) {
  std::filesystem::remove(folder_.Path("0/3.1700000000000000.5.R.eml"));
  auto mailbox = NewMailbox();
  EXPECT_EQ(Flags(*mailbox), (std::map<uint32_t, uint64_t>{{1, kSeen}}));
  EXPECT_EQ(Append(*mailbox, "four"), 4u);
  ExpectConsistent(*mailbox);
}

TEST_F(BrokenIndexTest, FileThatGoesMissingIsToldAndForgotten) {
  auto mailbox = NewMailbox();
  const auto rows = mailbox->Rows({{3, 3}});
  ASSERT_EQ(rows->size(), 1u);
  std::filesystem::remove(folder_.Path("0/3.1700000000000000.5.R.eml"));
  EXPECT_TRUE(absl::IsNotFound(mailbox->OpenMessage((*rows)[0].info).status()));
  EXPECT_EQ(Flags(*mailbox).count(3), 0u);
  ExpectConsistent(*mailbox);
}

TEST_F(BrokenIndexTest, RebuildGivesTheSameMessages) {
  auto mailbox = NewMailbox();
  auto other = NewMailbox();
  ASSERT_TRUE(other->Counts().ok());
  EXPECT_EQ(*mailbox->Rebuild(), 2u);
  ExpectWhole(*mailbox, "rebuilt");
  // Another store notices that the log was replaced.
  EXPECT_EQ(Flags(*other), Flags(*mailbox));
}

TEST_F(BrokenIndexTest, WhoKnewTheMailboxBeforeARebuildStartsOver) {
  auto mailbox = NewMailbox();
  ASSERT_TRUE(mailbox->Rebuild().ok());
  const auto changes = mailbox->ChangesSince(before_.highest_modseq);
  ASSERT_TRUE(changes.ok());
  // What was expunged before it is not known any more.
  EXPECT_TRUE(changes->reset);
  EXPECT_EQ(Uids(changes->changed).size(), 2u);
}

TEST_F(BrokenIndexTest, LeftoversOfDeadUploadsGo) {
  const std::string old = folder_.Write("tmp/old.tmp", "x");
  const std::string young = folder_.Write("tmp/young.tmp", "x");
  std::filesystem::last_write_time(
      old, std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  ASSERT_TRUE(NewMailbox()->Counts().ok());
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(young));
}

TEST_F(MailboxTest, SecondFileOfAUidNeverReplacesTheFirst) {
  auto mailbox = NewMailbox();
  Append(*mailbox, "acknowledged");
  for (const char* name : {"0/1.1.5..eml", "0/1.9999999999999999.5..eml"}) {
    folder_.Write(name, "other");
  }
  EXPECT_EQ(Content(*NewMailbox(), 1), "acknowledged");
}

class FailingMailboxTest : public MailboxTest {
 protected:
  std::unique_ptr<Mailbox> NewFailingMailbox() {
    return std::make_unique<Mailbox>(MailboxContext{&env_, &failing_commits_}, folder_.path(),
                                     [](uint64_t) {});
  }
  FailingEnv env_;
  GroupCommit failing_commits_{&env_, folder_.path(), SyncMode::kFsync};
};

// Whoever could not read what others wrote must not write over it.
TEST_F(FailingMailboxTest, FailedReadIsMadeUpForBeforeTheNextWrite) {
  auto a = NewMailbox();
  auto b = NewFailingMailbox();
  EXPECT_EQ(Append(*a, "one"), 1u);
  EXPECT_EQ(b->Counts()->messages, 1u);
  EXPECT_EQ(Append(*a, "two"), 2u);
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_FALSE(b->Counts().ok());
  EXPECT_EQ(Append(*b, "three"), 3u);
  EXPECT_EQ(Content(*a, 2), "two");
  EXPECT_EQ(Content(*a, 3), "three");
  ExpectConsistent(*NewMailbox());
}

TEST_F(FailingMailboxTest, FailedAppendIsNoMessageAndTheNextOneWorks) {
  for (const FailingEnv::Call call :
       {FailingEnv::kWriteAt, FailingEnv::kLink, FailingEnv::kSync, FailingEnv::kReadAt}) {
    auto mailbox = NewFailingMailbox();
    const uint32_t before = mailbox->Counts()->messages;
    ASSERT_TRUE(mailbox->IncomingDirectory().ok());
    const std::string path = folder_.Write("tmp/message", "x");
    env_.FailNext(call);
    const auto failed = mailbox->Append(path, {0, 0, 1, 1}, {});
    EXPECT_FALSE(failed.ok()) << call;
    const uint32_t after = mailbox->Counts()->messages;
    EXPECT_LE(after, before + 1) << call;
    EXPECT_GT(Append(*mailbox, "whole"), 0u) << call;
    ExpectConsistent(*NewMailbox());
  }
}

// What a machine that went down had told clients, but not synced, is never told again of something
// else.
TEST_F(FailingMailboxTest, AfterAPowerFailureUidsAndModseqsLeaveAGap) {
  auto mailbox = NewFailingMailbox();
  EXPECT_EQ(Append(*mailbox, "one"), 1u);
  const IndexCounts before = *mailbox->Counts();
  EXPECT_EQ(NewFailingMailbox()->Counts()->uid_next, 2u);
  const std::string boot = env_.BootId();
  env_.SetBootId("another-machine its-boot");
  EXPECT_EQ(NewFailingMailbox()->Counts()->uid_next, 2u);
  env_.SetBootId(boot + "2");
  mailbox = NewFailingMailbox();
  EXPECT_EQ(Append(*mailbox, "two"), 4096u);
  EXPECT_GT(mailbox->Counts()->highest_modseq, before.highest_modseq + 1'000'000);
  EXPECT_TRUE(mailbox->ChangesSince(before.highest_modseq)->reset);
  EXPECT_LT(Append(*NewFailingMailbox(), "three"), 4096u * 2);
  ExpectConsistent(*mailbox);
}

// A power failure lost the records of the last message of a shard and of the first of the next, but
// not their files; a name of a flag change that was lost, and an unlink that was.
TEST_F(FailingMailboxTest, AfterAPowerFailureNamesAndIndexAreBroughtTogether) {
  {
    auto mailbox = NewFailingMailbox();
    Append(*mailbox, "one");
    Append(*mailbox, "two");
    SetFlags(*mailbox, 2, kSeen);
  }
  std::filesystem::rename(folder_.Path("0/2.1700000000000000.3.S.eml"),
                          folder_.Path("0/2.1700000000000000.3.F.eml"));
  std::filesystem::create_directory(folder_.Path("1"));
  folder_.Write("0/4095.7.4..eml", "last");
  folder_.Write("1/4096.7.5..eml", "first");
  env_.SetBootId(env_.BootId() + "2");
  auto mailbox = NewFailingMailbox();
  EXPECT_EQ(Content(*mailbox, 4095), "last");
  EXPECT_EQ(Content(*mailbox, 4096), "first");
  EXPECT_EQ(Flags(*mailbox)[2], kSeen);
  ExpectConsistent(*mailbox);
  EXPECT_GT(Append(*mailbox, "acknowledged"), 8000u);
  ExpectConsistent(*NewFailingMailbox());
}

TEST_F(FailingMailboxTest, RebuildThatFailsIsTriedAgain) {
  Append(*NewMailbox(), "one");
  ASSERT_TRUE(Env::Posix()->Remove(folder_.Path("log.1")).ok());
  for (const FailingEnv::Call call :
       {FailingEnv::kList, FailingEnv::kWriteAt, FailingEnv::kSync, FailingEnv::kRename}) {
    auto mailbox = NewFailingMailbox();
    env_.FailNext(call);
    EXPECT_FALSE(mailbox->Counts().ok()) << call;
    EXPECT_EQ(Content(*mailbox, 1), "one") << call;
    ASSERT_TRUE(Env::Posix()->Remove(folder_.Path("log.1")).ok());
  }
}

TEST_F(MailboxTest, FolderThatWasDeletedIsNoMailbox) {
  auto mailbox = NewMailbox();
  Append(*mailbox, "one");
  std::filesystem::remove_all(folder_.path());
  EXPECT_FALSE(mailbox->Append("/nonexistent", {}, {}).ok());
  EXPECT_EQ(ReasonOf(NewMailbox()->Counts().status()), store::v1::ERROR_REASON_MAILBOX_NOT_FOUND);
}

}  // namespace
}  // namespace rmail::engine
