#include "store/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/base/error.h"
#include "store/engine/incoming_message.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
namespace pb = ::rmail::store::v1;

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { engine_ = NewEngine(); }

  std::unique_ptr<Engine> NewEngine() {
    EngineOptions options;
    options.mail_root = folder_.Path("mail");
    options.domains = {"example.com"};
    auto engine = Engine::Open(options);
    EXPECT_TRUE(engine.ok()) << engine.status();
    return *std::move(engine);
  }

  std::shared_ptr<Account> NewAccount(const std::string& address, uint64_t quota_mb = 0) {
    UserSettings settings;
    settings.quota_mb = quota_mb;
    EXPECT_TRUE(engine_->CreateAccount(address, "secret", settings).ok());
    auto account = engine_->FindAccount(address);
    EXPECT_TRUE(account.ok()) << account.status();
    return *std::move(account);
  }

  std::string UserFile(const std::string& user) {
    return folder_.Path("mail/domains/example.com/users/" + user + "/user.json");
  }

  TestFolder folder_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, AccountHasTheDefaultMailboxes) {
  const auto list = NewAccount("Alice@Example.COM")->Mailboxes();
  ASSERT_TRUE(list.ok()) << list.status();
  std::set<std::string> paths;
  std::set<uint32_t> validities;
  for (const auto& [id, entry] : (*list)->mailboxes) {
    paths.insert(entry.path);
    validities.insert(entry.uid_validity);
    EXPECT_TRUE(entry.subscribed);
  }
  EXPECT_THAT(paths, UnorderedElementsAre("INBOX", "Sent", "Drafts", "Trash", "Junk", "Archive"));
  EXPECT_EQ(validities.size(), 6u);
  EXPECT_EQ((*list)->FindPath("Sent")->second.special_use, pb::SPECIAL_USE_SENT);
  EXPECT_THAT(*engine_->ListAccounts(""), ElementsAre("alice@example.com"));
}

TEST_F(EngineTest, OneAddressOneAccount) {
  NewAccount("alice@example.com");
  EXPECT_EQ(ReasonOf(engine_->CreateAccount("ALICE@example.com", "other", {})),
            pb::ERROR_REASON_ACCOUNT_EXISTS);
  EXPECT_TRUE(engine_->Authenticate("alice@example.com", "secret").ok());
}

TEST_F(EngineTest, HostileAddressesAreRefused) {
  for (const char* address :
       {"", "alice", "@example.com", "alice@", "../x@example.com", "a/b@example.com", ".@b", "..@b",
        ".hidden@example.com", "alice@../etc", "alice@a..b", "alice@.b", "alice@b.", "a b@c",
        "a\n@c", "a@b\r", "a@b@c", "\"x\"@c"}) {
    EXPECT_EQ(ReasonOf(engine_->CreateAccount(address, "secret", {})),
              pb::ERROR_REASON_INVALID_ADDRESS)
        << address;
  }
  EXPECT_EQ(ReasonOf(engine_->CreateAccount(std::string(65, 'a') + "@b", "secret", {})),
            pb::ERROR_REASON_INVALID_ADDRESS);
  EXPECT_THAT(*engine_->ListAccounts(""), IsEmpty());
}

TEST_F(EngineTest, PasswordsAreCheckedAndCached) {
  NewAccount("alice@example.com");
  EXPECT_EQ(ReasonOf(engine_->Authenticate("alice@example.com", "wrong").status()),
            pb::ERROR_REASON_BAD_CREDENTIALS);
  EXPECT_EQ(ReasonOf(engine_->Authenticate("nobody@example.com", "secret").status()),
            pb::ERROR_REASON_BAD_CREDENTIALS);
  EXPECT_EQ(ReasonOf(engine_->Authenticate("not an address", "secret").status()),
            pb::ERROR_REASON_BAD_CREDENTIALS);
  ASSERT_TRUE(engine_->Authenticate("alice@example.com", "secret").ok());
  // From the cache: a thousand logins would otherwise take a minute at least.
  const absl::Time start = absl::Now();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(engine_->Authenticate("Alice@example.com", "secret").ok());
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_FALSE(engine_->Authenticate("alice@example.com", "secret2").ok());
}

TEST_F(EngineTest, ChangedPasswordEndsTheOldOne) {
  const auto account = NewAccount("alice@example.com");
  ASSERT_TRUE(engine_->Authenticate("alice@example.com", "secret").ok());
  const std::string hash = HashPassword("new");
  ASSERT_TRUE(account->UpdateSettings([&](UserSettings& s) { s.hash = hash; }).ok());
  EXPECT_FALSE(engine_->Authenticate("alice@example.com", "secret").ok());
  EXPECT_TRUE(engine_->Authenticate("alice@example.com", "new").ok());
}

TEST_F(EngineTest, UserFileEditedByHandIsLive) {
  NewAccount("alice@example.com");
  UserSettings settings;
  settings.hash = HashPassword("byhand");
  settings.disabled = true;
  ASSERT_TRUE(Env::Posix()->ReplaceFile(UserFile("alice"), FormatUserFile(settings)).ok());
  EXPECT_EQ(ReasonOf(engine_->Authenticate("alice@example.com", "byhand").status()),
            pb::ERROR_REASON_ACCOUNT_DISABLED);
  EXPECT_EQ(ReasonOf(engine_->ResolveRecipient("alice@example.com").status()),
            pb::ERROR_REASON_ACCOUNT_DISABLED);
  ASSERT_TRUE(Env::Posix()->ReplaceFile(UserFile("alice"), "{broken").ok());
  EXPECT_EQ(ReasonOf(engine_->Authenticate("alice@example.com", "byhand").status()),
            pb::ERROR_REASON_CORRUPT_MAILBOX);
}

TEST_F(EngineTest, DeletedAccountIsGone) {
  const auto account = NewAccount("alice@example.com");
  const auto inbox = account->OpenInbox();
  ASSERT_TRUE(inbox.ok());
  ASSERT_TRUE(engine_->DeleteAccount("alice@example.com").ok());
  EXPECT_FALSE((*inbox)->Counts().ok() && account->Settings().ok());
  EXPECT_EQ(ReasonOf(engine_->FindAccount("alice@example.com").status()),
            pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_THAT(*engine_->ListAccounts(""), IsEmpty());
  NewAccount("alice@example.com");
}

TEST_F(EngineTest, DeletedAccountIsNotMadeAnewByWorkUnderWay) {
  const auto account = NewAccount("alice@example.com");
  const auto inbox = *account->OpenInbox();
  ASSERT_TRUE(engine_->DeleteAccount("alice@example.com").ok());
  EXPECT_FALSE(inbox->IncomingDirectory().ok());
  EXPECT_FALSE(account->CreateMailbox("x", {}).ok());
  EXPECT_THAT(*Env::Posix()->List(folder_.Path("mail/domains/example.com/users")), IsEmpty());
}

TEST_F(EngineTest, WhatIsLeftOfDeletedAccountsIsRemoved) {
  NewAccount("alice@example.com");
  const std::string users = folder_.Path("mail/domains/example.com/users");
  std::filesystem::create_directories(users + "/.bob.1700000000000000000.deleted/mailboxes");
  std::filesystem::create_directories(users + "/.snapshot");
  engine_ = NewEngine();
  // An engine that closes drops what has not begun, so it stays open.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Env::Posix()->List(users)->size() > 2 && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_THAT(*Env::Posix()->List(users), UnorderedElementsAre("alice", ".snapshot"));
}

TEST_F(EngineTest, AccountsAreListed) {
  NewAccount("bob@example.com");
  NewAccount("alice@example.com");
  NewAccount("carol@other.test");
  NewAccount("broken@example.com");
  EXPECT_THAT(*engine_->ListAccounts("EXAMPLE.com"),
              ElementsAre("alice@example.com", "bob@example.com", "broken@example.com"));
  ASSERT_TRUE(Env::Posix()->ReplaceFile(UserFile("broken"), "{broken").ok());
  ASSERT_TRUE(Env::Posix()->Remove(UserFile("alice")).ok());
  EXPECT_THAT(*engine_->ListAccounts(""), ElementsAre("bob@example.com", "carol@other.test"));
}

TEST_F(EngineTest, RecipientsAreResolved) {
  NewAccount("alice@example.com");
  NewAccount("team+x@example.com");
  EXPECT_THAT(engine_->ResolveRecipient("Alice@EXAMPLE.com")->accounts,
              ElementsAre("alice@example.com"));
  EXPECT_THAT(engine_->ResolveRecipient("alice+lists@example.com")->accounts,
              ElementsAre("alice@example.com"));
  EXPECT_THAT(engine_->ResolveRecipient("team+x@example.com")->accounts,
              ElementsAre("team+x@example.com"));
  EXPECT_EQ(ReasonOf(engine_->ResolveRecipient("bob@example.com").status()),
            pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  const auto foreign = engine_->ResolveRecipient("bob@elsewhere.test");
  ASSERT_TRUE(foreign.ok());
  EXPECT_FALSE(foreign->local);
  EXPECT_THAT(foreign->accounts, IsEmpty());
}

TEST_F(EngineTest, MailboxesAreMadeWithParentsAndSeenByOtherEngines) {
  const auto account = NewAccount("alice@example.com");
  ASSERT_TRUE(account->CreateMailbox("Projects/2026/rmail", {}).ok());
  EXPECT_EQ(ReasonOf(account->CreateMailbox("Projects/2026", {}).status()),
            pb::ERROR_REASON_MAILBOX_EXISTS);
  EXPECT_EQ(ReasonOf(account->CreateMailbox("inbox", {}).status()),
            pb::ERROR_REASON_MAILBOX_EXISTS);
  ASSERT_TRUE(account->CreateMailbox("inbox/sub", {}).ok());
  const auto other = NewEngine();
  const auto list = (*other->FindAccount("alice@example.com"))->Mailboxes();
  ASSERT_TRUE(list.ok());
  EXPECT_NE((*list)->FindPath("Projects"), nullptr);
  EXPECT_NE((*list)->FindPath("INBOX/sub"), nullptr);
}

TEST_F(EngineTest, KeywordsGetBitsUntilNoneIsLeft) {
  const auto account = NewAccount("alice@example.com");
  const std::string inbox = (*account->Mailboxes())->FindPath("INBOX")->first;
  pb::FlagSet flags;
  flags.set_system(kSeen);
  flags.add_keywords("$junk");
  flags.add_keywords("Work");
  const auto mask = account->FlagsMask(inbox, flags, true);
  ASSERT_TRUE(mask.ok());
  EXPECT_EQ(*mask, kSeen | uint64_t{1} << 7 | uint64_t{1} << 10);
  EXPECT_EQ(*account->FlagsMask(inbox, flags, false), *mask);
  const auto other_account = NewEngine()->FindAccount("alice@example.com");
  ASSERT_TRUE(other_account.ok());
  pb::FlagSet many;
  for (int i = 0; i < 25; ++i) many.add_keywords("k" + std::to_string(i));
  ASSERT_TRUE(account->FlagsMask(inbox, many, true).ok());
  pb::FlagSet one_more;
  one_more.add_keywords("overflow");
  EXPECT_EQ(ReasonOf(account->FlagsMask(inbox, one_more, true).status()),
            pb::ERROR_REASON_TOO_MANY_KEYWORDS);
  EXPECT_EQ(*account->FlagsMask(inbox, one_more, false), 0u);
  pb::FlagSet hostile;
  hostile.add_keywords("a b");
  EXPECT_EQ(ReasonOf(account->FlagsMask(inbox, hostile, true).status()),
            pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(EngineTest, FeedTellsOfChangesHereAndElsewhere) {
  const auto account = NewAccount("alice@example.com");
  const auto inbox = *account->OpenInbox();
  const std::string name =
      MailboxName("alice@example.com", (*account->Mailboxes())->FindPath("INBOX")->first);
  Mutex mutex;
  CondVar changed;
  uint64_t heard = 0;
  const uint64_t id = engine_->feed().Subscribe(name, inbox, [&](uint64_t modseq) {
    MutexLock lock(&mutex);
    heard = modseq;
    changed.SignalAll();
  });
  const auto wait_for = [&](uint64_t modseq) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    MutexLock lock(&mutex);
    while (heard < modseq && absl::Now() < deadline) {
      changed.WaitFor(&mutex, absl::Milliseconds(100));
    }
    return heard >= modseq;
  };
  const auto append = [&](Mailbox& mailbox) {
    auto message = IncomingMessage::Create(Env::Posix(), *mailbox.IncomingDirectory());
    EXPECT_TRUE((*message)->Finish().ok());
    return mailbox.Append((*message)->path(), {0, 0, 1, 0}, {})->modseq;
  };
  EXPECT_TRUE(wait_for(append(*inbox)));
  const auto other = NewEngine();
  const auto other_inbox = *(*other->FindAccount("alice@example.com"))->OpenInbox();
  EXPECT_TRUE(wait_for(append(*other_inbox)));
  engine_->feed().Unsubscribe(name, id);
}

}  // namespace
}  // namespace rmail::engine
