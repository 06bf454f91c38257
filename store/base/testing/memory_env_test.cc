// What processes on a MemoryEnv see: files, locks, faults. memory_env_crash_test.cc has what is
// left after a crash, memory_env_posix_test.cc that all of it is as in a real file system.
#include "store/base/testing/memory_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/base/env.h"
#include "store/base/testing/fault_plan.h"

namespace rmail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Code = absl::StatusCode;
using Mode = Env::OpenMode;

std::unique_ptr<File> Open(Env& env, const std::string& path, Mode mode = Mode::kCreate) {
  auto file = env.Open(path, mode);
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? *std::move(file) : nullptr;
}

void Write(Env& env, const std::string& path, std::string_view content) {
  const auto file = Open(env, path);
  EXPECT_TRUE(file->Truncate(0).ok());
  EXPECT_TRUE(file->WriteAt(0, content).ok());
}

std::string Content(const File& file) {
  char buffer[100];
  const auto size = file.ReadAt(0, buffer, sizeof(buffer));
  return size.ok() ? std::string(buffer, *size) : std::string(size.status().message());
}

std::string Content(Env& env, const std::string& path) {
  return env.ReadFile(path).value_or("(missing)");
}

TEST(MemoryEnvTest, WritesAreReadAtOnceByAll) {
  MemoryEnv env;
  const auto other = env.NewProcess();
  const auto file = Open(env, "/a", Mode::kCreateNew);
  const auto reader = Open(*other, "/a", Mode::kRead);
  ASSERT_TRUE(file->WriteAt(2, "cd").ok());
  EXPECT_EQ(Content(*reader), std::string("\0\0cd", 4));
  ASSERT_TRUE(file->WriteAt(0, "ab").ok());
  ASSERT_TRUE(file->Truncate(3).ok());
  EXPECT_EQ(Content(*reader), "abc");
  char buffer[4] = {};
  EXPECT_EQ(*reader->ReadAt(1, buffer, 1), 1u);
  EXPECT_EQ(buffer[0], 'b');
  EXPECT_EQ(*reader->ReadAt(3, buffer, 4), 0u);
  EXPECT_EQ(*reader->ReadAt(UINT64_MAX, buffer, 4), 0u);
  EXPECT_EQ(reader->WriteAt(0, "x").code(), Code::kUnavailable);
  EXPECT_EQ(reader->Truncate(0).code(), Code::kUnavailable);
  EXPECT_EQ(file->WriteAt(UINT64_MAX - 1, "xyz").code(), Code::kUnavailable);
  EXPECT_EQ(file->Truncate(UINT64_MAX).code(), Code::kUnavailable);
  EXPECT_EQ(Content(env, "/a"), "abc");
}

TEST(MemoryEnvTest, OpenModes) {
  MemoryEnv env;
  for (const Mode mode : {Mode::kRead, Mode::kReadWrite}) {
    EXPECT_EQ(env.Open("/a", mode).status().code(), Code::kNotFound);
  }
  EXPECT_EQ(env.Open("/d/a", Mode::kCreate).status().code(), Code::kNotFound);
  Write(env, "/a", "one");
  EXPECT_EQ(env.Open("/a", Mode::kCreateNew).status().code(), Code::kAlreadyExists);
  EXPECT_EQ(Content(*Open(env, "/a", Mode::kCreate)), "one");
  EXPECT_EQ(env.Open("/a/b", Mode::kCreate).status().code(), Code::kUnavailable);
  EXPECT_EQ(env.Open("/" + std::string(256, 'x'), Mode::kCreate).status().code(),
            Code::kUnavailable);
  ASSERT_TRUE(env.CreateDirectories("/d/e").ok());
  EXPECT_EQ(env.Open("/d", Mode::kCreate).status().code(), Code::kUnavailable);
  const auto directory = Open(env, "/d", Mode::kRead);
  EXPECT_TRUE(directory->Info()->is_directory);
  EXPECT_TRUE(directory->Sync().ok());
}

TEST(MemoryEnvTest, RemovedFileLivesWhileItIsOpen) {
  MemoryEnv env;
  Write(env, "/a", "one");
  const auto file = Open(env, "/a");
  EXPECT_EQ(file->Info()->links, 1u);
  ASSERT_TRUE(env.Link("/a", "/b").ok());
  EXPECT_EQ(file->Info()->links, 2u);
  EXPECT_EQ(env.Link("/a", "/b").code(), Code::kAlreadyExists);
  ASSERT_TRUE(env.Remove("/a").ok());
  ASSERT_TRUE(env.Remove("/b").ok());
  EXPECT_EQ(env.Remove("/b").code(), Code::kNotFound);
  EXPECT_EQ(file->Info()->links, 0u);
  EXPECT_EQ(Content(*file), "one");
  Write(env, "/a", "two");
  EXPECT_NE(env.Stat("/a")->inode, file->Info()->inode);
}

TEST(MemoryEnvTest, RenameReplacesAndTakesSubtreesAlong) {
  MemoryEnv env;
  Write(env, "/a", "a");
  Write(env, "/b", "b");
  const auto replaced = Open(env, "/b");
  ASSERT_TRUE(env.Rename("/a", "/b").ok());
  EXPECT_EQ(Content(env, "/b"), "a");
  EXPECT_EQ(Content(*replaced), "b");
  EXPECT_EQ(replaced->Info()->links, 0u);
  EXPECT_EQ(env.Rename("/a", "/b").code(), Code::kNotFound);
  ASSERT_TRUE(env.CreateDirectories("/d/e").ok());
  Write(env, "/d/e/f", "f");
  EXPECT_EQ(env.Rename("/d", "/d/e/g").code(), Code::kUnavailable);
  ASSERT_TRUE(env.Rename("/d", "/g").ok());
  EXPECT_EQ(Content(env, "/g/e/f"), "f");
  EXPECT_EQ(env.Rename("/g", "/b").code(), Code::kUnavailable);
  EXPECT_EQ(env.Remove("/g/e").code(), Code::kUnavailable);
  EXPECT_TRUE(env.RemoveRecursively("/g").ok());
  EXPECT_TRUE(env.RemoveRecursively("/g").ok());
  EXPECT_THAT(*env.List("/"), ElementsAre("b"));
}

TEST(MemoryEnvTest, ListIsInADifferentOrderFromCallToCall) {
  MemoryEnv env(7);
  std::set<std::vector<std::string>> orders;
  for (const char* name : {"/a", "/b", "/c", "/d", "/e"}) Write(env, name, "");
  for (int i = 0; i < 20; ++i) {
    orders.insert(*env.List("/"));
    EXPECT_THAT(*env.List("/"), UnorderedElementsAre("a", "b", "c", "d", "e"));
  }
  EXPECT_GT(orders.size(), 5u);
}

TEST(MemoryEnvTest, LockExcludesOtherOpenFiles) {
  MemoryEnv env;
  const auto other = env.NewProcess();
  const auto a = Open(env, "/lock");
  auto b = Open(env, "/lock");
  const auto c = Open(*other, "/lock");
  ASSERT_TRUE(a->Lock().ok());
  ASSERT_TRUE(a->Lock().ok());
  b->Unlock();
  std::atomic<int> taken = 0;
  std::thread first([&] {
    EXPECT_TRUE(b->Lock().ok());
    EXPECT_EQ(++taken, 1);
    // Closing lets go of it.
    b.reset();
  });
  EXPECT_EQ(taken, 0);
  a->Unlock();
  first.join();
  EXPECT_TRUE(c->Lock().ok());
  std::thread second([&] { EXPECT_EQ(a->Lock().code(), Code::kUnavailable); });
  std::thread third([&] { EXPECT_EQ(a->Lock().code(), Code::kUnavailable); });
  env.Kill();
  second.join();
  third.join();
}

TEST(MemoryEnvTest, LocksMakeOneOfManyGoAtATime) {
  MemoryEnv env;
  int unguarded = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&env, &unguarded] {
      const auto process = env.NewProcess();
      for (int i = 0; i < 50; ++i) {
        const auto file = Open(*process, "/lock");
        const auto lock = FileLock::Acquire(file.get());
        ASSERT_TRUE(lock.ok());
        ++unguarded;
        Write(*process, "/" + std::to_string(i), "x");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(unguarded, 200);
}

TEST(MemoryEnvTest, KillEndsOneProcessOnly) {
  MemoryEnv env;
  const auto other = env.NewProcess();
  const auto mine = Open(env, "/a");
  const auto theirs = Open(*other, "/a");
  ASSERT_TRUE(mine->WriteAt(0, "one").ok());
  ASSERT_TRUE(mine->Lock().ok());
  const std::string boot = env.BootId();
  env.Kill();
  EXPECT_EQ(mine->WriteAt(0, "two").code(), Code::kUnavailable);
  EXPECT_EQ(mine->Info().status().code(), Code::kUnavailable);
  EXPECT_EQ(mine->Lock().code(), Code::kUnavailable);
  EXPECT_TRUE(theirs->Lock().ok());
  EXPECT_EQ(Content(*theirs), "one");
  EXPECT_EQ(Content(env, "/a"), "one");
  EXPECT_EQ(env.BootId(), boot);
}

TEST(MemoryEnvTest, FilesOutliveTheirEnv) {
  auto env = std::make_unique<MemoryEnv>();
  const auto file = Open(*env, "/a");
  env.reset();
  EXPECT_EQ(file->WriteAt(0, "x").code(), Code::kUnavailable);
}

TEST(FaultTest, NthCallOfAKindFailsOnce) {
  MemoryEnv env;
  const auto file = Open(env, "/a");
  env.FailOnce(1, FaultPlan::kSync);
  env.FailOnce(0, FaultPlan::kRead | FaultPlan::kList, Code::kDataLoss);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(env.fault_pending());
  EXPECT_EQ(file->Sync().code(), Code::kUnavailable);
  // An open file that could not be synced once is of no use any more.
  EXPECT_EQ(file->Sync().code(), Code::kUnavailable);
  EXPECT_TRUE(Open(env, "/a")->Sync().ok());
  EXPECT_EQ(env.List("/").status().code(), Code::kDataLoss);
  EXPECT_FALSE(env.fault_pending());
  EXPECT_TRUE(env.List("/").ok());
  EXPECT_EQ(Content(*file), "");
}

TEST(FaultTest, AllFromTheNthFail) {
  MemoryEnv env;
  Write(env, "/a", "one");
  env.FailFrom(2, FaultPlan::kChanges, Code::kResourceExhausted);
  EXPECT_TRUE(env.Link("/a", "/b").ok());
  // It would have failed anyway: no change.
  EXPECT_EQ(env.Link("/a", "/b").code(), Code::kAlreadyExists);
  EXPECT_TRUE(env.Rename("/b", "/c").ok());
  EXPECT_EQ(env.Rename("/c", "/d").code(), Code::kResourceExhausted);
  EXPECT_EQ(env.CreateDirectories("/e").code(), Code::kResourceExhausted);
  EXPECT_EQ(env.Open("/f", Mode::kCreate).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(env.SyncDirectory("/").code(), Code::kResourceExhausted);
  EXPECT_EQ(env.SyncFileSystem("/").code(), Code::kResourceExhausted);
  EXPECT_EQ(env.Remove("/c").code(), Code::kResourceExhausted);
  EXPECT_THAT(*env.List("/"), UnorderedElementsAre("a", "c"));
  EXPECT_EQ(Content(env, "/c"), "one");
  env.ClearFaults();
  EXPECT_TRUE(env.Remove("/c").ok());
}

TEST(FaultTest, StoppedProcessDoesNothingMore) {
  MemoryEnv env;
  const auto other = env.NewProcess();
  const auto lock = Open(env, "/a");
  ASSERT_TRUE(lock->Lock().ok());
  std::thread waiting([&] {
    const auto theirs = Open(*other, "/a");
    EXPECT_TRUE(theirs->Lock().ok());
  });
  env.StopAt(1);
  EXPECT_TRUE(env.CreateDirectories("/d").ok());
  EXPECT_FALSE(env.stopped());
  EXPECT_EQ(env.CreateDirectories("/e").code(), Code::kUnavailable);
  EXPECT_TRUE(env.stopped());
  // Its lock is free.
  waiting.join();
  EXPECT_EQ(lock->Info().status().code(), Code::kUnavailable);
  EXPECT_EQ(env.Stat("/a").status().code(), Code::kUnavailable);
  EXPECT_EQ(env.Remove("/missing").code(), Code::kUnavailable);
  EXPECT_EQ(env.RemoveRecursively("/missing").code(), Code::kUnavailable);
  EXPECT_THAT(*other->List("/"), UnorderedElementsAre("a", "d"));
  env.Kill();
  EXPECT_TRUE(env.CreateDirectories("/e").ok());
}

TEST(FaultTest, WriteThatFailsMayBeDoneInPart) {
  std::set<size_t> sizes;
  MemoryEnv env;
  for (int i = 0; i < 50; ++i) {
    Write(env, "/a", "");
    const auto file = Open(env, "/a");
    if (i % 2 == 0) {
      env.FailOnce(0);
    } else {
      env.StopAt(0);
    }
    EXPECT_EQ(file->WriteAt(0, "abc").code(), Code::kUnavailable);
    EXPECT_EQ(file->WriteAt(3, "def").ok(), i % 2 == 0);
    env.Kill();
    std::string content = Content(env, "/a");
    if (i % 2 == 0) {
      ASSERT_EQ(content.substr(3), "def");
      content.resize(content.find_first_of(std::string("\0d", 2)));
    }
    sizes.insert(content.size());
    EXPECT_EQ(content, std::string("abc").substr(0, content.size()));
  }
  EXPECT_EQ(sizes.size(), 4u);
}

TEST(FaultTest, ChangesCountWhatWouldBeLost) {
  MemoryEnv env;
  const auto steps = [&](const std::function<void()>& what) {
    const uint64_t before = env.changes();
    what();
    return env.changes() - before;
  };
  EXPECT_EQ(steps([&] { EXPECT_TRUE(env.CreateDirectories("/a/b/c").ok()); }), 3u);
  EXPECT_EQ(steps([&] { EXPECT_TRUE(env.CreateDirectories("/a/b/c").ok()); }), 0u);
  // New file, data, sync, rename, sync.
  EXPECT_EQ(steps([&] { EXPECT_TRUE(env.ReplaceFile("/a/b/f", "x").ok()); }), 5u);
  EXPECT_EQ(steps([&] { EXPECT_TRUE(env.ReadFile("/a/b/f").ok()); }), 0u);
  EXPECT_EQ(steps([&] { EXPECT_TRUE(env.Link("/a/b/f", "/a/g").ok()); }), 1u);
  EXPECT_EQ(steps([&] { EXPECT_FALSE(env.Link("/a/b/f", "/a/g").ok()); }), 0u);
  EXPECT_EQ(steps([&] { EXPECT_TRUE(env.RemoveRecursively("/a").ok()); }), 5u);
}

TEST(FaultTest, RemoveRecursivelyCanStopInTheMiddle) {
  for (uint64_t n = 0; n < 4; ++n) {
    MemoryEnv env;
    ASSERT_TRUE(env.CreateDirectories("/a").ok());
    for (const char* name : {"/a/1", "/a/2", "/a/3"}) Write(env, name, "x");
    env.StopAt(n);
    EXPECT_FALSE(env.RemoveRecursively("/a").ok());
    env.Kill();
    EXPECT_EQ(env.List("/a")->size(), 3 - n);
  }
}

TEST(DiskFullTest, WritesDoWhatFits) {
  MemoryEnv env;
  const auto file = Open(env, "/a");
  env.SetFree(5);
  EXPECT_TRUE(file->WriteAt(0, "abc").ok());
  EXPECT_EQ(file->WriteAt(3, "defg").code(), Code::kResourceExhausted);
  EXPECT_EQ(Content(*file), "abcde");
  EXPECT_EQ(file->WriteAt(5, "f").code(), Code::kResourceExhausted);
  EXPECT_TRUE(file->WriteAt(1, "BCDE").ok());
  EXPECT_EQ(file->WriteAt(4, "EF").code(), Code::kResourceExhausted);
  EXPECT_TRUE(file->Truncate(0).ok());
  EXPECT_TRUE(file->WriteAt(0, "12345").ok());
  env.SetFree(std::nullopt);
  EXPECT_TRUE(file->WriteAt(5, "6").ok());
}

TEST(DiskFullTest, NamesNeedRoomToo) {
  MemoryEnv env;
  Write(env, "/a", std::string(100, 'x'));
  env.SetFree(63);
  EXPECT_EQ(env.Open("/b", Mode::kCreate).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(env.Link("/a", "/b").code(), Code::kResourceExhausted);
  EXPECT_EQ(env.CreateDirectories("/b").code(), Code::kResourceExhausted);
  EXPECT_TRUE(env.Rename("/a", "/b").ok());
  EXPECT_TRUE(env.Rename("/b", "/a").ok());
  EXPECT_THAT(*env.List("/"), ElementsAre("a"));
  {
    const auto file = Open(env, "/a");
    ASSERT_TRUE(env.Remove("/a").ok());
    // Its name's room is free, its data's not yet.
    EXPECT_TRUE(env.CreateDirectories("/b").ok());
    EXPECT_EQ(env.CreateDirectories("/c").code(), Code::kResourceExhausted);
  }
  EXPECT_TRUE(env.CreateDirectories("/c").ok());
  EXPECT_TRUE(env.RemoveRecursively("/c").ok());
  EXPECT_TRUE(env.RemoveRecursively("/b").ok());
  EXPECT_THAT(*env.List("/"), IsEmpty());
  Write(env, "/a", std::string(163, 'x'));
  EXPECT_EQ(env.Stat("/a")->size, 163u);
}

}  // namespace
}  // namespace rmail
