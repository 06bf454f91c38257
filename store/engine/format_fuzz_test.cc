// Runs the fuzzer over samples of each format and what mutations make of them.
#include "store/engine/format_fuzz.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/testing/memory_env.h"
#include "store/engine/index.h"
#include "store/engine/little_endian.h"
#include "store/engine/log_file.h"
#include "store/engine/slot_file.h"

namespace rmail::engine {
namespace {

constexpr int kMutations = 4000;

void FuzzOne(uint8_t reader, std::string_view octets) {
  std::string input(1, static_cast<char>(reader));
  input.append(octets);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string ReadAll(Env& env, const std::string& path) { return env.ReadFile(path).value(); }

// The records of a log with every kind of change; `payloads`: each after its length, unframed.
std::string SampleLog(bool payloads) {
  std::string unframed;
  MemoryEnv env;
  EXPECT_TRUE(env.CreateDirectories("/a").ok());
  EXPECT_TRUE(LogFile::Create(&env, "/a/log", {1, 0}, "").ok());
  const auto log = LogFile::Open(&env, "/a/log").value();
  const uint64_t start = log->end();
  uint64_t modseq = 1;
  const auto append = [&](LogRecord record) {
    record.set_modseq(++modseq);
    EXPECT_TRUE(log->Append(record).ok());
    const std::string payload = record.SerializeAsString();
    PutFixed<uint16_t>(static_cast<uint16_t>(payload.size()), &unframed);
    unframed += payload;
  };
  LogRecord record;
  for (const uint32_t uid : {1u, 2u, 4095u, 4096u, 9000u}) {
    record.mutable_appended()->add_uids(uid);
    record.mutable_appended()->add_internal_dates(1'700'000'000'000'000);
    record.mutable_appended()->add_sizes(uid * 10);
    record.mutable_appended()->add_flags(uid % 32);
  }
  append(record);
  record.Clear();
  record.mutable_flags_changed()->add_uids(2);
  record.mutable_flags_changed()->add_flags(9);
  append(record);
  record.Clear();
  record.mutable_moving()->add_uids(4095);
  append(record);
  record.Clear();
  record.mutable_expunged()->add_uids(4095);
  record.mutable_expunged()->add_uids(9000);
  append(record);
  record.Clear();
  record.set_uid_floor(10'000);
  append(record);
  record.Clear();
  record.mutable_superseded();
  append(record);
  return payloads ? unframed : log->BytesFrom(start).value();
}

std::string SampleSnapshot() {
  MemoryEnv env;
  EXPECT_TRUE(env.CreateDirectories("/a").ok());
  Index index;
  LogRecord record;
  record.set_modseq(2);
  for (uint32_t uid = 4000; uid < 4200; ++uid) {
    record.mutable_appended()->add_uids(uid);
    record.mutable_appended()->add_internal_dates(uid);
    record.mutable_appended()->add_sizes(uid);
    record.mutable_appended()->add_flags(uid % 32);
  }
  EXPECT_TRUE(index.Apply(record).ok());
  record.Clear();
  record.set_modseq(3);
  record.mutable_expunged()->add_uids(4100);
  EXPECT_TRUE(index.Apply(record).ok());
  EXPECT_TRUE(WriteSnapshot(&env, "/a/snapshot", index.Image()).ok());
  return ReadAll(env, "/a/snapshot");
}

std::string SampleRecords() {
  MemoryEnv env;
  EXPECT_TRUE(env.CreateDirectories("/a").ok());
  const auto file = SlotFile::Open(&env, "/a/records", 1, SlotFile::Mode::kWrite).value();
  EXPECT_TRUE(file->Put(2, "two").ok());
  EXPECT_TRUE(file->Put(4095, std::string(300, 'x')).ok());
  return ReadAll(env, "/a/records");
}

std::vector<std::string> Samples(uint8_t reader) {
  switch (reader) {
    case 0:
      return {SampleLog(/*payloads=*/false)};
    case 1:
      return {SampleSnapshot()};
    case 2:
      return {"49153.1763971200000000.3056.FS.eml", "1.0.0..eml", "12"};
    case 3:
      return {
          R"({"hash": "pbkdf2-sha256$1$00$00", "quota_mb": 12, "admin": true, "disabled": false})"};
    case 4:
      return {R"({"version": 1, "last_uid_validity": 7, "mailboxes": {"0123456789abcdef":
              {"path": "INBOX", "uid_validity": 7, "special_use": "sent", "subscribed": true,
               "keywords": ["a", "b"]}}})"};
    case 5:
      return {R"json({"version": 1, "aliases": [{"pattern": "sales", "targets": ["a@b.test"]},
              {"regex": "x-(.*)", "targets": ["\\1@b.test"]},
              {"catch_all": true, "targets": ["c@b.test"]}]})json"};
    case 6:
      return {SampleRecords()};
    default:
      return {SampleLog(/*payloads=*/true)};
  }
}

TEST(FormatFuzzTest, Samples) {
  for (uint8_t reader = 0; reader < kFuzzReaders; ++reader) {
    for (const std::string& sample : Samples(reader)) {
      FuzzOne(reader, sample);
      for (size_t size = 0; size < std::min<size_t>(sample.size(), 600); ++size) {
        FuzzOne(reader, std::string_view(sample).substr(0, size));
      }
    }
  }
}

TEST(FormatFuzzTest, MutatedSamples) {
  const char* const given = std::getenv("RMAIL_TEST_SEED");
  const auto seed = static_cast<unsigned>(given != nullptr ? std::atol(given) : 20261125);
  SCOPED_TRACE("RMAIL_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&random](size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (uint8_t reader = 0; reader < kFuzzReaders; ++reader) {
    const std::vector<std::string> samples = Samples(reader);
    for (int i = 0; i < kMutations; ++i) {
      std::string text = samples[below(samples.size())];
      for (size_t change = 0; change <= below(4); ++change) {
        const size_t at = below(text.size() + 1);
        switch (below(5)) {
          case 0:
            text.erase(at, below(20));
            break;
          case 1:
            text.insert(at, std::string(1 + below(8), static_cast<char>(below(256))));
            break;
          case 2:
            text.insert(at, text.substr(below(text.size() + 1), below(60)));
            break;
          case 3:
            text.resize(at);
            break;
          default:
            if (at < text.size()) text[at] = static_cast<char>(below(256));
        }
      }
      FuzzOne(reader, text);
    }
  }
}

}  // namespace
}  // namespace rmail::engine
