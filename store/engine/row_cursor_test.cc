#include "store/engine/row_cursor.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace rmail::engine {
namespace {

using Blocks = std::vector<std::shared_ptr<const ShardColumns>>;

// Three shards with gaps, modseqs 1 to 9.
Blocks RandomBlocks(std::mt19937& random) {
  Blocks blocks;
  for (uint32_t shard = 0; shard < 3; ++shard) {
    auto columns = std::make_shared<ShardColumns>();
    for (uint32_t i = 0; i < 20; ++i) {
      if (random() % 3 != 0) columns->Add({100 * shard + i + 1, i, i, i}, random() % 9 + 1);
    }
    if (columns->size() > 0) blocks.push_back(columns);
  }
  return blocks;
}

std::vector<UidSpan> RandomSpans(std::mt19937& random) {
  std::vector<UidSpan> spans;
  uint32_t next = 1;
  while (next < 230) {
    const uint32_t first = next + random() % 20;
    const uint32_t last = first + random() % 120;
    spans.push_back({first, last});
    next = last + 1;
  }
  if (random() % 2 == 0) spans.back().last = UINT32_MAX;
  return spans;
}

// One by one and in runs of any length, they are the messages that a look at each one finds.
TEST(RowCursorTest, RunsHaveTheSameMessages) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const Blocks blocks = RandomBlocks(random);
    const std::vector<UidSpan> spans = RandomSpans(random);
    const uint64_t since = round % 2 == 0 ? 0 : random() % 9;
    std::vector<uint32_t> wanted;
    for (const auto& block : blocks) {
      for (size_t i = 0; i < block->size(); ++i) {
        for (const UidSpan& span : spans) {
          const uint32_t uid = block->uids[i];
          if (uid >= span.first && uid <= span.last && block->modseqs[i] > since) {
            wanted.push_back(uid);
          }
        }
      }
    }
    std::vector<uint32_t> found;
    RowCursor one_by_one(blocks, spans, since);
    MessageRow row;
    while (one_by_one.Next(&row)) found.push_back(row.info.uid);
    EXPECT_EQ(found, wanted) << round;

    found.clear();
    RowCursor in_runs(blocks, spans, since);
    RowRun run;
    size_t max = random() % 30 + 1;
    while (in_runs.NextRun(max, &run)) {
      ASSERT_LT(run.begin, run.end) << round;
      ASSERT_LE(run.end - run.begin, max) << round;
      for (size_t i = run.begin; i < run.end; ++i) {
        found.push_back(run.columns->uids[i]);
        EXPECT_GT(run.columns->modseqs[i], since) << round;
      }
      max = random() % 30 + 1;
    }
    EXPECT_EQ(found, wanted) << round;
  }
}

TEST(RowCursorTest, ARunOfNoneIsNone) {
  std::mt19937 random(1);
  RowRun run;
  EXPECT_FALSE(RowCursor().NextRun(1, &run));
  RowCursor cursor(RandomBlocks(random), {{1, UINT32_MAX}}, 0);
  EXPECT_FALSE(cursor.NextRun(0, &run));
  EXPECT_TRUE(cursor.NextRun(1, &run));
}

}  // namespace
}  // namespace rmail::engine
