// COPY and MOVE.
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "store/base/error.h"
#include "store/engine/failing_env.h"
#include "store/engine/mailbox_fixture.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Mailbox::TransferOptions kSameFlags{[](uint64_t flags) { return flags; }, 0};

class TransferTest : public MailboxFixture {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b"}) std::filesystem::create_directory(folder_.Path(name));
    a_ = NewMailboxAt(folder_.Path("a"));
    b_ = NewMailboxAt(folder_.Path("b"));
    for (const char* text : {"one", "two", "three"}) Append(*a_, text, kSeen);
    Append(*b_, "here before");
  }

  void ExpectBothConsistent() {
    ExpectConsistent(*a_);
    ExpectConsistent(*b_);
    ExpectConsistent(*NewMailboxAt(folder_.Path("a")));
    ExpectConsistent(*NewMailboxAt(folder_.Path("b")));
  }

  std::unique_ptr<Mailbox> a_;
  std::unique_ptr<Mailbox> b_;
};

TEST_F(TransferTest, CopyKeepsFlagsDatesAndBytes) {
  const auto copied = Mailbox::Copy(*a_, {{2, 9}}, *b_, kSameFlags);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_THAT(copied->source_uids, ElementsAre(2, 3));
  EXPECT_THAT(copied->target_uids, ElementsAre(2, 3));
  EXPECT_EQ(copied->target_modseq, b_->Counts()->highest_modseq);
  EXPECT_EQ(Content(*b_, 2), "two");
  EXPECT_EQ(Content(*b_, 3), "three");
  EXPECT_EQ(Content(*a_, 2), "two");
  EXPECT_EQ(Flags(*b_)[3], kSeen);
  EXPECT_EQ((*b_->Rows({{3, 3}}))[0].info.internal_date, 1'700'000'000'000'000);
  EXPECT_EQ(std::filesystem::hard_link_count(folder_.Path("a/0/2.1700000000000000.3.S.eml")), 2u);
  ExpectBothConsistent();
}

TEST_F(TransferTest, CopyWithinAMailboxMakesNewMessages) {
  const auto copied = Mailbox::Copy(*a_, kAll, *a_, kSameFlags);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_THAT(copied->target_uids, ElementsAre(4, 5, 6));
  EXPECT_EQ(Content(*a_, 6), "three");
  EXPECT_EQ(a_->Counts()->messages, 6u);
  ExpectBothConsistent();
}

TEST_F(TransferTest, FlagsAreTranslated) {
  const Mailbox::TransferOptions options{[](uint64_t flags) { return flags << 1; }, 0};
  ASSERT_TRUE(Mailbox::Copy(*a_, {{1, 1}}, *b_, options).ok());
  EXPECT_EQ(Flags(*b_)[2], kSeen << 1);
  ExpectBothConsistent();
}

TEST_F(TransferTest, MoveLeavesEachMessageInOnePlace) {
  const auto moved = Mailbox::Move(*a_, {{1, 2}}, *b_, kSameFlags);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_THAT(moved->source_uids, ElementsAre(1, 2));
  EXPECT_THAT(moved->target_uids, ElementsAre(2, 3));
  EXPECT_EQ(moved->source_modseq, a_->Counts()->highest_modseq);
  EXPECT_EQ(Content(*b_, 2), "one");
  EXPECT_EQ(Flags(*a_).size(), 1u);
  EXPECT_EQ(std::filesystem::hard_link_count(folder_.Path("b/0/2.1700000000000000.3.S.eml")), 1u);
  ExpectBothConsistent();
}

TEST_F(TransferTest, MoveWithinAMailboxGivesNewUids) {
  const auto moved = Mailbox::Move(*a_, {{1, 2}}, *a_, kSameFlags);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_THAT(moved->target_uids, ElementsAre(4, 5));
  EXPECT_EQ(Content(*a_, 4), "one");
  EXPECT_EQ(a_->Counts()->messages, 3u);
  ExpectBothConsistent();
}

TEST_F(TransferTest, MessagesThatAreNotThereArePassedOver) {
  const auto copied = Mailbox::Copy(*a_, {{7, 9}}, *b_, kSameFlags);
  ASSERT_TRUE(copied.ok());
  EXPECT_THAT(copied->source_uids, IsEmpty());
  std::filesystem::remove(folder_.Path("a/0/2.1700000000000000.3.S.eml"));
  const auto moved = Mailbox::Move(*a_, kAll, *b_, kSameFlags);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_THAT(moved->source_uids, ElementsAre(1, 3));
  EXPECT_THAT(moved->target_uids, ElementsAre(2, 4));
  EXPECT_EQ(a_->Counts()->messages, 0u);
  ExpectBothConsistent();
}

TEST_F(TransferTest, FileWhoseNameAHandChangedIsFound) {
  std::filesystem::rename(folder_.Path("a/0/2.1700000000000000.3.S.eml"),
                          folder_.Path("a/0/2.1700000000000000.3.SF.eml"));
  std::filesystem::rename(folder_.Path("a/0/3.1700000000000000.5.S.eml"),
                          folder_.Path("a/0/3.1700000000000000.5.SF.eml"));
  ASSERT_TRUE(Mailbox::Copy(*a_, {{2, 2}}, *b_, kSameFlags).ok());
  EXPECT_EQ(Content(*b_, 2), "two");
  ASSERT_TRUE(Mailbox::Move(*a_, {{3, 3}}, *b_, kSameFlags).ok());
  EXPECT_EQ(Content(*b_, 3), "three");
  ExpectConsistent(*b_);
}

TEST_F(TransferTest, AcrossShards) {
  for (int i = 0; i < 20; ++i) Append(*a_, "filler");
  // So that the copies begin in one shard and end in the next.
  const std::string path = folder_.Path("c");
  std::filesystem::create_directories(path + "/0");
  std::ofstream(path + "/0/4090.7.4..eml") << "last";
  auto c = NewMailboxAt(path);
  ASSERT_TRUE(c->Rebuild().ok());
  ASSERT_TRUE(Mailbox::Copy(*a_, kAll, *c, kSameFlags).ok());
  EXPECT_EQ(c->Counts()->messages, 24u);
  ExpectConsistent(*c);
  const auto moved = Mailbox::Move(*c, kAll, *b_, kSameFlags);
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->source_uids.size(), 24u);
  EXPECT_EQ(c->Counts()->messages, 0u);
  ExpectConsistent(*NewMailboxAt(path));
  ExpectBothConsistent();
}

// Each way at once, and every mailbox with itself: no deadlock, nothing lost.
TEST_F(TransferTest, ManyAtOnce) {
  auto a2 = NewMailboxAt(folder_.Path("a"));
  auto b2 = NewMailboxAt(folder_.Path("b"));
  std::vector<std::thread> threads;
  const auto run = [&](Mailbox& from, Mailbox& to) {
    threads.emplace_back([&from, &to] {
      for (int i = 0; i < 20; ++i) {
        const auto moved = Mailbox::Move(from, kAll, to, kSameFlags);
        EXPECT_TRUE(moved.ok()) << moved.status();
      }
    });
  };
  run(*a_, *b_);
  run(*b_, *a_);
  run(*a2, *b2);
  run(*b2, *a2);
  run(*a_, *a2);
  run(*b_, *b_);
  for (std::thread& thread : threads) thread.join();
  std::multiset<std::string> contents;
  for (Mailbox* const mailbox : {a_.get(), b_.get()}) {
    for (const auto& [uid, flags] : Flags(*mailbox)) contents.insert(Content(*mailbox, uid));
  }
  EXPECT_THAT(contents, ElementsAre("here before", "one", "three", "two"));
  ExpectBothConsistent();
}

TEST_F(TransferTest, CopyThatFailsCopiesNothing) {
  FailingEnv env;
  GroupCommit commits(&env, folder_.path(), SyncMode::kFsync);
  Mailbox b({&env, &commits}, folder_.Path("b"), [](uint64_t) {});
  env.FailNext(FailingEnv::kLink);
  EXPECT_FALSE(Mailbox::Copy(*a_, kAll, b, kSameFlags).ok());
  EXPECT_EQ(b.Counts()->messages, 1u);
  EXPECT_TRUE(Mailbox::Copy(*a_, kAll, b, kSameFlags).ok());
  EXPECT_EQ(b.Counts()->messages, 4u);
  ExpectBothConsistent();
}

TEST_F(TransferTest, MoveThatFailsCanBeRepeated) {
  FailingEnv env;
  GroupCommit commits(&env, folder_.path(), SyncMode::kFsync);
  Mailbox b({&env, &commits}, folder_.Path("b"), [](uint64_t) {});
  ASSERT_TRUE(b.Counts().ok());
  env.FailNext(FailingEnv::kRename);
  EXPECT_FALSE(Mailbox::Move(*a_, kAll, b, kSameFlags).ok());
  EXPECT_EQ(a_->Counts()->messages + b.Counts()->messages, 4u);
  EXPECT_TRUE(Mailbox::Move(*a_, kAll, b, kSameFlags).ok());
  EXPECT_EQ(b.Counts()->messages, 4u);
  ExpectBothConsistent();
}

}  // namespace
}  // namespace rmail::engine
