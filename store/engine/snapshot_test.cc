#include "store/engine/snapshot.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <memory>
#include <string>

#include "store/base/testing/memory_env.h"
#include "store/engine/index.h"
#include "store/engine/little_endian.h"

namespace rmail::engine {
namespace {

constexpr char kPath[] = "/a/snapshot";
constexpr size_t kHeader = 64;

// Three shards, some of whose messages have \Deleted.
Index SampleIndex() {
  LogRecord record;
  record.set_modseq(2);
  for (const uint32_t uid : {1u, 2u, 4096u, 4097u, 8192u}) {
    record.mutable_appended()->add_uids(uid);
    record.mutable_appended()->add_internal_dates(0);
    record.mutable_appended()->add_sizes(uid);
    record.mutable_appended()->add_flags(uid == 1 ? 0 : kDeleted);
  }
  Index index;
  EXPECT_TRUE(index.Apply(record).ok());
  LogRecord undelete;
  undelete.set_modseq(3);
  undelete.mutable_flags_changed()->add_uids(8192);
  undelete.mutable_flags_changed()->add_flags(kSeen);
  EXPECT_TRUE(index.Apply(undelete).ok());
  return index;
}

// The same as the first version of the format had it.
std::string InFirstVersion(const std::string& text) {
  constexpr size_t kEntry = 56;
  const auto shards = GetFixed<uint32_t>(text.data() + 36);
  std::string directory;
  for (size_t i = 0; i < shards; ++i) {
    const char* const entry = text.data() + kHeader + i * kEntry;
    directory.append(entry, 32);
    PutFixed<uint64_t>(GetFixed<uint64_t>(entry + 32) - shards * 8, &directory);
    directory.append(entry + 40, 8);
  }
  std::string first("rmsnap\0\1", 8);
  first.append(text, 8, 40);
  PutFixed<uint64_t>(XXH3_64bits(directory.data(), directory.size()), &first);
  PutFixed<uint64_t>(XXH3_64bits(first.data(), first.size()), &first);
  return first + directory + text.substr(kHeader + shards * kEntry);
}

TEST(SnapshotTest, TellsWhatDeletedMessagesTake) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectories("/a").ok());
  ASSERT_TRUE(WriteSnapshot(&env, kPath, SampleIndex().Image()).ok());
  const std::string text = *env.ReadFile(kPath);
  for (const bool first_version : {false, true}) {
    if (first_version) {
      ASSERT_TRUE(env.ReplaceFile(kPath, InFirstVersion(text)).ok());
    }
    const auto snapshot = SnapshotFile::Open(&env, kPath);
    ASSERT_TRUE(snapshot.ok()) << first_version << ": " << snapshot.status();
    ASSERT_EQ((*snapshot)->shards().size(), 3u);
    EXPECT_EQ((*snapshot)->shards()[0].deleted_size, 2u) << first_version;
    EXPECT_EQ((*snapshot)->shards()[1].deleted_size, 4096u + 4097u) << first_version;
    EXPECT_EQ((*snapshot)->shards()[2].deleted_size, 0u) << first_version;
    Index index(*snapshot);
    EXPECT_EQ(index.counts().deleted_size, 2u + 4096 + 4097) << first_version;
    EXPECT_EQ(index.counts().deleted, 3u) << first_version;
    // It is written in the second version.
    ASSERT_TRUE(env.Remove(kPath).ok());
    ASSERT_TRUE(WriteSnapshot(&env, kPath, index.Image()).ok());
    EXPECT_EQ(*env.ReadFile(kPath), text) << first_version;
  }
}

// A block that is damaged is found when it is counted, and the index is made anew.
TEST(SnapshotTest, DamageInAnOldOneIsFound) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectories("/a").ok());
  ASSERT_TRUE(WriteSnapshot(&env, kPath, SampleIndex().Image()).ok());
  const std::string whole = InFirstVersion(*env.ReadFile(kPath));
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ASSERT_TRUE(env.ReplaceFile(kPath, damaged).ok());
    const auto snapshot = SnapshotFile::Open(&env, kPath);
    if (!snapshot.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(snapshot.status())) << i << ": " << snapshot.status();
      continue;
    }
    // The last block has no such message: it is read later.
    EXPECT_FALSE((*snapshot)->ReadShard(2).ok()) << i;
  }
}

}  // namespace
}  // namespace rmail::engine
