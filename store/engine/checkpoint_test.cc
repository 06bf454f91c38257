// Snapshots: what they keep, and what becomes of a mailbox whose snapshot or log is damaged.
#include <filesystem>

#include "store/engine/failing_env.h"
#include "store/engine/mailbox_fixture.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckpointTest : public MailboxFixture {
 protected:
  // Messages 1 to 5, 2 expunged, flags on some; the last change is in the log only.
  void Fill(Mailbox& mailbox) {
    for (const char* text : {"one", "two", "three", "four"}) Append(mailbox, text);
    SetFlags(mailbox, 2, kDeleted);
    ASSERT_TRUE(mailbox.Expunge(kAll).ok());
    SetFlags(mailbox, 1, kSeen);
    ASSERT_TRUE(mailbox.Checkpoint().ok());
    Append(mailbox, "five", kFlagged);
    SetFlags(mailbox, 3, kAnswered);
  }

  const std::map<uint32_t, uint64_t> filled_ = {{1, kSeen}, {3, kAnswered}, {4, 0}, {5, kFlagged}};

  void ExpectFilled(Mailbox& mailbox, const std::string& what) {
    EXPECT_EQ(Flags(mailbox), filled_) << what;
    EXPECT_EQ(Content(mailbox, 4), "four") << what;
    EXPECT_GT(Append(mailbox, "six"), 5u) << what;
    ExpectConsistent(mailbox);
  }
};

TEST_F(CheckpointTest, OpensWithTheSnapshotAndTheLog) {
  auto mailbox = NewMailbox();
  Fill(*mailbox);
  const IndexCounts before = *mailbox->Counts();
  const auto reopened = NewMailbox();
  const IndexCounts counts = *reopened->Counts();
  EXPECT_EQ(counts.messages, 4u);
  EXPECT_EQ(counts.unseen, 3u);
  EXPECT_EQ(counts.size, 3u + 5 + 4 + 4);
  EXPECT_EQ(counts.deleted_size, before.deleted_size);
  EXPECT_EQ(counts.uid_next, before.uid_next);
  EXPECT_EQ(counts.highest_modseq, before.highest_modseq);
  ExpectFilled(*reopened, "reopened");
}

TEST_F(CheckpointTest, RemembersWhatWasExpunged) {
  auto mailbox = NewMailbox();
  Append(*mailbox, "zero");
  const uint64_t known = mailbox->Counts()->highest_modseq;
  Append(*mailbox, "one", kDeleted);
  Append(*mailbox, "two", kDeleted);
  ASSERT_TRUE(mailbox->Expunge(kAll).ok());
  ASSERT_TRUE(mailbox->Checkpoint().ok());
  const auto changes = NewMailbox()->ChangesSince(known);
  ASSERT_TRUE(changes.ok());
  EXPECT_FALSE(changes->reset);
  EXPECT_THAT(changes->expunged, ElementsAre(UidSpan{2, 3}));
  EXPECT_THAT(Uids(changes->changed), IsEmpty());
}

TEST_F(CheckpointTest, AnotherStoreGoesOnWithTheNewLog) {
  auto a = NewMailbox();
  auto b = NewMailbox();
  Append(*a, "one");
  EXPECT_EQ(Flags(*b).size(), 1u);
  ASSERT_TRUE(a->Checkpoint().ok());
  EXPECT_EQ(Append(*a, "two"), 2u);
  EXPECT_EQ(Append(*b, "three"), 3u);
  EXPECT_EQ(Append(*a, "four"), 4u);
  ASSERT_TRUE(b->Checkpoint().ok());
  SetFlags(*a, 1, kSeen);
  EXPECT_EQ(Flags(*b), Flags(*a));
  EXPECT_EQ(Flags(*NewMailbox()), Flags(*a));
  ExpectConsistent(*a);
}

// A store that has not looked for a while: two checkpoints were made since.
TEST_F(CheckpointTest, StoreThatMissedSeveralCheckpointsCatchesUp) {
  auto a = NewMailbox();
  auto b = NewMailbox();
  Append(*a, "one");
  EXPECT_EQ(Flags(*b).size(), 1u);
  for (int i = 0; i < 3; ++i) {
    Append(*a, "more");
    SetFlags(*a, 1, i % 2 == 0 ? kSeen : kFlagged);
    ASSERT_TRUE(a->Checkpoint().ok());
  }
  EXPECT_EQ(Append(*b, "five"), 5u);
  EXPECT_EQ(Flags(*b), Flags(*a));
  ExpectConsistent(*b);
}

TEST_F(CheckpointTest, IsMadeWhenTheLogIsLong) {
  auto mailbox = NewMailbox();
  for (int i = 0; i < 20; ++i) Append(*mailbox, "message");
  uint64_t largest = 0;
  for (int i = 0; i < 12'000; ++i) {
    Mailbox::FlagUpdate update;
    update.spans = {{1, 20}};
    update.operation = i % 2 == 0 ? FlagOperation::kAdd : FlagOperation::kRemove;
    update.flags = kSeen;
    ASSERT_TRUE(mailbox->UpdateFlags(update).ok());
    largest = std::max<uint64_t>(largest, std::filesystem::file_size(folder_.Path("log.1")));
    if (largest > std::filesystem::file_size(folder_.Path("log.1"))) break;
  }
  EXPECT_GT(largest, 200u << 10);
  EXPECT_LT(largest, 300u << 10);
  EXPECT_TRUE(std::filesystem::exists(folder_.Path("snapshot.1")));
  ExpectConsistent(*NewMailbox());
}

TEST_F(CheckpointTest, DamageAnywhereInTheSnapshotIsMadeGood) {
  {
    auto mailbox = NewMailbox();
    Fill(*mailbox);
  }
  const std::string whole = folder_.Read("snapshot.1");
  const std::string copy = folder_.path() + ".copy";
  for (size_t at = 0; at < whole.size(); ++at) {
    std::filesystem::copy(folder_.path(), copy, std::filesystem::copy_options::recursive);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    ASSERT_TRUE(Env::Posix()->ReplaceFile(copy + "/snapshot.1", damaged).ok());
    ExpectFilled(*NewMailboxAt(copy), "octet " + std::to_string(at));
    std::filesystem::remove_all(copy);
  }
}

TEST_F(CheckpointTest, FilesCutAnywhereAreMadeGood) {
  {
    auto mailbox = NewMailbox();
    Fill(*mailbox);
  }
  const std::string copy = folder_.path() + ".copy";
  for (const char* name : {"snapshot.1", "log.1"}) {
    const std::string whole = folder_.Read(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      std::filesystem::copy(folder_.path(), copy, std::filesystem::copy_options::recursive);
      std::filesystem::resize_file(copy + "/" + name, size);
      ExpectFilled(*NewMailboxAt(copy), std::string(name) + " at " + std::to_string(size));
      std::filesystem::remove_all(copy);
    }
  }
}

TEST_F(CheckpointTest, FilesThatAreGoneAreMadeAnew) {
  {
    auto mailbox = NewMailbox();
    Fill(*mailbox);
  }
  const std::string copy = folder_.path() + ".copy";
  for (int gone = 1; gone < 8; ++gone) {
    std::filesystem::copy(folder_.path(), copy, std::filesystem::copy_options::recursive);
    if (gone & 1) std::filesystem::remove(copy + "/log.1");
    if (gone & 2) std::filesystem::remove(copy + "/snapshot.1");
    if (gone & 4) std::filesystem::remove(copy + "/lock");
    ExpectFilled(*NewMailboxAt(copy), "without " + std::to_string(gone));
    std::filesystem::remove_all(copy);
  }
}

TEST_F(CheckpointTest, SnapshotDamagedUnderAnOpenMailboxIsMadeGood) {
  {
    auto mailbox = NewMailbox();
    Fill(*mailbox);
  }
  // Opened, but no block read yet.
  auto mailbox = NewMailbox();
  EXPECT_EQ(mailbox->Counts()->messages, 4u);
  std::filesystem::resize_file(folder_.Path("snapshot.1"), 100);
  ExpectFilled(*mailbox, "cut");
}

TEST_F(CheckpointTest, LockFileThatAHandRemovedIsMadeAnew) {
  auto mailbox = NewMailbox();
  Fill(*mailbox);
  std::filesystem::remove(folder_.Path("lock"));
  ExpectFilled(*mailbox, "without a lock");
}

// However often the index is lost, whoever comes later gets a UID and a modseq that nobody had.
TEST_F(CheckpointTest, UidsAndModseqsNeverGoBack) {
  uint32_t highest_uid = 0;
  uint64_t highest_modseq = 0;
  for (int i = 0; i < 5; ++i) {
    auto mailbox = NewMailbox();
    for (int k = 0; k < 3; ++k) {
      const uint32_t uid = Append(*mailbox, "gone", kDeleted);
      EXPECT_GT(uid, highest_uid);
      highest_uid = uid;
    }
    ASSERT_TRUE(mailbox->Expunge(kAll).ok());
    const uint64_t modseq = mailbox->Counts()->highest_modseq;
    EXPECT_GT(modseq, highest_modseq);
    highest_modseq = modseq;
    for (const char* name : {"log.1", "snapshot.1", "lock"}) {
      std::filesystem::remove(folder_.Path(name));
    }
  }
}

TEST_F(CheckpointTest, OneThatFailsChangesNothing) {
  FailingEnv env;
  GroupCommit commits(&env, folder_.path(), SyncMode::kFsync);
  for (const FailingEnv::Call call :
       {FailingEnv::kWriteAt, FailingEnv::kSync, FailingEnv::kRename, FailingEnv::kReadAt}) {
    Mailbox mailbox({&env, &commits}, folder_.path(), [](uint64_t) {});
    const uint32_t uid = Append(mailbox, "one");
    const auto before = Flags(mailbox);
    env.FailNext(call);
    (void)mailbox.Checkpoint();
    EXPECT_EQ(Flags(mailbox), before) << call;
    EXPECT_EQ(Append(mailbox, "two"), uid + 1) << call;
    ASSERT_TRUE(mailbox.Checkpoint().ok()) << call;
    ExpectConsistent(*NewMailbox());
  }
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.Path("tmp"))) {
    left.push_back(entry.path().filename());
  }
  EXPECT_THAT(left, IsEmpty());
}

// The snapshot is in place and the process died before the log was.
TEST_F(CheckpointTest, SnapshotNewerThanTheLogIsFine) {
  auto mailbox = NewMailbox();
  Fill(*mailbox);
  const std::string log = folder_.Read("log.1");
  const std::string lock = folder_.Read("lock");
  const uint64_t modseq = mailbox->Counts()->highest_modseq;
  ASSERT_TRUE(mailbox->Checkpoint().ok());
  folder_.Write("log.1", log);
  folder_.Write("lock", lock);
  const auto reopened = NewMailbox();
  EXPECT_EQ(reopened->Counts()->highest_modseq, modseq);
  EXPECT_EQ(Flags(*reopened), filled_);
}

}  // namespace
}  // namespace rmail::engine
