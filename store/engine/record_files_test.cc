#include "store/engine/record_files.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "store/base/env.h"
#include "store/engine/message_records.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

Env* const kEnv = Env::Posix();

std::string FolderOf(const TestFolder& folder, std::string_view name) {
  const std::string path = folder.Path(name);
  for (const char* const shard : {"0", "1", "2"}) {
    EXPECT_TRUE(kEnv->CreateDirectories(JoinPath(path, shard)).ok());
  }
  return path;
}

MessageRecords Records(uint32_t uid) {
  return {"digest " + std::to_string(uid), "keys " + std::to_string(uid)};
}

void Write(const std::string& directory, const std::vector<uint32_t>& uids) {
  std::vector<MessageRecords> records;
  records.reserve(uids.size());
  for (const uint32_t uid : uids) records.push_back(Records(uid));
  std::vector<UidRecords> list;
  for (size_t i = 0; i < uids.size(); ++i) list.push_back({uids[i], &records[i]});
  EXPECT_TRUE(WriteRecords(kEnv, directory, list).ok());
}

std::string Find(RecordReader& reader, uint32_t uid) {
  return std::string(reader.Find(uid).value_or("(missing)"));
}

TEST(RecordFilesTest, ReadsWhatWasWritten) {
  const TestFolder folder;
  const std::string directory = FolderOf(folder, "box");
  std::vector<uint32_t> uids(50);
  std::iota(uids.begin(), uids.end(), 4070);
  uids.push_back(9000);
  Write(directory, uids);
  RecordReader digests(kEnv, directory, RecordKind::kDigest);
  RecordReader keys(kEnv, directory, RecordKind::kKeys);
  for (const uint32_t uid : uids) {
    EXPECT_EQ(Find(digests, uid), Records(uid).digest);
    EXPECT_EQ(Find(keys, uid), Records(uid).keys);
  }
  EXPECT_EQ(Find(keys, 4069), "(missing)");
  EXPECT_EQ(Find(keys, 4070), Records(4070).keys);
  EXPECT_EQ(Find(keys, 9001), "(missing)");
  // No such folder.
  EXPECT_EQ(Find(keys, UINT32_MAX), "(missing)");
  RecordReader nowhere(kEnv, folder.Path("nowhere"), RecordKind::kKeys);
  EXPECT_EQ(Find(nowhere, 1), "(missing)");
}

TEST(RecordFilesTest, LeavesWhatIsNotGivenAsItIs) {
  const TestFolder folder;
  const std::string directory = FolderOf(folder, "box");
  Write(directory, {1});
  const MessageRecords keys_only{"", "new keys"};
  const UidRecords list[] = {{1, &keys_only}, {2, &keys_only}};
  ASSERT_TRUE(WriteRecords(kEnv, directory, list).ok());
  RecordReader digests(kEnv, directory, RecordKind::kDigest);
  RecordReader keys(kEnv, directory, RecordKind::kKeys);
  EXPECT_EQ(Find(digests, 1), Records(1).digest);
  EXPECT_EQ(Find(digests, 2), "(missing)");
  EXPECT_EQ(Find(keys, 1), "new keys");
  EXPECT_EQ(Find(keys, 2), "new keys");
}

TEST(RecordFilesTest, AFileOfTheOtherKindIsEmpty) {
  const TestFolder folder;
  const std::string directory = FolderOf(folder, "box");
  Write(directory, {1});
  ASSERT_TRUE(
      kEnv->Rename(JoinPath(directory, "0/digest.1"), JoinPath(directory, "0/keys.1")).ok());
  RecordReader keys(kEnv, directory, RecordKind::kKeys);
  EXPECT_EQ(Find(keys, 1), "(missing)");
}

TEST(RecordFilesTest, CopiesWhatIsThere) {
  const TestFolder folder;
  const std::string source = FolderOf(folder, "source");
  const std::string target = FolderOf(folder, "target");
  std::vector<uint32_t> written;
  std::vector<uint32_t> source_uids;
  std::vector<uint32_t> target_uids;
  for (uint32_t i = 1; i <= 3000; ++i) {
    source_uids.push_back(i + 3000);
    target_uids.push_back(i + 6000);
    if (i % 3 != 0) written.push_back(i + 3000);
  }
  Write(source, written);
  ASSERT_TRUE(CopyRecords(kEnv, source, source_uids, target, target_uids, 0).ok());
  RecordReader digests(kEnv, target, RecordKind::kDigest);
  RecordReader keys(kEnv, target, RecordKind::kKeys);
  for (uint32_t i = 1; i <= 3000; ++i) {
    const MessageRecords wanted = Records(i + 3000);
    EXPECT_EQ(Find(digests, i + 6000), i % 3 != 0 ? wanted.digest : "(missing)");
    EXPECT_EQ(Find(keys, i + 6000), i % 3 != 0 ? wanted.keys : "(missing)");
  }
}

// A message copied within its mailbox, also within its shard.
TEST(RecordFilesTest, CopiesWithinAMailbox) {
  const TestFolder folder;
  const std::string box = FolderOf(folder, "box");
  Write(box, {1, 2});
  const std::vector<uint32_t> source = {1, 2};
  const std::vector<uint32_t> target = {3, 4};
  ASSERT_TRUE(CopyRecords(kEnv, box, source, box, target, 0).ok());
  RecordReader keys(kEnv, box, RecordKind::kKeys);
  EXPECT_EQ(Find(keys, 2), Records(2).keys);
  EXPECT_EQ(Find(keys, 4), Records(2).keys);
}

uintmax_t SizeOf(const std::string& path) {
  const auto info = kEnv->Stat(path);
  return info.ok() ? info->size : 0;
}

TEST(TidyRecordsTest, GivesBackWhatIsGone) {
  const TestFolder folder;
  const std::string box = FolderOf(folder, "box");
  // 100 messages with digests of 10,000 octets.
  std::vector<MessageRecords> records;
  for (uint32_t uid = 4096; uid < 4196; ++uid) {
    records.push_back({std::to_string(uid) + std::string(10'000, 'x'), Records(uid).keys});
  }
  std::vector<UidRecords> list;
  for (uint32_t i = 0; i < 100; ++i) list.push_back({4096 + i, &records[i]});
  ASSERT_TRUE(WriteRecords(kEnv, box, list).ok());
  const std::string digests = JoinPath(box, "1/digest.1");
  const std::string keys = JoinPath(box, "1/keys.1");
  const auto full = SizeOf(digests);
  std::vector<uint32_t> live(100);
  std::iota(live.begin(), live.end(), 4096);
  // Not worth it.
  live.resize(60);
  ASSERT_TRUE(TidyRecords(kEnv, box, 1, live).ok());
  EXPECT_EQ(SizeOf(digests), full);
  live = {4097, 4150};
  // A leftover of a process that died.
  folder.Write("box/1/digest.1.new", std::string(1'000'000, 'x'));
  ASSERT_TRUE(TidyRecords(kEnv, box, 1, live).ok());
  EXPECT_LT(SizeOf(digests), full / 10);
  EXPECT_EQ(SizeOf(digests + ".new"), 0u);
  // What is read is in no way different.
  RecordReader reader(kEnv, box, RecordKind::kDigest);
  EXPECT_EQ(Find(reader, 4097), records[1].digest);
  EXPECT_EQ(Find(reader, 4150), records[54].digest);
  EXPECT_EQ(Find(reader, 4151), "(missing)");
  Write(box, {4200});
  RecordReader later(kEnv, box, RecordKind::kDigest);
  EXPECT_EQ(Find(later, 4200), Records(4200).digest);
  EXPECT_EQ(Find(later, 4097), records[1].digest);
  // Nothing is left.
  ASSERT_TRUE(TidyRecords(kEnv, box, 1, {}).ok());
  EXPECT_EQ(SizeOf(digests), 0u);
  EXPECT_EQ(SizeOf(keys), 0u);
  EXPECT_TRUE(TidyRecords(kEnv, box, 1, {}).ok());
  EXPECT_TRUE(TidyRecords(kEnv, box, 1, live).ok());
  EXPECT_TRUE(TidyRecords(kEnv, box, 77, live).ok());
}

TEST(TidyRecordsTest, IsNotMisledByDamage) {
  const TestFolder folder;
  const std::string box = FolderOf(folder, "box");
  Write(box, {1, 2});
  const std::vector<uint32_t> live = {1, 2};
  // Waste behind the records; a slot that says what is not.
  const std::string whole = folder.Read("box/0/keys.1");
  std::string damaged = whole + std::string(100'000, 'x');
  damaged[32 + 8] = static_cast<char>(damaged[32 + 8] ^ 1);
  folder.Write("box/0/keys.1", damaged);
  ASSERT_TRUE(TidyRecords(kEnv, box, 0, live).ok());
  EXPECT_LT(SizeOf(JoinPath(box, "0/keys.1")), whole.size() + 1);
  RecordReader keys(kEnv, box, RecordKind::kKeys);
  EXPECT_EQ(Find(keys, 1), "(missing)");
  EXPECT_EQ(Find(keys, 2), Records(2).keys);
  folder.Write("box/0/keys.1", "garbage");
  ASSERT_TRUE(TidyRecords(kEnv, box, 0, live).ok());
}

}  // namespace
}  // namespace rmail::engine
