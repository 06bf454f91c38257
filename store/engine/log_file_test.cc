#include "store/engine/log_file.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/engine/test_folder.h"

namespace rmail::engine {
namespace {

constexpr size_t kHeader = 32;

LogRecord Record(uint64_t modseq) {
  LogRecord record;
  record.set_modseq(modseq);
  record.mutable_expunged()->add_uids(static_cast<uint32_t>(modseq * 1000));
  return record;
}

class LogFileTest : public ::testing::Test {
 protected:
  // Reads a log to its end; the modseqs it has.
  std::vector<uint64_t> ReadAll(LogFile& log, LogFile::Tail* tail) {
    std::vector<uint64_t> modseqs;
    const auto read = log.Read([&](const LogRecord& r) { modseqs.push_back(r.modseq()); });
    EXPECT_TRUE(read.ok()) << read.status();
    *tail = read.value_or(LogFile::Tail::kDamaged);
    return modseqs;
  }

  std::unique_ptr<LogFile> Open() {
    auto log = LogFile::Open(Env::Posix(), folder_.Path("log"));
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  void Create(const std::vector<LogRecord>& records) {
    ASSERT_TRUE(LogFile::Create(Env::Posix(), folder_.Path("log"), {7, 5}, "").ok());
    const auto log = Open();
    for (const LogRecord& record : records) ASSERT_TRUE(log->Append(record).ok());
  }
  void Create(int records) {
    std::vector<LogRecord> all;
    for (int i = 1; i <= records; ++i) all.push_back(Record(static_cast<uint64_t>(i)));
    Create(all);
  }

  TestFolder folder_;
};

TEST_F(LogFileTest, ReadsWhatWasWrittenAndWhatComesLater) {
  Create(2);
  const auto writer = Open();
  const auto reader = Open();
  LogFile::Tail tail;
  EXPECT_EQ(ReadAll(*writer, &tail), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(tail, LogFile::Tail::kClean);
  EXPECT_EQ(ReadAll(*reader, &tail), (std::vector<uint64_t>{1, 2}));
  bool replaced;
  EXPECT_FALSE(*reader->HasNews(&replaced));
  ASSERT_TRUE(writer->Append(Record(3)).ok());
  EXPECT_TRUE(*reader->HasNews(&replaced));
  EXPECT_FALSE(replaced);
  EXPECT_EQ(ReadAll(*reader, &tail), (std::vector<uint64_t>{3}));
  Create(1);
  ASSERT_TRUE(reader->HasNews(&replaced).ok());
  EXPECT_TRUE(replaced);
}

TEST_F(LogFileTest, CutAnywhereItKeepsTheWholeRecords) {
  Create(3);
  const std::string whole = folder_.Read("log");
  const size_t record = (whole.size() - kHeader) / 3;
  for (size_t size = kHeader; size <= whole.size(); ++size) {
    folder_.Write("log", whole.substr(0, size));
    const auto log = Open();
    LogFile::Tail tail;
    const std::vector<uint64_t> modseqs = ReadAll(*log, &tail);
    EXPECT_EQ(modseqs.size(), (size - kHeader) / record) << size;
    EXPECT_EQ(tail, (size - kHeader) % record == 0 ? LogFile::Tail::kClean : LogFile::Tail::kTorn)
        << size;
    ASSERT_TRUE(log->CutTail().ok());
    ASSERT_TRUE(log->Append(Record(9)).ok());
    EXPECT_EQ(ReadAll(*Open(), &tail).back(), 9u);
    EXPECT_EQ(tail, LogFile::Tail::kClean);
  }
}

TEST_F(LogFileTest, DamageNeverGoesUnnoticed) {
  Create(3);
  const std::string whole = folder_.Read("log");
  const size_t record = (whole.size() - kHeader) / 3;
  for (size_t at = kHeader; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    folder_.Write("log", damaged);
    LogFile::Tail tail;
    const std::vector<uint64_t> modseqs = ReadAll(*Open(), &tail);
    EXPECT_EQ(modseqs.size(), (at - kHeader) / record) << at;
    EXPECT_NE(tail, LogFile::Tail::kClean) << at;
  }
}

TEST_F(LogFileTest, RecordsLargerThanAReadAreWhole) {
  LogRecord large;
  large.set_modseq(1);
  for (uint32_t uid = 1; uid <= 600'000; ++uid) large.mutable_expunged()->add_uids(uid);
  ASSERT_GT(large.ByteSizeLong(), 1u << 20);
  Create({large, Record(2)});
  LogFile::Tail tail;
  EXPECT_EQ(ReadAll(*Open(), &tail), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(tail, LogFile::Tail::kClean);
}

TEST_F(LogFileTest, GoesOnFromTheRecordsOfAnother) {
  Create(3);
  const auto log = Open();
  EXPECT_EQ(log->header().epoch, 7u);
  EXPECT_EQ(log->header().base_modseq, 5u);
  LogFile::Tail tail;
  ReadAll(*log, &tail);
  const uint64_t middle = log->end();
  ASSERT_TRUE(log->Append(Record(4)).ok());
  ASSERT_TRUE(log->Append(Record(5)).ok());
  const auto bytes = log->BytesFrom(middle);
  ASSERT_TRUE(bytes.ok());
  ASSERT_TRUE(LogFile::Create(Env::Posix(), folder_.Path("log"), {7, 9}, *bytes).ok());
  const auto next = Open();
  EXPECT_EQ(next->header().base_modseq, 9u);
  EXPECT_EQ(next->record_bytes(), 0u);
  EXPECT_EQ(ReadAll(*next, &tail), (std::vector<uint64_t>{4, 5}));
  EXPECT_EQ(next->record_bytes(), bytes->size());
}

TEST_F(LogFileTest, HeaderThatIsDamagedAnywhereIsNoLog) {
  Create(1);
  const std::string whole = folder_.Read("log");
  for (size_t at = 0; at < kHeader; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    folder_.Write("log", damaged);
    EXPECT_TRUE(absl::IsDataLoss(LogFile::Open(Env::Posix(), folder_.Path("log")).status())) << at;
  }
}

TEST_F(LogFileTest, AnotherFileIsNoLog) {
  for (const char* content : {"", "rmlog", "something else entirely"}) {
    folder_.Write("log", content);
    EXPECT_TRUE(absl::IsDataLoss(LogFile::Open(Env::Posix(), folder_.Path("log")).status()));
  }
}

}  // namespace
}  // namespace rmail::engine
