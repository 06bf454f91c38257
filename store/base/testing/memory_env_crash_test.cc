// What is left of a MemoryEnv after a crash.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "store/base/env.h"
#include "store/base/testing/fault_plan.h"
#include "store/base/testing/memory_env.h"

namespace rmail {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using CrashMode = MemoryEnv::CrashMode;
using Mode = Env::OpenMode;

constexpr uint64_t kSeeds = 200;

std::unique_ptr<File> Open(Env& env, const std::string& path) {
  auto file = env.Open(path, Mode::kCreate);
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? *std::move(file) : nullptr;
}

// Data on disk, name not.
void WriteSynced(Env& env, const std::string& path, std::string_view content) {
  const auto file = Open(env, path);
  EXPECT_TRUE(file->WriteAt(0, content).ok());
  EXPECT_TRUE(file->Sync().ok());
}

std::string Content(Env& env, const std::string& path) {
  return env.ReadFile(path).value_or("(missing)");
}

// All files with their content, and all directories.
void AddTree(Env& env, const std::string& path, std::map<std::string, std::string>* tree) {
  const auto names = env.List(path + "/");
  ASSERT_TRUE(names.ok()) << names.status();
  for (const std::string& name : *names) {
    const std::string child = path + "/" + name;
    if (env.Stat(child)->is_directory) {
      (*tree)[child] = "(directory)";
      AddTree(env, child, tree);
    } else {
      (*tree)[child] = fmt::format("{} links: {}", env.Stat(child)->links, Content(env, child));
    }
  }
}

std::map<std::string, std::string> Tree(Env& env) {
  std::map<std::string, std::string> tree;
  AddTree(env, "", &tree);
  return tree;
}

TEST(CrashTest, WhatWasSyncedIsThere) {
  for (const CrashMode mode :
       {CrashMode::kKeepAll, CrashMode::kRandom, CrashMode::kLoseAllUnsynced}) {
    MemoryEnv env;
    const std::string boot = env.BootId();
    ASSERT_TRUE(env.CreateDirectories("/d").ok());
    WriteSynced(env, "/d/a", "one");
    ASSERT_TRUE(env.SyncDirectory("/d").ok());
    ASSERT_TRUE(env.SyncDirectory("/").ok());
    const auto before = Tree(env);
    const auto file = Open(env, "/d/a");
    ASSERT_TRUE(file->Lock().ok());
    env.Crash(1, mode);
    EXPECT_EQ(Tree(env), before);
    EXPECT_EQ(file->Sync().code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(Open(env, "/d/a")->Lock().ok());
    EXPECT_EQ(env.BootId() == boot, mode == CrashMode::kKeepAll);
  }
}

TEST(CrashTest, EachMissingSyncLoses) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectories("/d").ok());
  ASSERT_TRUE(env.SyncDirectory("/").ok());
  WriteSynced(env, "/d/no-name", "x");
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_THAT(*env.List("/d"), IsEmpty());

  ASSERT_TRUE(Open(env, "/d/no-data")->WriteAt(0, "x").ok());
  ASSERT_TRUE(env.SyncDirectory("/d").ok());
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_EQ(Content(env, "/d/no-data"), "");

  ASSERT_TRUE(env.CreateDirectories("/d/e").ok());
  WriteSynced(env, "/d/e/no-parent", "x");
  ASSERT_TRUE(env.SyncDirectory("/d/e").ok());
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_FALSE(env.Stat("/d/e").ok());

  ASSERT_TRUE(env.Remove("/d/no-data").ok());
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_TRUE(env.Stat("/d/no-data").ok());
}

TEST(CrashTest, KilledProcessLosesNothingButALaterPowerFailureDoes) {
  MemoryEnv env;
  ASSERT_TRUE(Open(env, "/a")->WriteAt(0, "x").ok());
  env.Crash(0, CrashMode::kKeepAll);
  EXPECT_EQ(Content(env, "/a"), "x");
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_FALSE(env.Stat("/a").ok());
}

TEST(CrashTest, SyncOfADirectoryAsAFileAndOfEverything) {
  MemoryEnv env;
  WriteSynced(env, "/a", "x");
  ASSERT_TRUE((*env.Open("/", Mode::kRead))->Sync().ok());
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_EQ(Content(env, "/a"), "x");
  ASSERT_TRUE(env.CreateDirectories("/d/e").ok());
  ASSERT_TRUE(Open(env, "/d/e/b")->WriteAt(0, "y").ok());
  ASSERT_TRUE(env.Remove("/a").ok());
  ASSERT_TRUE(env.SyncFileSystem("/a").code() == absl::StatusCode::kNotFound);
  ASSERT_TRUE(env.SyncFileSystem("/d").ok());
  const auto before = Tree(env);
  env.Crash(0, CrashMode::kLoseAllUnsynced);
  EXPECT_EQ(Tree(env), before);
}

TEST(CrashTest, UnsyncedDataIsLostInEveryWay) {
  std::set<std::string> contents;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryEnv env;
    WriteSynced(env, "/a", "old.");
    ASSERT_TRUE(env.SyncDirectory("/").ok());
    ASSERT_TRUE(Open(env, "/a")->WriteAt(4, "new").ok());
    ASSERT_TRUE(Open(env, "/a")->WriteAt(0, "OLD").ok());
    env.Crash(seed, CrashMode::kRandom);
    contents.insert(Content(env, "/a"));
    // A second crash does nothing more: what was found is on disk.
    const auto before = Tree(env);
    env.Crash(seed, CrashMode::kLoseAllUnsynced);
    EXPECT_EQ(Tree(env), before);
  }
  EXPECT_THAT(contents, Contains("old."));
  EXPECT_THAT(contents, Contains("OLD.new"));
  EXPECT_THAT(contents, Contains("old.new"));
  EXPECT_THAT(contents, Contains("old.n"));
  EXPECT_THAT(contents, Contains(std::string("old.\0\0\0", 7)));
  for (const std::string& content : contents) {
    ASSERT_GE(content.size(), 4u);
    EXPECT_EQ(content[3], '.');
  }
}

TEST(CrashTest, LongWritesLoseSectors) {
  bool hole = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryEnv env;
    ASSERT_TRUE(Open(env, "/a")->WriteAt(0, std::string(4096, 'x')).ok());
    ASSERT_TRUE(env.SyncDirectory("/").ok());
    env.Crash(seed, CrashMode::kRandom);
    const std::string content = Content(env, "/a");
    const size_t zero = content.find('\0');
    hole = hole || (zero != std::string::npos && content.find('x', zero) != std::string::npos);
    EXPECT_EQ(content.find_first_not_of(std::string("x\0", 2)), std::string::npos);
  }
  EXPECT_TRUE(hole);
}

TEST(CrashTest, SameSeedSameCrash) {
  std::set<std::map<std::string, std::string>> trees;
  for (int i = 0; i < 5; ++i) {
    MemoryEnv env(i);
    for (const char* directory : {"/d", "/e", "/f"}) {
      ASSERT_TRUE(env.CreateDirectories(directory).ok());
      for (const char* name : {"/a", "/b", "/c"}) {
        ASSERT_TRUE(Open(env, std::string(directory) + name)->WriteAt(0, "text").ok());
      }
    }
    env.Crash(42, CrashMode::kRandom);
    trees.insert(Tree(env));
  }
  EXPECT_EQ(trees.size(), 1u);
}

// One directory's changes are lost from the end; another's are independent of them.
TEST(CrashTest, ChangesOfADirectoryAreLostInOrder) {
  std::set<std::vector<bool>> outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryEnv env;
    ASSERT_TRUE(env.CreateDirectories("/d").ok());
    ASSERT_TRUE(env.CreateDirectories("/e").ok());
    WriteSynced(env, "/d/first", "x");
    ASSERT_TRUE(env.SyncFileSystem("/").ok());
    ASSERT_TRUE(env.Link("/d/first", "/e/other").ok());
    ASSERT_TRUE(env.Link("/d/first", "/d/second").ok());
    ASSERT_TRUE(env.Rename("/d/second", "/d/third").ok());
    ASSERT_TRUE(env.Remove("/d/first").ok());
    env.Crash(seed, CrashMode::kRandom);
    const bool other = env.Stat("/e/other").ok();
    const bool first = env.Stat("/d/first").ok();
    const bool second = env.Stat("/d/second").ok();
    const bool third = env.Stat("/d/third").ok();
    EXPECT_FALSE(second && third);
    EXPECT_TRUE(first || third);
    if (first) {
      EXPECT_EQ(env.Stat("/d/first")->links, 1u + other + second + third);
    }
    outcomes.insert({other, first, second, third});
  }
  EXPECT_EQ(outcomes.size(), 8u);
}

TEST(CrashTest, RenameBetweenDirectoriesIsNeverHalfDone) {
  std::set<std::string> places;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const char* synced : {"", "/d", "/e"}) {
      MemoryEnv env;
      ASSERT_TRUE(env.CreateDirectories("/d").ok());
      WriteSynced(env, "/d/a", "x");
      ASSERT_TRUE(env.SyncFileSystem("/").ok());
      // Not on disk itself; the file's move to it makes it so.
      ASSERT_TRUE(env.CreateDirectories("/e").ok());
      ASSERT_TRUE(env.Rename("/d/a", "/e/b").ok());
      ASSERT_TRUE(Open(env, "/e/later") != nullptr);
      if (*synced != 0) ASSERT_TRUE(env.SyncDirectory(synced).ok());
      env.Crash(seed, seed == 0 ? CrashMode::kLoseAllUnsynced : CrashMode::kRandom);
      const bool old_place = env.Stat("/d/a").ok();
      const bool new_place = env.Stat("/e/b").ok();
      EXPECT_NE(old_place, new_place);
      if (*synced != 0) EXPECT_TRUE(new_place);
      if (*synced == 0) places.insert(new_place ? "new" : "old");
    }
  }
  EXPECT_THAT(places, UnorderedElementsAre("new", "old"));
}

TEST(CrashTest, FileThatMovedOutOfARemovedDirectoryIsThere) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryEnv env;
    ASSERT_TRUE(env.CreateDirectories("/d/e").ok());
    ASSERT_TRUE(env.CreateDirectories("/f").ok());
    WriteSynced(env, "/d/e/a", "x");
    ASSERT_TRUE(env.SyncFileSystem("/").ok());
    ASSERT_TRUE(env.Rename("/d/e/a", "/f/a").ok());
    ASSERT_TRUE(env.RemoveRecursively("/d/e").ok());
    if (seed % 2 == 0) ASSERT_TRUE(env.SyncDirectory("/d").ok());
    env.Crash(seed, CrashMode::kRandom);
    EXPECT_NE(env.Stat("/d/e/a").ok(), env.Stat("/f/a").ok());
  }
}

// Directories that change places among one another never end up nowhere or in a circle.
TEST(CrashTest, MovedDirectoriesStayInTheTree) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryEnv env;
    for (const char* path : {"/a/x", "/b"}) ASSERT_TRUE(env.CreateDirectories(path).ok());
    WriteSynced(env, "/a/f", "f");
    WriteSynced(env, "/a/x/g", "g");
    ASSERT_TRUE(env.SyncFileSystem("/").ok());
    ASSERT_TRUE(env.Rename("/a/x", "/b/x").ok());
    ASSERT_TRUE(env.Rename("/a", "/b/x/a").ok());
    env.Crash(seed, CrashMode::kRandom);
    int files = 0;
    for (const auto& [path, what] : Tree(env)) files += what != "(directory)";
    EXPECT_EQ(files, 2);
  }
}

TEST(CrashTest, SyncThatFailedMayForget) {
  for (const bool forgets : {false, true}) {
    MemoryEnv env;
    env.SetFailedSyncForgets(forgets);
    const auto file = Open(env, "/a");
    ASSERT_TRUE(env.SyncFileSystem("/").ok());
    ASSERT_TRUE(file->WriteAt(0, "one").ok());
    env.FailOnce(0, FaultPlan::kSync);
    EXPECT_FALSE(file->Sync().ok());
    EXPECT_FALSE(file->Sync().ok());
    EXPECT_EQ(Content(env, "/a"), "one");
    const auto again = Open(env, "/a");
    ASSERT_TRUE(again->WriteAt(3, "two").ok());
    EXPECT_TRUE(again->Sync().ok());
    // Tells of the loss, once.
    EXPECT_EQ(env.SyncFileSystem("/").ok(), !forgets);
    EXPECT_TRUE(env.SyncFileSystem("/").ok());
    env.Crash(0, CrashMode::kLoseAllUnsynced);
    EXPECT_EQ(Content(env, "/a"), forgets ? std::string("\0\0\0two", 6) : "onetwo");
  }
}

// The whole of it in use: a file that is replaced is old or new, whenever the machine goes down,
// and new when the call had returned.
TEST(CrashTest, ReplaceFileIsAllOrNothing) {
  bool done = false;
  for (uint64_t n = 0; !done; ++n) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      for (const CrashMode mode :
           {CrashMode::kKeepAll, CrashMode::kRandom, CrashMode::kLoseAllUnsynced}) {
        MemoryEnv env;
        ASSERT_TRUE(env.CreateDirectories("/d").ok());
        ASSERT_TRUE(env.ReplaceFile("/d/a", "old").ok());
        ASSERT_TRUE(env.SyncFileSystem("/").ok());
        env.StopAt(n);
        done = env.ReplaceFile("/d/a", "new").ok();
        env.Crash(seed, mode);
        EXPECT_THAT(Content(env, "/d/a"), AnyOf(done ? "new" : "old", "new"));
      }
    }
    ASSERT_LT(n, 10u);
  }
}

// Random changes of files in some directories: each directory is, after a crash, as it was at some
// time since its last sync, and each synced file is whole.
class RandomChanges {
 public:
  explicit RandomChanges(uint64_t seed) : random_(seed) {
    for (const std::string& directory : directories_) {
      EXPECT_TRUE(env_.CreateDirectories(directory).ok());
    }
    EXPECT_TRUE(env_.SyncFileSystem("/").ok());
    for (const std::string& directory : directories_) Note(directory, true);
  }

  void Step() {
    const std::string directory = directories_[random_() % directories_.size()];
    const std::string from = Name();
    const std::string to = Name();
    bool synced = false;
    switch (random_() % 5) {
      case 0:
        if (!env_.Stat(from).ok()) WriteSynced(env_, from, from);
        break;
      case 1:
        (void)env_.Link(from, to);
        break;
      case 2:
        (void)env_.Rename(from, to);
        break;
      case 3:
        (void)env_.Remove(from);
        break;
      default:
        synced = random_() % 2 == 0;
        if (synced) ASSERT_TRUE(env_.SyncDirectory(directory).ok());
    }
    for (const std::string& each : directories_) Note(each, synced && each == directory);
  }

  void CrashAndCheck(CrashMode mode) {
    env_.Crash(random_(), mode);
    for (const std::string& directory : directories_) {
      EXPECT_THAT(states_[directory], Contains(State(directory))) << directory;
      for (const auto& [name, inode] : State(directory)) {
        EXPECT_THAT(Content(env_, directory + "/" + name), ::testing::StartsWith("/")) << name;
      }
      Note(directory, true);
    }
  }

 private:
  using DirectoryState = std::map<std::string, uint64_t>;

  std::string Name() {
    return fmt::format("{}/{}", directories_[random_() % directories_.size()], random_() % 4);
  }
  DirectoryState State(const std::string& directory) {
    DirectoryState state;
    const std::vector<std::string> names = env_.List(directory).value();
    for (const std::string& name : names) {
      const FileInfo info = *env_.Stat(directory + "/" + name);
      if (!info.is_directory) state[name] = info.inode;
    }
    return state;
  }
  void Note(const std::string& directory, bool synced) {
    if (synced) states_[directory].clear();
    states_[directory].insert(State(directory));
  }

  MemoryEnv env_;
  std::mt19937_64 random_;
  const std::vector<std::string> directories_ = {"/a", "/b", "/a/c"};
  std::map<std::string, std::set<DirectoryState>> states_;
};

TEST(CrashTest, DirectoriesAreAsTheyOnceWere) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    RandomChanges changes(seed);
    for (int crash = 0; crash < 5; ++crash) {
      for (int i = 0; i < 20; ++i) changes.Step();
      changes.CrashAndCheck(crash % 2 == 0 ? CrashMode::kRandom : CrashMode::kLoseAllUnsynced);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace rmail
