#include "store/engine/mailbox_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/base/error.h"
#include "store/base/status.h"
#include "store/base/testing/memory_env.h"
#include "store/engine/background.h"
#include "store/engine/lock_file.h"

namespace rmail::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kDirectory[] = "/account";
constexpr char kListPath[] = "/account/mailboxes.json";

MailboxEntry At(std::string path) {
  MailboxEntry entry;
  entry.path = std::move(path);
  return entry;
}

// A path in it can be made unreadable.
class LockedEnv : public MemoryEnv {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    if (path == unreadable) return absl::UnavailableError("permission denied");
    return MemoryEnv::Open(path, mode);
  }

  std::string unreadable;
};

class MailboxRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(env_.CreateDirectories(kDirectory).ok());
    registry_ = Open();
    ASSERT_TRUE(registry_->Current().ok());
  }

  std::unique_ptr<MailboxRegistry> Open() {
    return std::make_unique<MailboxRegistry>(&env_, kDirectory);
  }

  std::string Add(const std::string& path, std::vector<std::string> keywords = {}) {
    std::string id;
    const absl::Status added = registry_->Change([&](MailboxList& list) -> absl::Status {
      MailboxEntry entry;
      entry.path = path;
      entry.keywords = keywords;
      RMAIL_ASSIGN_OR_RETURN(id, registry_->Add(list, std::move(entry)));
      return absl::OkStatus();
    });
    EXPECT_TRUE(added.ok()) << added;
    return id;
  }

  absl::Status Delete(const std::string& id) {
    return registry_->Change([&](MailboxList& list) {
      list.mailboxes.erase(id);
      list.deleted.insert(id);
      return absl::OkStatus();
    });
  }

  // A message of one octet.
  void AddMail(const std::string& id, const std::string& flags = "") {
    const std::string shard = registry_->Directory(id) + "/0";
    ASSERT_TRUE(env_.CreateDirectories(shard).ok());
    ASSERT_TRUE(env_.ReplaceFile(shard + "/7.1700000000000000.1." + flags + ".eml", "x").ok());
  }

  std::map<std::string, MailboxEntry> Mailboxes() {
    const auto list = registry_->Current();
    EXPECT_TRUE(list.ok()) << list.status();
    return list.ok() ? (*list)->mailboxes : std::map<std::string, MailboxEntry>();
  }
  std::set<std::string> Paths() {
    std::set<std::string> paths;
    for (const auto& [id, entry] : Mailboxes()) paths.insert(entry.path);
    return paths;
  }
  bool IsThere(const std::string& path) { return env_.Stat(path).ok(); }
  std::vector<std::string> Folders() {
    return env_.List("/account/mailboxes").value_or(std::vector<std::string>());
  }

  LockedEnv env_;
  std::unique_ptr<MailboxRegistry> registry_;
};

TEST_F(MailboxRegistryTest, MakesTheDefaults) {
  EXPECT_THAT(Paths(), UnorderedElementsAre("INBOX", "Sent", "Drafts", "Trash", "Junk", "Archive"));
  for (const auto& [id, entry] : Mailboxes()) {
    EXPECT_TRUE(IsThere(registry_->Directory(id) + "/mailbox.json")) << entry.path;
  }
  EXPECT_TRUE(absl::IsNotFound(MailboxRegistry(&env_, "/nowhere").Current().status()));
}

TEST_F(MailboxRegistryTest, AChangeThatFailsLeavesNothing) {
  const auto before = Mailboxes();
  const size_t folders = Folders().size();
  const absl::Status failed = registry_->Change([&](MailboxList& list) -> absl::Status {
    EXPECT_TRUE(registry_->Add(list, At("x")).ok());
    return absl::CancelledError("as told");
  });
  EXPECT_TRUE(absl::IsCancelled(failed));
  EXPECT_EQ(Mailboxes(), before);
  EXPECT_EQ(Folders().size(), folders);
}

TEST_F(MailboxRegistryTest, IsMadeAnewWhenItIsLostOrDamaged) {
  Add("a/b", {"Work", "Later"});
  ASSERT_TRUE(registry_
                  ->Change([](MailboxList& list) {
                    for (auto& [id, entry] : list.mailboxes) {
                      if (entry.path == "Junk") entry.subscribed = false;
                    }
                    return absl::OkStatus();
                  })
                  .ok());
  const auto before = Mailboxes();
  const std::string text = *env_.ReadFile(kListPath);
  std::vector<std::string> damaged{"garbage", std::string(1000, '\0'), "{\"version\":1}",
                                   std::string(65 << 20, 'x')};
  for (size_t size = 0; size + 1 < text.size(); ++size) damaged.push_back(text.substr(0, size));
  for (const std::string& content : damaged) {
    ASSERT_TRUE(env_.ReplaceFile(kListPath, content).ok());
    // For a process that knew the list, and one that did not.
    if (content.size() % 2 == 0) registry_ = Open();
    ASSERT_EQ(Mailboxes(), before) << content.size();
    ASSERT_EQ(*env_.ReadFile(kListPath), text) << content.size();
    ASSERT_EQ(*env_.ReadFile(std::string(kListPath) + ".damaged", 100 << 20), content);
  }
  ASSERT_TRUE(env_.Remove(kListPath).ok());
  EXPECT_EQ(Mailboxes(), before);
  EXPECT_EQ(*env_.ReadFile(kListPath), text);
}

TEST_F(MailboxRegistryTest, ALaterVersionIsLeftAlone) {
  ASSERT_TRUE(env_.ReplaceFile(kListPath, "{\"version\":2}").ok());
  EXPECT_EQ(ReasonOf(registry_->Current().status()), store::v1::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_EQ(*env_.ReadFile(kListPath), "{\"version\":2}");
}

TEST_F(MailboxRegistryTest, APassingFailureIsNoDamage) {
  const auto before = Mailboxes();
  ASSERT_TRUE(env_.ReplaceFile(kListPath, *env_.ReadFile(kListPath)).ok());
  env_.FailFrom(0, FaultPlan::kReads | FaultPlan::kChanges);
  EXPECT_FALSE(registry_->Current().ok());
  env_.ClearFaults();
  EXPECT_EQ(Mailboxes(), before);
  EXPECT_FALSE(IsThere(std::string(kListPath) + ".damaged"));
}

TEST_F(MailboxRegistryTest, AMailboxThatLostItsNameIsRecovered) {
  const std::string id = Add("Precious", {"Work", "Later", "Never"});
  const std::string described = Add("Other");
  AddMail(id, "Sb");
  for (const char* content : {"", "garbage"}) {
    if (*content == '\0') {
      ASSERT_TRUE(env_.Remove(registry_->Directory(id) + "/mailbox.json").ok());
    } else {
      ASSERT_TRUE(env_.ReplaceFile(registry_->Directory(id) + "/mailbox.json", content).ok());
    }
    ASSERT_TRUE(env_.Remove(kListPath).ok());
    registry_ = Open();
    const auto mailboxes = Mailboxes();
    ASSERT_TRUE(mailboxes.contains(id));
    const MailboxEntry& entry = mailboxes.at(id);
    EXPECT_EQ(entry.path, "Recovered/" + id);
    // A message has the second keyword's bit: a new keyword must not get it.
    EXPECT_EQ(entry.keywords.size(), 2u);
    EXPECT_GT(entry.uid_validity, mailboxes.at(described).uid_validity);
    EXPECT_TRUE(IsThere(registry_->Directory(id) + "/mailbox.json"));
  }
}

TEST_F(MailboxRegistryTest, EverythingButTheMailIsLost) {
  std::set<std::string> ids;
  uint32_t highest = 0;
  for (const auto& [id, entry] : Mailboxes()) {
    AddMail(id);
    ids.insert(id);
    highest = std::max(highest, entry.uid_validity);
    ASSERT_TRUE(env_.Remove(registry_->Directory(id) + "/mailbox.json").ok());
  }
  ASSERT_TRUE(env_.Remove(kListPath).ok());
  registry_ = Open();
  std::set<std::string> found;
  for (const auto& [id, entry] : Mailboxes()) found.insert(id);
  EXPECT_THAT(found, IsSupersetOf(ids));
  EXPECT_THAT(Paths(), IsSupersetOf(std::vector<std::string>{"INBOX", "Trash",
                                                             "Recovered/" + *ids.begin()}));
}

TEST_F(MailboxRegistryTest, UidValidityDoesNotGoBack) {
  // More in a second than the clock allows for.
  std::string last;
  for (int i = 0; i < 50; ++i) last = Add("x" + std::to_string(i));
  const uint32_t highest = Mailboxes().at(last).uid_validity;
  ASSERT_TRUE(Delete(last).ok());
  registry_->RemoveFolder(last);
  ASSERT_TRUE(env_.Remove(kListPath).ok());
  registry_ = Open();
  const std::string id = Add("x49");
  EXPECT_GT(Mailboxes().at(id).uid_validity, highest);
}

TEST_F(MailboxRegistryTest, AListOfBeforeIsDescribed) {
  const auto before = Mailboxes();
  std::string text = *env_.ReadFile(kListPath);
  const std::string key = ",\"deleted\":[]";
  ASSERT_NE(text.find(key), std::string::npos);
  text.erase(text.find(key), key.size());
  ASSERT_TRUE(env_.ReplaceFile(kListPath, text).ok());
  for (const auto& [id, entry] : before) {
    ASSERT_TRUE(env_.Remove(registry_->Directory(id) + "/mailbox.json").ok());
  }
  EXPECT_EQ(Mailboxes(), before);
  ASSERT_TRUE(env_.Remove(kListPath).ok());
  EXPECT_EQ(Mailboxes(), before);
}

TEST_F(MailboxRegistryTest, ADeletedFolderGoes) {
  const std::string id = Add("x");
  AddMail(id);
  auto lock_file = LockFile::Open(&env_, registry_->Directory(id));
  ASSERT_TRUE(lock_file.ok());
  ASSERT_TRUE(Delete(id).ok());
  registry_->RemoveFolder(id);
  EXPECT_THAT(Folders(), Not(::testing::Contains(::testing::HasSubstr(id))));
  EXPECT_EQ(ReasonOf((*lock_file)->Acquire().status()), store::v1::ERROR_REASON_MAILBOX_NOT_FOUND);
  // The note of it goes with the next change.
  Add("y");
  EXPECT_THAT((*registry_->Current())->deleted, IsEmpty());
}

TEST_F(MailboxRegistryTest, LeftoversAreSweptWhenTheAccountIsOpened) {
  // Died after the entry left the list.
  const std::string noted = Add("noted");
  AddMail(noted);
  ASSERT_TRUE(Delete(noted).ok());
  // Died in the middle of removing.
  ASSERT_TRUE(env_.CreateDirectories("/account/mailboxes/.deadbeef.deleted/0").ok());
  // Died before the entry came into the list.
  ASSERT_TRUE(env_.CreateDirectories("/account/mailboxes/0123456789abcdef/tmp").ok());
  // Nothing of ours.
  ASSERT_TRUE(env_.CreateDirectories("/account/mailboxes/.snapshot").ok());
  registry_ = Open();
  std::vector<std::string> expected{".snapshot"};
  for (const auto& [id, entry] : Mailboxes()) expected.push_back(id);
  EXPECT_THAT(Folders(), ::testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(Mailboxes().size(), 6u);
}

TEST_F(MailboxRegistryTest, AFolderWithMailIsTakenIntoTheList) {
  const std::string old_list = *env_.ReadFile(kListPath);
  const std::string id = Add("Precious", {"Work"});
  AddMail(id);
  const MailboxEntry entry = Mailboxes().at(id);
  // A list from an older copy.
  ASSERT_TRUE(env_.ReplaceFile(kListPath, old_list).ok());
  registry_ = Open();
  EXPECT_EQ(Mailboxes().at(id), entry);
  // And one where its name is taken meanwhile.
  ASSERT_TRUE(env_.ReplaceFile(kListPath, old_list).ok());
  ASSERT_TRUE(env_.Rename(registry_->Directory(id), "/account/aside").ok());
  registry_ = Open();
  const std::string other = Add("Precious");
  ASSERT_TRUE(env_.Rename("/account/aside", registry_->Directory(id)).ok());
  registry_ = Open();
  EXPECT_EQ(Mailboxes().at(id).path, "Recovered/" + id);
  EXPECT_EQ(Mailboxes().at(other).path, "Precious");
  EXPECT_NE(Mailboxes().at(id).uid_validity, Mailboxes().at(other).uid_validity);
}

TEST_F(MailboxRegistryTest, OnlyTheHiddenFolderGoesWhenTheMailboxIsThere) {
  const std::string id = Add("Precious");
  AddMail(id);
  const std::string noted = Add("noted");
  AddMail(noted);
  for (const std::string& hidden : {id, noted}) {
    ASSERT_TRUE(env_.CreateDirectories("/account/mailboxes/." + hidden + ".deleted/0").ok());
  }
  registry_ = Open();
  ASSERT_TRUE(Mailboxes().contains(id));
  EXPECT_TRUE(IsThere(registry_->Directory(id) + "/0/7.1700000000000000.1..eml"));
  EXPECT_FALSE(IsThere("/account/mailboxes/." + id + ".deleted"));
  // Nor when it is told so by a list that is not the last one.
  registry_->RemoveFolder(id);
  EXPECT_TRUE(IsThere(registry_->Directory(id) + "/0/7.1700000000000000.1..eml"));
  ASSERT_TRUE(Delete(noted).ok());
  registry_->RemoveFolder(noted);
  EXPECT_FALSE(IsThere(registry_->Directory(noted)));
}

TEST_F(MailboxRegistryTest, LeftoversAreSweptInTheBackground) {
  const std::string id = Add("x");
  AddMail(id);
  ASSERT_TRUE(Delete(id).ok());
  Background background;
  std::promise<void> begin;
  background.Run([&] { begin.get_future().wait(); });
  registry_ = std::make_unique<MailboxRegistry>(&env_, kDirectory, &background);
  EXPECT_FALSE(Mailboxes().contains(id));
  EXPECT_TRUE(IsThere(registry_->Directory(id)));
  // It may be closed meanwhile.
  registry_ = nullptr;
  std::promise<void> done;
  background.Run([&] { done.set_value(); });
  begin.set_value();
  done.get_future().wait();
  EXPECT_THAT(Folders(), Not(::testing::Contains(::testing::HasSubstr(id))));
}

TEST_F(MailboxRegistryTest, AStrayThatCannotBeReadHidesNothingElse) {
  const std::string old_list = *env_.ReadFile(kListPath);
  const std::string unreadable = Add("Unreadable");
  const std::string other = Add("Other");
  for (const std::string& id : {unreadable, other}) AddMail(id);
  ASSERT_TRUE(env_.ReplaceFile(kListPath, old_list).ok());
  env_.unreadable = registry_->Directory(unreadable) + "/mailbox.json";
  registry_ = Open();
  EXPECT_EQ(Mailboxes().at(other).path, "Other");
  EXPECT_FALSE(Mailboxes().contains(unreadable));
  EXPECT_TRUE(IsThere(registry_->Directory(unreadable) + "/0/7.1700000000000000.1..eml"));
  EXPECT_FALSE(Add("New").empty());
  env_.unreadable = "";
  registry_ = Open();
  EXPECT_EQ(Mailboxes().at(unreadable).path, "Unreadable");
}

TEST_F(MailboxRegistryTest, AnAccountThatIsGoneIsNotMadeAnew) {
  const absl::Status changed = registry_->Change([&](MailboxList& list) {
    EXPECT_TRUE(env_.Rename(kDirectory, "/.account.deleted").ok());
    return registry_->Add(list, At("x")).status();
  });
  EXPECT_TRUE(absl::IsNotFound(changed)) << changed;
  EXPECT_FALSE(IsThere(kDirectory));
}

TEST_F(MailboxRegistryTest, SizesAreAddedUp) {
  const std::string a = Add("a");
  const std::string b = Add("b");
  AddMail(a);
  AddMail(b);
  EXPECT_EQ(*MailboxRegistry::ReadSize(&env_, kDirectory), 2u);
  ASSERT_TRUE(Delete(b).ok());
  EXPECT_EQ(*MailboxRegistry::ReadSize(&env_, kDirectory), 1u);
  EXPECT_EQ(*MailboxRegistry::ReadSize(&env_, "/nowhere"), 0u);
}

// The process, or the machine, dies at each step of each change.
class MailboxRegistryCrashTest : public ::testing::TestWithParam<MemoryEnv::CrashMode> {
 protected:
  static constexpr char kKept[] = "kept";

  // Runs `change` on a fresh account, dying at its n-th step; true when it was through before.
  template <typename Change>
  bool RunTo(uint64_t n, uint64_t seed, const Change& change, bool* done) {
    env_ = std::make_unique<MemoryEnv>(seed);
    EXPECT_TRUE(env_->CreateDirectories(kDirectory).ok());
    MailboxRegistry registry(env_.get(), kDirectory);
    ids_.clear();
    EXPECT_TRUE(registry
                    .Change([&](MailboxList& list) -> absl::Status {
                      for (const char* path : {kKept, "old"}) {
                        ids_.push_back(*registry.Add(list, At(path)));
                      }
                      return absl::OkStatus();
                    })
                    .ok());
    for (const std::string& id : ids_) {
      const std::string shard = registry.Directory(id) + "/0";
      EXPECT_TRUE(env_->CreateDirectories(shard).ok());
      EXPECT_TRUE(env_->ReplaceFile(shard + "/7.1700000000000000.1..eml", "x").ok());
    }
    EXPECT_TRUE(env_->SyncFileSystem("/").ok());
    env_->StopAt(n);
    *done = change(registry, ids_[1]).ok();
    const bool through = !env_->stopped();
    env_->Crash(seed, GetParam());
    return through;
  }

  // What is there afterwards.
  std::map<std::string, std::string> PathsById() {
    MailboxRegistry registry(env_.get(), kDirectory);
    const auto list = registry.Current();
    EXPECT_TRUE(list.ok()) << list.status();
    std::map<std::string, std::string> paths;
    if (!list.ok()) return paths;
    for (const auto& [id, entry] : (*list)->mailboxes) {
      EXPECT_TRUE(env_->Stat(registry.Directory(id) + "/mailbox.json").ok()) << entry.path;
      paths[id] = entry.path;
    }
    // No folder is left that is in no list.
    EXPECT_EQ(env_->List("/account/mailboxes")->size(), paths.size());
    return paths;
  }

  std::unique_ptr<MemoryEnv> env_;
  std::vector<std::string> ids_;
};

INSTANTIATE_TEST_SUITE_P(Modes, MailboxRegistryCrashTest,
                         ::testing::Values(MemoryEnv::CrashMode::kKeepAll,
                                           MemoryEnv::CrashMode::kRandom,
                                           MemoryEnv::CrashMode::kLoseAllUnsynced));

TEST_P(MailboxRegistryCrashTest, AnAddedMailboxIsThereOrNot) {
  const auto add = [](MailboxRegistry& registry, const std::string&) {
    return registry.Change(
        [&](MailboxList& list) { return registry.Add(list, At("new")).status(); });
  };
  bool through = false;
  for (uint64_t n = 0; !through; ++n) {
    bool done;
    through = RunTo(n, n, add, &done);
    SCOPED_TRACE(n);
    const auto paths = PathsById();
    EXPECT_EQ(paths.at(ids_[0]), kKept);
    EXPECT_EQ(paths.at(ids_[1]), "old");
    if (done) EXPECT_EQ(paths.size(), 9u);
    ASSERT_LT(n, 200u);
  }
}

TEST_P(MailboxRegistryCrashTest, ARenamedMailboxHasOneOfTheTwoPaths) {
  const auto rename = [](MailboxRegistry& registry, const std::string& id) {
    return registry.Change([&](MailboxList& list) {
      list.mailboxes.at(id).path = "new";
      return absl::OkStatus();
    });
  };
  // Each of more than a few: their descriptions are written together.
  const auto rename_all = [](MailboxRegistry& registry, const std::string& id) {
    for (const char* child : {"1", "2", "3"}) {
      RMAIL_RETURN_IF_ERROR(registry.Change(
          [&](MailboxList& list) { return registry.Add(list, At(child)).status(); }));
    }
    return registry.Change([&](MailboxList& list) {
      for (auto& [other, entry] : list.mailboxes) {
        entry.subscribed = false;
        if (other == id) entry.path = "new";
      }
      return absl::OkStatus();
    });
  };
  const auto try_each_step = [&](const auto& change) {
    bool through = false;
    for (uint64_t n = 0; !through; ++n) {
      bool done;
      through = RunTo(n, n, change, &done);
      SCOPED_TRACE(n);
      const std::string path = PathsById().at(ids_[1]);
      EXPECT_TRUE(path == "new" || (!done && path == "old")) << path;
      // And when the list is lost as well.
      ASSERT_TRUE(env_->Remove(kListPath).ok());
      const std::string described = PathsById().at(ids_[1]);
      EXPECT_TRUE(described == "new" || (!done && described == "old")) << described;
      ASSERT_LT(n, 200u);
    }
  };
  try_each_step(rename);
  try_each_step(rename_all);
}

TEST_P(MailboxRegistryCrashTest, ADeletedMailboxStaysDeleted) {
  const auto remove = [](MailboxRegistry& registry, const std::string& id) {
    RMAIL_RETURN_IF_ERROR(registry.Change([&](MailboxList& list) {
      list.mailboxes.erase(id);
      list.deleted.insert(id);
      return absl::OkStatus();
    }));
    registry.RemoveFolder(id);
    // Forgets that it was deleted.
    (void)registry.Change([&](MailboxList&) { return absl::OkStatus(); });
    return absl::OkStatus();
  };
  bool through = false;
  for (uint64_t n = 0; !through; ++n) {
    bool done;
    through = RunTo(n, n, remove, &done);
    SCOPED_TRACE(n);
    const auto paths = PathsById();
    EXPECT_EQ(paths.at(ids_[0]), kKept);
    if (done) EXPECT_FALSE(paths.contains(ids_[1]));
    if (paths.contains(ids_[1])) {
      EXPECT_EQ(paths.at(ids_[1]), "old");
      EXPECT_TRUE(
          env_->Stat("/account/mailboxes/" + ids_[1] + "/0/7.1700000000000000.1..eml").ok());
    }
    ASSERT_LT(n, 200u);
  }
}

}  // namespace
}  // namespace rmail::engine
