// What an account has beside mailboxes and messages: subscriptions, annotations, and the number
// that tells of a change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/base/testing/memory_env.h"
#include "store/engine/account.h"
#include "store/engine/group_commit.h"
#include "store/engine/user_file.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
namespace pb = ::rmail::store::v1;

constexpr char kDirectory[] = "/alice";

// A process of the store with one account.
struct Process {
  explicit Process(Env* env)
      : commits(env, "/", SyncMode::kFsync),
        account(std::make_shared<Account>(AccountContext{env, &feed, &commits},
                                          Address{"alice", "example.com"}, kDirectory)) {}

  GroupCommit commits;
  Feed feed;
  std::shared_ptr<Account> account;
};

class AccountMetadataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.CreateDirectories(kDirectory).ok());
    ASSERT_TRUE(env_.ReplaceFile("/alice/user.json", FormatUserFile({})).ok());
    process_ = std::make_unique<Process>(&env_);
    other_env_ = env_.NewProcess();
    other_ = std::make_unique<Process>(other_env_.get());
  }

  Account& account() { return *process_->account; }
  Account& other() { return *other_->account; }

  std::string Create(const std::string& path) {
    const auto id = account().CreateMailbox(path, {});
    EXPECT_TRUE(id.ok()) << path << ": " << id.status();
    return id.value_or("");
  }
  std::string Id(const std::string& path) {
    const auto list = account().Mailboxes();
    EXPECT_TRUE(list.ok()) << list.status();
    const auto* const found = list.ok() ? (*list)->FindPath(path) : nullptr;
    return found == nullptr ? "" : found->first;
  }
  static ErrorReason Reason(const absl::Status& status) { return ReasonOf(status); }

  MemoryEnv env_;
  std::unique_ptr<MemoryEnv> other_env_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Process> other_;
};

// RFC 9051, 6.3.7.
TEST_F(AccountMetadataTest, SubscriptionsStayWhenTheMailboxIsGone) {
  const std::string id = Create("a");
  ASSERT_TRUE(account().SetPathSubscription("a", true).ok());
  ASSERT_TRUE(account().RenameMailbox(id, "b").ok());
  EXPECT_THAT((*other().Mailboxes())->subscribed_paths, ElementsAre("a"));
  EXPECT_FALSE(other().Entry(id)->subscribed);
  ASSERT_TRUE(account().SetPathSubscription("b", true).ok());
  ASSERT_TRUE(account().DeleteMailbox(id, false).ok());
  EXPECT_THAT((*other().Mailboxes())->subscribed_paths, ElementsAre("a", "b"));
  // Once more changes nothing.
  ASSERT_TRUE(account().SetPathSubscription("a", true).ok());
  ASSERT_TRUE(account().SetPathSubscription("b", false).ok());
  EXPECT_THAT((*other().Mailboxes())->subscribed_paths, ElementsAre("a"));
  const std::string again = Create("a");
  EXPECT_TRUE(other().Entry(again)->subscribed);
  EXPECT_THAT((*other().Mailboxes())->subscribed_paths, IsEmpty());
  for (const char* path : {"b", "", "x//y"}) {
    for (const bool subscribed : {false, true}) {
      EXPECT_EQ(Reason(account().SetPathSubscription(path, subscribed)),
                pb::ERROR_REASON_MAILBOX_NOT_FOUND)
          << path;
    }
  }
  EXPECT_TRUE(account().SetPathSubscription("inbox", false).ok());
  EXPECT_FALSE(other().Entry(Id("INBOX"))->subscribed);
}

TEST_F(AccountMetadataTest, AnnotationsAreKept) {
  const std::string id = Create("a");
  ASSERT_TRUE(account().SetMetadata("", {{"/private/comment", "mine"}}).ok());
  ASSERT_TRUE(account().SetMetadata(id, {{"/shared/comment", std::string("\0\xff", 2)}}).ok());
  EXPECT_THAT(*other().ReadMetadata(""), ElementsAre(Pair("/private/comment", "mine")));
  EXPECT_THAT(*other().ReadMetadata(id),
              ElementsAre(Pair("/shared/comment", std::string("\0\xff", 2))));
  ASSERT_TRUE(account().RenameMailbox(id, "b").ok());
  EXPECT_EQ(other().ReadMetadata(id)->size(), 1u);
  for (const char* missing : {"x", "../a"}) {
    EXPECT_EQ(Reason(account().ReadMetadata(missing).status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
    EXPECT_EQ(Reason(account().SetMetadata(missing, {{"/private/comment", "x"}})),
              pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  }
  EXPECT_EQ(Reason(account().SetMetadata(id, {{"comment", "x"}})),
            pb::ERROR_REASON_INVALID_REQUEST);
  ASSERT_TRUE(account().DeleteMailbox(id, false).ok());
  EXPECT_EQ(Reason(other().ReadMetadata(id).status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  EXPECT_EQ(env_.ReadFile("/alice/metadata.json")->find(id), std::string::npos);
  EXPECT_EQ(other().ReadMetadata("")->size(), 1u);
}

// Each change of what LIST and GETMETADATA tell is told once, also those of another process.
TEST_F(AccountMetadataTest, WhoeverWatchesTheAccountIsTold) {
  for (Process* const process : {process_.get(), other_.get()}) {
    uint64_t told = 0;
    const std::string name = AccountName("alice@example.com");
    const uint64_t watch = process_->feed.Subscribe(
        name, [] { return absl::OkStatus(); }, [&](uint64_t number) { told = number; });
    uint64_t last = *account().ChangeNumber();
    const auto expect_told = [&](const absl::Status& status, const std::string& what) {
      EXPECT_TRUE(status.ok()) << what << ": " << status;
      EXPECT_TRUE(account().Poll().ok());
      EXPECT_GT(told, last) << what;
      EXPECT_EQ(told, *account().ChangeNumber()) << what;
      last = told;
    };
    Account& changer = *process->account;
    const auto created = changer.CreateMailbox("a", {});
    ASSERT_TRUE(created.ok());
    expect_told(created.status(), "created");
    expect_told(changer.SetSubscription(*created, true), "subscribed");
    expect_told(changer.SetMetadata(*created, {{"/private/comment", "x"}}), "annotated");
    expect_told(changer.SetMetadata(*created, {{"/private/comment", std::nullopt}}), "bare");
    expect_told(changer.RenameMailbox(*created, "b").status(), "renamed");
    expect_told(changer.DeleteMailbox(*created, false), "deleted");
    expect_told(changer.SetPathSubscription("a", false), "unsubscribed");
    told = 0;
    EXPECT_TRUE(changer.SetSubscription(Id("INBOX"), true).ok());
    EXPECT_TRUE(account().Poll().ok());
    EXPECT_EQ(told, 0u) << "nothing has changed";
    process_->feed.Unsubscribe(name, watch);
  }
  ASSERT_TRUE(env_.RemoveRecursively(kDirectory).ok());
  EXPECT_EQ(Reason(account().Poll()), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
}

}  // namespace
}  // namespace rmail::engine
