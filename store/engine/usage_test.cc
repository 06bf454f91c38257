// What an account stores: exact, whoever adds to it.
#include "store/engine/usage.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "store/base/error.h"
#include "store/engine/failing_env.h"
#include "store/engine/log_file.h"
#include "store/engine/mailbox_fixture.h"

namespace rmail::engine {
namespace {

class UsageTest : public MailboxFixture {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b"}) std::filesystem::create_directory(folder_.Path(name));
  }

  // As another process would have it.
  std::shared_ptr<Usage> NewUsage() {
    return std::make_shared<Usage>(
        Env::Posix(), folder_.path(), [this]() -> absl::StatusOr<uint64_t> {
          ++counted_;
          return ReadMailboxSize(Env::Posix(), folder_.Path("a")).value() +
                 ReadMailboxSize(Env::Posix(), folder_.Path("b")).value();
        });
  }
  std::unique_ptr<Mailbox> NewMailboxOf(const std::shared_ptr<Usage>& usage, const char* name) {
    return std::make_unique<Mailbox>(MailboxContext{Env::Posix(), &commits_, usage},
                                     folder_.Path(name), [](uint64_t) {});
  }
  absl::Status AppendSized(Mailbox& mailbox, size_t size, uint64_t quota) {
    static std::atomic<int> serial = 0;
    EXPECT_TRUE(mailbox.IncomingDirectory().ok());
    const std::string path =
        folder_.Write("file." + std::to_string(serial++), std::string(size, 'x'));
    return mailbox.Append(path, {0, 0, 1, size}, {nullptr, quota}).status();
  }
  // As a process would that dies right after.
  void AppendTo(const char* mailbox, LogRecord* record) {
    const auto log = LogFile::Open(Env::Posix(), folder_.Path(std::string(mailbox) + "/log.1"));
    ASSERT_TRUE(log.ok());
    uint64_t modseq = 0;
    ASSERT_TRUE((*log)->Read([&](const LogRecord& read) { modseq = read.modseq(); }).ok());
    record->set_modseq(modseq + 1);
    ASSERT_TRUE((*log)->Append(*record).ok());
  }
  uint64_t Stored() {
    return ReadMailboxSize(Env::Posix(), folder_.Path("a")).value() +
           ReadMailboxSize(Env::Posix(), folder_.Path("b")).value();
  }

  std::atomic<int> counted_ = 0;
};

TEST_F(UsageTest, FollowsEveryChange) {
  const auto usage = NewUsage();
  const auto a = NewMailboxOf(usage, "a");
  const auto b = NewMailboxOf(usage, "b");
  ASSERT_TRUE(AppendSized(*a, 100, 0).ok());
  ASSERT_TRUE(AppendSized(*b, 50, 0).ok());
  EXPECT_EQ(*usage->Total(), 150u);
  const Mailbox::TransferOptions options{[](uint64_t flags) { return flags; }, 0};
  ASSERT_TRUE(Mailbox::Copy(*a, kAll, *b, options).ok());
  EXPECT_EQ(*usage->Total(), 250u);
  ASSERT_TRUE(Mailbox::Move(*b, kAll, *a, options).ok());
  EXPECT_EQ(*usage->Total(), 250u);
  SetFlags(*a, 1, kDeleted);
  ASSERT_TRUE(a->Expunge(kAll).ok());
  EXPECT_EQ(*usage->Total(), 150u);
  EXPECT_EQ(Stored(), 150u);
  EXPECT_EQ(*NewUsage()->Total(), 150u);
  EXPECT_EQ(counted_, 1);
}

TEST_F(UsageTest, LimitIsExact) {
  const auto usage = NewUsage();
  const auto a = NewMailboxOf(usage, "a");
  ASSERT_TRUE(AppendSized(*a, 60, 100).ok());
  EXPECT_EQ(ReasonOf(AppendSized(*a, 41, 100)), store::v1::ERROR_REASON_OVER_QUOTA);
  EXPECT_TRUE(AppendSized(*a, 40, 100).ok());
  const Mailbox::TransferOptions options{[](uint64_t flags) { return flags; }, 199};
  EXPECT_EQ(ReasonOf(Mailbox::Copy(*a, kAll, *a, options).status()),
            store::v1::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(a->Counts()->messages, 2u);
  EXPECT_EQ(*usage->Total(), 100u);
  // A limit that was lowered stops what comes, not what is there.
  EXPECT_FALSE(AppendSized(*a, 1, 50).ok());
  SetFlags(*a, 1, kSeen);
  ExpectConsistent(*a);
}

TEST_F(UsageTest, SixteenDeliveriesAtOnceCannotPassTheLimit) {
  constexpr int kThreads = 16;
  constexpr uint64_t kQuota = 10'000;
  std::vector<std::thread> threads;
  std::atomic<uint64_t> taken = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      // Each like a process of its own.
      const auto mailbox = NewMailboxOf(NewUsage(), t % 2 == 0 ? "a" : "b");
      for (int i = 0; i < 10; ++i) {
        const size_t size = 90 + static_cast<size_t>(t);
        const absl::Status status = AppendSized(*mailbox, size, kQuota);
        if (status.ok()) taken += size;
        if (!status.ok()) EXPECT_EQ(ReasonOf(status), store::v1::ERROR_REASON_OVER_QUOTA) << status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(taken, kQuota);
  EXPECT_GT(taken, kQuota - 110);
  EXPECT_EQ(Stored(), taken);
  EXPECT_EQ(*NewUsage()->Total(), taken);
}

// A process died in a move: until both mailboxes are settled, each says that it has the message.
TEST_F(UsageTest, MessageThatIsBeingMovedCountsOnce) {
  {
    const auto a = NewMailboxOf(nullptr, "a");
    const auto b = NewMailboxOf(nullptr, "b");
    ASSERT_TRUE(AppendSized(*a, 100, 0).ok());
    ASSERT_TRUE(AppendSized(*b, 10, 0).ok());
  }
  LogRecord record;
  record.mutable_moving()->add_uids(1);
  AppendTo("a", &record);
  record.Clear();
  record.mutable_appended()->add_uids(2);
  record.mutable_appended()->add_internal_dates(1);
  record.mutable_appended()->add_sizes(100);
  record.mutable_appended()->add_flags(0);
  AppendTo("b", &record);
  EXPECT_EQ(*NewUsage()->Total(), 110u);
  std::filesystem::rename(folder_.Path("a/0/1.1.100..eml"), folder_.Path("b/0/2.1.100..eml"));
  std::filesystem::remove(folder_.Path("usage"));
  const auto usage = NewUsage();
  EXPECT_EQ(*usage->Total(), 110u);
  EXPECT_EQ(NewMailboxOf(usage, "a")->Counts()->size, 0u);
  EXPECT_EQ(NewMailboxOf(usage, "b")->Counts()->size, 110u);
  EXPECT_EQ(*usage->Total(), 110u);
}

TEST_F(UsageTest, FileThatCannotBeTrustedIsMadeAnew) {
  const auto usage = NewUsage();
  const auto a = NewMailboxOf(usage, "a");
  ASSERT_TRUE(AppendSized(*a, 100, 0).ok());
  const std::string whole = folder_.Read("usage");
  for (size_t at = 0; at <= whole.size(); ++at) {
    std::string damaged = whole;
    if (at < whole.size()) damaged[at] = static_cast<char>(damaged[at] ^ 1);
    // In place: it is open.
    std::ofstream(folder_.Path("usage"), std::ios::in | std::ios::out) << damaged;
    const int before = counted_;
    EXPECT_EQ(*usage->Total(), 100u) << at;
    EXPECT_EQ(counted_ - before, at < whole.size() ? 1 : 0) << at;
  }
  std::filesystem::remove(folder_.Path("usage"));
  EXPECT_EQ(*usage->Total(), 100u);
  ASSERT_TRUE(AppendSized(*a, 10, 0).ok());
  EXPECT_EQ(*NewUsage()->Total(), 110u);
}

TEST_F(UsageTest, MessageThatIsFoundMissingIsNoLongerCounted) {
  const auto usage = NewUsage();
  const auto a = NewMailboxOf(usage, "a");
  ASSERT_TRUE(AppendSized(*a, 100, 0).ok());
  ASSERT_TRUE(AppendSized(*a, 10, 0).ok());
  const MessageInfo first = (*a->Rows({{1, 1}}))[0].info;
  std::filesystem::remove(folder_.Path("a/" + ShardPath(first)));
  EXPECT_FALSE(a->OpenMessage(first).ok());
  EXPECT_EQ(*usage->Total(), 10u);
  ASSERT_TRUE(a->Rebuild().ok());
  EXPECT_EQ(*usage->Total(), 10u);
}

}  // namespace
}  // namespace rmail::engine
