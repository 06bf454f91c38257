#include "store/engine/slot_file.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "store/base/env.h"
#include "store/engine/failing_env.h"
#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

using Record = SlotFile::Record;
using Mode = SlotFile::Mode;

constexpr uint32_t kKind = 7;
// Where records start.
constexpr size_t kRecords = 32 + 8 * 4096;

class SlotFileTest : public testing::Test {
 protected:
  std::unique_ptr<SlotFile> Open(Mode mode, uint32_t kind = kKind) {
    auto file = SlotFile::Open(&env_, path_, kind, mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return *std::move(file);
  }
  void Put(uint32_t uid, std::string_view payload) {
    EXPECT_TRUE(Open(Mode::kWrite)->Put(uid, payload).ok());
  }
  // What a reader finds one by one, which is what it finds in an image.
  std::string Get(uint32_t uid, uint32_t kind = kKind) {
    const std::unique_ptr<SlotFile> file = Open(Mode::kRead, kind);
    const auto record = file->Get(uid);
    EXPECT_TRUE(record.ok());
    SlotImage image;
    EXPECT_TRUE(file->Load(&image).ok());
    const auto found = image.Find(uid);
    EXPECT_EQ(record->has_value(), found.has_value());
    if (found) EXPECT_EQ(**record, *found);
    return record->value_or("(missing)");
  }
  std::string Content() const { return folder_.Read("slots"); }
  // In place.
  void Overwrite(std::string_view content) {
    const auto file = env_.Open(path_, Env::OpenMode::kCreate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Truncate(0).ok());
    ASSERT_TRUE((*file)->WriteAt(0, content).ok());
  }

  FailingEnv env_;
  TestFolder folder_;
  const std::string path_ = folder_.Path("slots");
};

TEST_F(SlotFileTest, KeepsRecords) {
  EXPECT_TRUE(absl::IsNotFound(SlotFile::Open(&env_, path_, kKind, Mode::kRead).status()));
  Put(1, "one");
  Put(4095, std::string(100'000, 'x'));
  Put(2, "");
  EXPECT_EQ(Get(1), "one");
  EXPECT_EQ(Get(4095), std::string(100'000, 'x'));
  EXPECT_EQ(Get(2), "");
  EXPECT_EQ(Get(3), "(missing)");
  // The same slot in another shard.
  EXPECT_EQ(Get(4097), "(missing)");
  Put(1, "another");
  EXPECT_EQ(Get(1), "another");
}

TEST_F(SlotFileTest, KeepsManyAtOnce) {
  std::vector<std::string> payloads;
  std::vector<Record> records;
  for (uint32_t uid = 0; uid < 4096; ++uid) payloads.push_back(std::string(uid % 1000, 'a'));
  for (uint32_t uid = 0; uid < 4096; uid += uid % 7 == 0 ? 3 : 1) {
    records.push_back({uid, payloads[uid]});
  }
  ASSERT_TRUE(Open(Mode::kWrite)->PutMany(records).ok());
  const auto file = Open(Mode::kRead);
  SlotImage image;
  ASSERT_TRUE(file->Load(&image).ok());
  size_t next = 0;
  for (uint32_t uid = 0; uid < 4096; ++uid) {
    const bool there = next < records.size() && records[next].uid == uid;
    next += there;
    EXPECT_EQ(image.Find(uid),
              there ? std::optional<std::string_view>(payloads[uid]) : std::nullopt);
  }
  EXPECT_TRUE(Open(Mode::kWrite)->PutMany({}).ok());
}

TEST_F(SlotFileTest, TakesFewBlocksForFewMessages) {
  Put(1, "one");
  const auto info = env_.Stat(path_);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size, kRecords + 16 + 3);
}

TEST_F(SlotFileTest, PassesOverWhatIsTooLong) {
  Put(1, std::string(SlotFile::kMaxRecord, 'x'));
  Put(2, std::string(SlotFile::kMaxRecord + 1, 'x'));
  EXPECT_EQ(Get(1).size(), SlotFile::kMaxRecord);
  EXPECT_EQ(Get(2), "(missing)");
}

TEST_F(SlotFileTest, ReadsFilesThatAreTooLargeForAnImage) {
  for (uint32_t uid = 1; uid <= 3; ++uid) {
    Put(uid, std::string(SlotFile::kMaxRecord, static_cast<char>('a' + uid)));
  }
  EXPECT_EQ(Get(1), std::string(SlotFile::kMaxRecord, 'b'));
  EXPECT_EQ(Get(3), std::string(SlotFile::kMaxRecord, 'd'));
  EXPECT_EQ(Get(4), "(missing)");
}

TEST_F(SlotFileTest, AnotherKindIsEmptyAndIsReplaced) {
  Put(1, "one");
  EXPECT_EQ(Get(1, kKind + 1), "(missing)");
  ASSERT_TRUE(Open(Mode::kWrite, kKind + 1)->Put(2, "two").ok());
  EXPECT_EQ(Get(1), "(missing)");
  EXPECT_EQ(Get(2, kKind + 1), "two");
}

TEST_F(SlotFileTest, IsCutAnywhere) {
  Put(1, "first");
  Put(2, "second");
  const std::string whole = Content();
  std::vector<size_t> sizes = {0, 1, 8, 31, 32, 33, 40, 47, 48, 49, 56, 100, kRecords - 1};
  for (size_t size = kRecords; size < whole.size(); ++size) sizes.push_back(size);
  for (const size_t size : sizes) {
    Overwrite(whole.substr(0, size));
    EXPECT_EQ(Get(1), size >= kRecords + 16 + 5 ? "first" : "(missing)") << size;
    EXPECT_EQ(Get(2), "(missing)") << size;
    Put(2, "again");
    EXPECT_EQ(Get(2), "again") << size;
  }
}

TEST_F(SlotFileTest, EachDamagedOctetIsNoticed) {
  Put(1, "first");
  Put(2, "second");
  const std::string whole = Content();
  std::vector<size_t> places;
  for (size_t i = 0; i < 64; ++i) places.push_back(i);
  for (size_t i = kRecords; i < whole.size(); ++i) places.push_back(i);
  for (const size_t place : places) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[place] = static_cast<char>(damaged[place] ^ change);
      Overwrite(damaged);
      const std::string one = Get(1);
      const std::string two = Get(2);
      EXPECT_TRUE(one == "first" || one == "(missing)") << place;
      EXPECT_TRUE(two == "second" || two == "(missing)") << place;
      EXPECT_EQ(Get(0), "(missing)");
      Put(1, "mended");
      Put(2, "too");
      EXPECT_EQ(Get(1), "mended") << place;
      EXPECT_EQ(Get(2), "too") << place;
    }
  }
}

TEST_F(SlotFileTest, AnyOctetsAreSafe) {
  Put(1, "x");
  const std::string header = Content().substr(0, 32);
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    std::string content = header;
    const size_t size = random() % 60'000;
    while (content.size() < size) {
      // Offsets and lengths that are near what may be true.
      const uint64_t slot = round % 2 == 0 ? static_cast<uint64_t>(random()) << 32 | random()
                                           : (kRecords + random() % 2000) << 24 | random() % 3000;
      content.append(reinterpret_cast<const char*>(&slot), 8);
    }
    Overwrite(content);
    const auto file = Open(Mode::kRead);
    SlotImage image;
    ASSERT_TRUE(file->Load(&image).ok());
    for (uint32_t uid = 0; uid < 4096; ++uid) {
      EXPECT_EQ(image.Find(uid), std::nullopt);
      const auto record = file->Get(uid);
      ASSERT_TRUE(record.ok());
      EXPECT_EQ(*record, std::nullopt);
    }
  }
}

TEST_F(SlotFileTest, AWriterFollowsAReplacedFile) {
  const auto writer = Open(Mode::kWrite);
  ASSERT_TRUE(writer->Put(1, "one").ok());
  Overwrite("garbage");
  // Replaces the file.
  Put(2, "two");
  ASSERT_TRUE(writer->Put(3, "three").ok());
  EXPECT_EQ(Get(1), "(missing)");
  EXPECT_EQ(Get(2), "two");
  EXPECT_EQ(Get(3), "three");
  // Removed while it is open.
  ASSERT_TRUE(env_.Remove(path_).ok());
  ASSERT_TRUE(writer->Put(4, "four").ok());
  EXPECT_EQ(Get(4), "four");
}

TEST_F(SlotFileTest, AFailedWriteIsAnErrorAndHarmsNothing) {
  Put(1, "one");
  const auto writer = Open(Mode::kWrite);
  env_.FailNext(FailingEnv::kWriteAt);
  EXPECT_FALSE(writer->Put(2, "two").ok());
  EXPECT_EQ(Get(1), "one");
  EXPECT_EQ(Get(2), "(missing)");
  EXPECT_TRUE(writer->Put(2, "two").ok());
  EXPECT_EQ(Get(2), "two");
  const auto reader = Open(Mode::kRead);
  env_.FailNext(FailingEnv::kReadAt);
  EXPECT_FALSE(reader->Get(1).ok());
}

// As a machine that went down would leave it: the slot is on disk, the record is not.
TEST_F(SlotFileTest, ASlotWhoseRecordWasLostIsWrittenOver) {
  Put(1, "one");
  Put(2, "lost");
  Overwrite(Content().substr(0, kRecords + 16 + 3));
  EXPECT_EQ(Get(2), "(missing)");
  // Stands where the lost one stood, and has its length.
  Put(3, "lost");
  EXPECT_EQ(Get(2), "(missing)");
  EXPECT_EQ(Get(3), "lost");
}

}  // namespace
}  // namespace rmail::engine
