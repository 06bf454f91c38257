#include "store/engine/account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/base/testing/memory_env.h"
#include "store/engine/incoming_message.h"

namespace rmail::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
namespace pb = ::rmail::store::v1;

const std::vector<UidSpan> kAll{{1, UINT32_MAX}};
constexpr char kDirectory[] = "/alice";
// Bits of a mailbox's first two keywords of its own.
constexpr uint64_t kFirstOwn = uint64_t{1} << 10;
constexpr uint64_t kSecondOwn = uint64_t{1} << 11;
constexpr uint64_t kJunk = uint64_t{1} << 7;

// A process of the store with one account.
struct Process {
  explicit Process(Env* env)
      : env(env),
        commits(env, "/", SyncMode::kFsync),
        account(std::make_shared<Account>(AccountContext{env, &feed, &commits},
                                          Address{"alice", "example.com"}, kDirectory)) {}
  ~Process() { account = nullptr; }

  Env* const env;
  GroupCommit commits;
  Feed feed;
  std::shared_ptr<Account> account;
};

// Does something when a path is opened.
class HookedEnv : public MemoryEnv {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    if (path == hooked) std::exchange(hook, [] {})();
    return MemoryEnv::Open(path, mode);
  }

  std::string hooked;
  std::function<void()> hook = [] {};
};

class AccountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.CreateDirectories(kDirectory).ok());
    UserSettings settings;
    settings.quota_mb = 0;
    ASSERT_TRUE(env_.ReplaceFile("/alice/user.json", FormatUserFile(settings)).ok());
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
  // But for the default mailboxes.
  static std::set<std::string> Paths(Account& account) {
    const auto list = account.Mailboxes();
    EXPECT_TRUE(list.ok()) << list.status();
    std::set<std::string> paths;
    if (!list.ok()) return paths;
    for (const auto& [id, entry] : (*list)->mailboxes) paths.insert(entry.path);
    for (const char* path : {"INBOX", "Sent", "Drafts", "Trash", "Junk", "Archive"}) {
      paths.erase(path);
    }
    return paths;
  }

  static absl::StatusOr<Mailbox::AppendedMessage> Append(Env* env, Account& account,
                                                         Mailbox& mailbox, uint64_t flags = 0,
                                                         size_t size = 1) {
    RMAIL_ASSIGN_OR_RETURN(const std::string incoming, mailbox.IncomingDirectory());
    RMAIL_ASSIGN_OR_RETURN(const auto message, IncomingMessage::Create(env, incoming));
    RMAIL_RETURN_IF_ERROR(message->Write(std::string(size, 'x')));
    RMAIL_RETURN_IF_ERROR(message->Finish());
    Mailbox::AppendOptions options;
    RMAIL_ASSIGN_OR_RETURN(options.quota, account.QuotaLimit());
    return mailbox.Append(message->path(), {0, flags, 1'700'000'000'000'000, size}, options);
  }
  void Append(const std::string& id, uint64_t flags = 0, size_t size = 1) {
    const auto mailbox = account().OpenMailbox(id);
    ASSERT_TRUE(mailbox.ok()) << mailbox.status();
    const auto appended = Append(&env_, account(), **mailbox, flags, size);
    ASSERT_TRUE(appended.ok()) << appended.status();
  }
  uint32_t Messages(const std::string& id) {
    return (*account().OpenMailbox(id))->Counts()->messages;
  }
  std::vector<uint64_t> Flags(const std::string& id) {
    std::vector<uint64_t> flags;
    const auto mailbox = account().OpenMailbox(id);
    EXPECT_TRUE(mailbox.ok()) << mailbox.status();
    if (!mailbox.ok()) return flags;
    const auto rows = (*mailbox)->Rows(kAll);
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok()) return flags;
    for (const MessageRow& row : *rows) flags.push_back(row.info.flags);
    return flags;
  }
  uint64_t Mask(const std::string& id, const std::vector<std::string>& keywords,
                bool create = true) {
    pb::FlagSet flags;
    for (const std::string& keyword : keywords) flags.add_keywords(keyword);
    const auto mask = account().FlagsMask(id, flags, create);
    EXPECT_TRUE(mask.ok()) << mask.status();
    return mask.value_or(0);
  }
  void SetQuota(uint64_t mib) {
    ASSERT_TRUE(
        account().UpdateSettings([&](UserSettings& settings) { settings.quota_mb = mib; }).ok());
  }
  static ErrorReason Reason(const absl::Status& status) { return ReasonOf(status); }
  template <typename T>
  static ErrorReason Reason(const absl::StatusOr<T>& result) {
    return ReasonOf(result.status());
  }

  HookedEnv env_;
  std::unique_ptr<MemoryEnv> other_env_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Process> other_;
};

TEST_F(AccountTest, RenameTakesAlongWhatIsBelow) {
  const std::string id = Create("a");
  const std::string child = Create("a/b/c");
  Create("ab");
  Append(id);
  const uint32_t uid_validity = account().Entry(id)->uid_validity;
  EXPECT_EQ(*account().RenameMailbox(id, "x/y"), id);
  EXPECT_THAT(Paths(other()), UnorderedElementsAre("x", "x/y", "x/y/b", "x/y/b/c", "ab"));
  EXPECT_EQ(account().Entry(child)->path, "x/y/b/c");
  EXPECT_EQ(account().Entry(id)->uid_validity, uid_validity);
  EXPECT_EQ(Messages(id), 1u);
  // To one that contains the old one, and back.
  EXPECT_EQ(*account().RenameMailbox(id, "x/yy"), id);
  EXPECT_EQ(*account().RenameMailbox(id, "x/y"), id);
}

TEST_F(AccountTest, RenameIntoTheOwnPlace) {
  const std::string a = Create("x/a");
  Create("x/a/a");
  ASSERT_TRUE(account().DeleteMailbox(Id("x"), /*with_children=*/false).ok());
  EXPECT_EQ(*account().RenameMailbox(a, "x"), a);
  EXPECT_THAT(Paths(account()), UnorderedElementsAre("x", "x/a"));
}

TEST_F(AccountTest, RenameRefuses) {
  const std::string id = Create("a");
  Create("a/c");
  Create("b/c");
  ASSERT_TRUE(account().DeleteMailbox(Id("b"), /*with_children=*/false).ok());
  const auto before = Paths(account());
  EXPECT_EQ(Reason(account().RenameMailbox(id, "INBOX")), pb::ERROR_REASON_MAILBOX_EXISTS);
  EXPECT_EQ(Reason(account().RenameMailbox(id, "a")), pb::ERROR_REASON_MAILBOX_EXISTS);
  // Its child would be where another is.
  EXPECT_EQ(Reason(account().RenameMailbox(id, "b")), pb::ERROR_REASON_MAILBOX_EXISTS);
  EXPECT_EQ(Reason(account().RenameMailbox(id, "a/b")), pb::ERROR_REASON_INVALID_PATH);
  EXPECT_EQ(Reason(account().RenameMailbox(id, "a//b")), pb::ERROR_REASON_INVALID_PATH);
  EXPECT_EQ(Reason(account().RenameMailbox("0123456789abcdef", "z")),
            pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  // The child would be too deep.
  std::string deep = "0";
  for (int level = 1; level < 32; ++level) deep += "/" + std::to_string(level);
  EXPECT_EQ(Reason(account().RenameMailbox(id, deep)), pb::ERROR_REASON_INVALID_PATH);
  EXPECT_EQ(Paths(account()), before);
}

TEST_F(AccountTest, RenamedInboxLeavesItsMessages) {
  const std::string inbox = Id("INBOX");
  Create("INBOX/below");
  Append(inbox, kSeen | Mask(inbox, {"Work"}));
  Append(inbox, kFlagged);
  const auto id = account().RenameMailbox(inbox, "Old/Inbox");
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_NE(*id, inbox);
  EXPECT_THAT(Flags(*id), ElementsAre(kSeen | kFirstOwn, kFlagged));
  EXPECT_EQ(account().Entry(*id)->keywords, std::vector<std::string>{"Work"});
  EXPECT_EQ(Messages(inbox), 0u);
  EXPECT_EQ(Id("INBOX"), inbox);
  EXPECT_THAT(Paths(other()), UnorderedElementsAre("INBOX/below", "Old", "Old/Inbox"));
  EXPECT_EQ(Reason(account().RenameMailbox(inbox, "Old")), pb::ERROR_REASON_MAILBOX_EXISTS);
  // INBOX stays where it is, so its messages may go below it.
  Append(inbox);
  EXPECT_EQ(Messages(*account().RenameMailbox(inbox, "INBOX/old")), 1u);
}

TEST_F(AccountTest, DeleteTakesEverythingAlong) {
  const std::string id = Create("a");
  const std::string child = Create("a/b");
  Append(id, 0, 100);
  Append(child, 0, 10);
  const uint32_t uid_validity = account().Entry(child)->uid_validity;
  const auto here = *account().OpenMailbox(id);
  const auto elsewhere = *other().OpenMailbox(id);
  ASSERT_TRUE(elsewhere->Counts().ok());
  EXPECT_EQ(account().Quota()->used, 110u);
  EXPECT_EQ(Reason(account().DeleteMailbox(Id("INBOX"), false)), pb::ERROR_REASON_INVALID_PATH);
  EXPECT_EQ(Reason(account().DeleteMailbox("x", true)), pb::ERROR_REASON_MAILBOX_NOT_FOUND);

  ASSERT_TRUE(account().DeleteMailbox(id, /*with_children=*/false).ok());
  EXPECT_THAT(Paths(other()), UnorderedElementsAre("a/b"));
  EXPECT_EQ(other().Quota()->used, 10u);
  EXPECT_EQ(Messages(child), 1u);
  for (Mailbox* const mailbox : {here.get(), elsewhere.get()}) {
    EXPECT_EQ(Reason(mailbox->Counts()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
    EXPECT_FALSE(Append(&env_, account(), *mailbox).ok());
  }
  EXPECT_EQ(Reason(other().OpenMailbox(id)), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  EXPECT_EQ(Reason(account().DeleteMailbox(id, false)), pb::ERROR_REASON_MAILBOX_NOT_FOUND);

  const std::string again = Create("a");
  EXPECT_NE(again, id);
  EXPECT_GT(account().Entry(again)->uid_validity, uid_validity);
  ASSERT_TRUE(account().DeleteMailbox(again, /*with_children=*/true).ok());
  EXPECT_THAT(Paths(account()), IsEmpty());
  EXPECT_EQ(account().Quota()->used, 0u);
}

TEST_F(AccountTest, DeleteOfMoreThanAreLockedAtOnce) {
  for (int i = 0; i < 150; ++i) Create("a/" + std::to_string(i));
  Create("ab");
  ASSERT_TRUE(account().DeleteMailbox(Id("a"), /*with_children=*/true).ok());
  EXPECT_THAT(Paths(other()), UnorderedElementsAre("ab"));
}

TEST_F(AccountTest, WhatIsRenamedAwayMeanwhileIsNotDeletedAlong) {
  const std::string id = Create("a");
  const std::string away = Create("a/away");
  const std::string gone = Create("a/gone");
  const std::string child = Create("a/b/c");
  for (const std::string& mailbox : {id, away, gone, child}) Append(mailbox);
  // When the mailboxes to delete are known, and none is locked.
  env_.hooked = "/alice/mailboxes/" + std::min({id, away, gone, child, Id("a/b")}) + "/lock";
  env_.hook = [&] {
    ASSERT_TRUE(other().RenameMailbox(away, "kept").ok());
    ASSERT_TRUE(other().DeleteMailbox(gone, false).ok());
  };
  ASSERT_TRUE(account().DeleteMailbox(id, /*with_children=*/true).ok());
  EXPECT_THAT(Paths(other()), UnorderedElementsAre("kept"));
  EXPECT_EQ(Messages(away), 1u);
  // But the one that is named has to be there.
  const std::string named = Create("named");
  Create("named/child");
  env_.hooked = "/alice/mailboxes/" + std::min(named, Id("named/child")) + "/lock";
  env_.hook = [&] { ASSERT_TRUE(other().DeleteMailbox(named, false).ok()); };
  EXPECT_EQ(Reason(account().DeleteMailbox(named, /*with_children=*/true)),
            pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  EXPECT_THAT(Paths(other()), UnorderedElementsAre("kept", "named/child"));
}

// An upload into a mailbox that is deleted meanwhile must not be kept where nobody looks.
TEST_F(AccountTest, NothingComesIntoADeletedMailbox) {
  const std::string id = Create("a");
  const auto never_used = *other().OpenMailbox(id);
  ASSERT_TRUE(account().DeleteMailbox(id, false).ok());
  EXPECT_FALSE(Append(&env_, account(), *never_used).ok());
  EXPECT_FALSE(env_.Stat(never_used->directory()).ok());
}

TEST_F(AccountTest, WhoeverWatchesADeletedMailboxIsTold) {
  const std::string id = Create("a");
  std::atomic<uint64_t> told = 1;
  const std::string name = MailboxName("alice@example.com", id);
  const uint64_t watch = process_->feed.Subscribe(name, *account().OpenMailbox(id),
                                                  [&](uint64_t modseq) { told = modseq; });
  ASSERT_TRUE(account().DeleteMailbox(id, false).ok());
  process_->feed.Unsubscribe(name, watch);
  EXPECT_EQ(told, 0u);
}

TEST_F(AccountTest, SubscriptionsAreKept) {
  EXPECT_TRUE(account().Entry(Id("Sent"))->subscribed);
  const std::string id = Create("a/b");
  EXPECT_FALSE(other().Entry(id)->subscribed);
  EXPECT_FALSE(other().Entry(Id("a"))->subscribed);
  ASSERT_TRUE(account().SetSubscription(id, true).ok());
  EXPECT_TRUE(other().Entry(id)->subscribed);
  ASSERT_TRUE(account().SetSubscription(id, false).ok());
  EXPECT_FALSE(other().Entry(id)->subscribed);
  EXPECT_EQ(Reason(account().SetSubscription("x", true)), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
}

TEST_F(AccountTest, KeywordsGoAlongByName) {
  const std::string from = Create("from");
  const std::string to = Create("to");
  Mask(from, {"unused", "Work", "Later"});
  Mask(to, {"later"});
  Append(from, kSeen | kDraft | kJunk | Mask(from, {"Work", "Later"}));
  const auto copied = account().CopyMessages(from, kAll, to);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_THAT(copied->source_uids, ElementsAre(1));
  EXPECT_THAT(copied->target_uids, ElementsAre(1));
  EXPECT_THAT(Flags(to), ElementsAre(kSeen | kDraft | kJunk | kFirstOwn | kSecondOwn));
  EXPECT_THAT(account().Entry(to)->keywords, ElementsAre("later", "Work"));
  // Back, and within one mailbox.
  ASSERT_TRUE(account().MoveMessages(to, kAll, from).ok());
  EXPECT_THAT(Flags(to), IsEmpty());
  ASSERT_TRUE(account().CopyMessages(from, {{1, 1}}, from).ok());
  const uint64_t flags = kSeen | kDraft | kJunk | Mask(from, {"Work", "Later"}, false);
  EXPECT_THAT(Flags(from), ElementsAre(flags, flags, flags));
}

TEST_F(AccountTest, AMessageGoesWithoutAKeywordThatHasNoRoom) {
  const std::string from = Create("from");
  const std::string to = Create("to");
  for (int i = 0; i < 25; ++i) Mask(to, {"k" + std::to_string(i)});
  Append(from, kSeen | Mask(from, {"first", "second"}));
  ASSERT_TRUE(account().MoveMessages(from, kAll, to).ok());
  EXPECT_THAT(Flags(to), ElementsAre(kSeen | Mask(to, {"first"}, false)));
  EXPECT_EQ(account().Entry(to)->keywords.size(), 26u);
}

TEST_F(AccountTest, CopyNeedsBothMailboxesAndRoom) {
  const std::string from = Create("from");
  const std::string to = Create("to");
  EXPECT_EQ(Reason(account().CopyMessages("x", kAll, to)), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  EXPECT_EQ(Reason(account().MoveMessages(from, kAll, "x")), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  EXPECT_THAT(account().CopyMessages(from, kAll, to)->target_uids, IsEmpty());
  SetQuota(1);
  Append(from, 0, 300'000);
  Append(from, 0, 300'000);
  EXPECT_EQ(Reason(account().CopyMessages(from, kAll, to)), pb::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(Messages(to), 0u);
  ASSERT_TRUE(account().CopyMessages(from, {{1, 1}}, to).ok());
  // A move takes no room.
  ASSERT_TRUE(account().MoveMessages(from, kAll, to).ok());
  EXPECT_EQ(Messages(to), 3u);
  EXPECT_EQ(account().Quota()->used, 900'000u);
}

TEST_F(AccountTest, QuotaIsToldEarlyAndExact) {
  SetQuota(1);
  const std::string inbox = Id("INBOX");
  EXPECT_EQ(account().Quota()->limit, uint64_t{1} << 20);
  EXPECT_TRUE(account().CheckRoom(1 << 20).ok());
  EXPECT_EQ(Reason(account().CheckRoom((1 << 20) + 1)), pb::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(Reason(account().CheckRoom(UINT64_MAX)), pb::ERROR_REASON_OVER_QUOTA);
  Append(inbox, 0, 1 << 20);
  EXPECT_EQ(other().Quota()->used, uint64_t{1} << 20);
  EXPECT_TRUE(other().CheckRoom(0).ok());
  EXPECT_EQ(Reason(other().CheckRoom(1)), pb::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(Reason(Append(&env_, account(), **account().OpenInbox())), pb::ERROR_REASON_OVER_QUOTA);
  SetQuota(0);
  EXPECT_TRUE(account().CheckRoom(UINT64_MAX).ok());
  Append(inbox);
  // A limit that is lower than what is there.
  SetQuota(1);
  EXPECT_EQ(Reason(account().CheckRoom(0)), pb::ERROR_REASON_OVER_QUOTA);
}

TEST_F(AccountTest, QuotaHoldsAgainstConcurrentDeliveriesOfTwoProcesses) {
  constexpr size_t kSize = 100'000;
  SetQuota(1);
  std::atomic<int> stored = 0;
  const auto deliver = [&](Process& process, int times) {
    for (int i = 0; i < times; ++i) {
      const auto inbox = process.account->OpenInbox();
      ASSERT_TRUE(inbox.ok()) << inbox.status();
      const auto appended = Append(process.env, *process.account, **inbox, 0, kSize);
      if (appended.ok())
        ++stored;
      else
        EXPECT_EQ(Reason(appended), pb::ERROR_REASON_OVER_QUOTA);
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] { deliver(t % 2 == 0 ? *process_ : *other_, 3); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, 10);
  EXPECT_EQ(account().Quota()->used, 10 * kSize);
}

TEST_F(AccountTest, MailIsNotHiddenWhenTheListIsLost) {
  const std::string id = Create("Projects/rmail");
  Append(id, Mask(id, {"Work"}));
  const auto before = (*account().Mailboxes())->mailboxes;
  ASSERT_TRUE(env_.Remove("/alice/mailboxes.json").ok());
  EXPECT_EQ((*other().Mailboxes())->mailboxes, before);
  EXPECT_THAT(Flags(id), ElementsAre(kFirstOwn));
}

TEST_F(AccountTest, ADeletedAccountIsGone) {
  const std::string id = Create("a");
  const auto mailbox = *account().OpenMailbox(id);
  ASSERT_TRUE(env_.Rename(kDirectory, "/.alice.deleted").ok());
  EXPECT_EQ(Reason(account().Mailboxes()), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(Reason(account().CreateMailbox("b", {})), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(Reason(account().RenameMailbox(id, "b")), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(Reason(account().DeleteMailbox(id, false)), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(Reason(account().Quota()), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_FALSE(env_.Stat(kDirectory).ok());
}

// Mailboxes come and go under two processes while mail comes in: what was stored is in a mailbox
// that is there, or went with one that was deleted; and what the account stores is known exactly.
TEST_F(AccountTest, ChangesOfTwoProcessesAtOnce) {
  const auto work = [](Process& process, int seed) {
    Account& account = *process.account;
    for (int round = 0; round < 15; ++round) {
      const std::string path = "m" + std::to_string(seed) + "/" + std::to_string(round % 4);
      const auto id = account.CreateMailbox(path, {});
      if (!id.ok()) continue;
      const auto mailbox = account.OpenMailbox(*id);
      ASSERT_TRUE(mailbox.ok()) << mailbox.status();
      const auto appended = Append(process.env, account, **mailbox, kSeen, 10);
      ASSERT_TRUE(appended.ok()) << appended.status();
      ASSERT_TRUE(account.RenameMailbox(*id, path + "-new").ok());
      const auto inbox = account.OpenInbox();
      ASSERT_TRUE(inbox.ok()) << inbox.status();
      const auto list = account.Mailboxes();
      ASSERT_TRUE(list.ok()) << list.status();
      const auto moved = account.CopyMessages(*id, kAll, (*list)->FindPath("INBOX")->first);
      ASSERT_TRUE(moved.ok()) << moved.status();
      ASSERT_TRUE(account.DeleteMailbox(*id, true).ok());
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { work(t % 2 == 0 ? *process_ : *other_, t); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Paths(account()), UnorderedElementsAre("m0", "m1", "m2", "m3"));
  EXPECT_EQ(Messages(Id("INBOX")), 60u);
  EXPECT_EQ(account().Quota()->used, 600u);
  EXPECT_EQ(*MailboxRegistry::ReadSize(&env_, kDirectory), 600u);
}

// The process, or the machine, dies at each step of a change.
TEST_F(AccountTest, DeathInTheMiddleHidesNoMail) {
  enum Kind { kRenameInbox, kDelete, kMove };
  for (const Kind kind : {kRenameInbox, kDelete, kMove}) {
    bool through = false;
    for (uint64_t n = 0; !through; ++n) {
      SCOPED_TRACE(testing::Message() << "kind " << kind << " step " << n);
      MemoryEnv env(n);
      ASSERT_TRUE(env.CreateDirectories(kDirectory).ok());
      ASSERT_TRUE(env.ReplaceFile("/alice/user.json", FormatUserFile({})).ok());
      std::string id;
      bool done = false;
      {
        Process process(&env);
        Account& account = *process.account;
        id = *account.CreateMailbox("a", {});
        const std::string inbox = (*account.Mailboxes())->FindPath("INBOX")->first;
        ASSERT_TRUE(Append(&env, account, **account.OpenMailbox(id), 0, 100).ok());
        ASSERT_TRUE(Append(&env, account, **account.OpenInbox(), 0, 10).ok());
        ASSERT_TRUE(env.SyncFileSystem("/").ok());
        env.StopAt(n);
        if (kind == kRenameInbox) done = account.RenameMailbox(inbox, "b").ok();
        if (kind == kDelete) done = account.DeleteMailbox(id, false).ok();
        if (kind == kMove) done = account.MoveMessages(id, kAll, inbox).ok();
        through = !env.stopped();
      }
      env.Crash(n, n % 2 == 0 ? MemoryEnv::CrashMode::kKeepAll : MemoryEnv::CrashMode::kRandom);
      Process process(&env);
      const auto list = process.account->Mailboxes();
      ASSERT_TRUE(list.ok()) << list.status();
      uint64_t size = 0;
      for (const auto& [mailbox_id, entry] : (*list)->mailboxes) {
        const auto counts = (*process.account->OpenMailbox(mailbox_id))->Counts();
        ASSERT_TRUE(counts.ok()) << counts.status();
        size += counts->size;
      }
      const bool deleted = kind == kDelete && (*list)->FindPath("a") == nullptr;
      if (kind == kDelete && done) EXPECT_TRUE(deleted);
      EXPECT_EQ(size, deleted ? 10u : 110u);
      EXPECT_EQ(process.account->Quota()->used, size);
      ASSERT_LT(n, 300u);
    }
  }
}

}  // namespace
}  // namespace rmail::engine
