#include "gateway/imap/flag_column.h"

#include <gtest/gtest.h>

#include <vector>

namespace rmail::gateway::imap {
namespace {

void ExpectSame(const FlagColumn& column, const std::vector<uint64_t>& masks) {
  ASSERT_EQ(column.size(), masks.size());
  for (size_t i = 0; i < masks.size(); ++i) EXPECT_EQ(column[i], masks[i]) << i;
}

// What a vector of masks would do.
TEST(FlagColumnTest, HasWhatWasPutIn) {
  FlagColumn column;
  std::vector<uint64_t> masks;
  const auto add = [&](uint64_t mask) {
    column.Add(mask);
    masks.push_back(mask);
  };
  column.Reserve(10);
  for (const uint64_t mask : {0ull, 1ull, 31ull, 32ull, 0ull, 0xfffffffffull, 32ull}) add(mask);
  ExpectSame(column, masks);
  column.Set(0, 0x20);
  masks[0] = 0x20;
  column.Set(6, 0x800000000);
  masks[6] = 0x800000000;
  column.Copy(5, 1);
  masks[1] = masks[5];
  ExpectSame(column, masks);
  column.Truncate(2);
  masks.resize(2);
  add(7);
  ExpectSame(column, masks);
}

TEST(FlagColumnTest, TakesManyAtOnce) {
  FlagColumn column;
  column.Add(5);
  const std::vector<uint64_t> some{0x3, 0x23, 0x3, 0x1f, 0x8000000000};
  column.Append(some, 0x22);
  column.Append({}, 0x22);
  ExpectSame(column, {5, 0x2, 0x22, 0x2, 0x2, 0});
  // The masks become too many within one call, and were before the next.
  std::vector<uint64_t> many;
  for (uint64_t i = 0; i < 70'000; ++i) many.push_back(i);
  FlagColumn wide;
  wide.Add(70'000);
  wide.Append(many, ~uint64_t{0});
  many.insert(many.begin(), 70'000);
  ExpectSame(wide, many);
  wide.Append(some, 0x22);
  for (const uint64_t mask : some) many.push_back(mask & 0x22);
  ExpectSame(wide, many);
}

TEST(FlagColumnTest, GrowsWideWhenMasksAreMany) {
  for (const bool by_set : {false, true}) {
    FlagColumn column;
    std::vector<uint64_t> masks;
    // All but the last of those that two octets can name.
    for (uint64_t mask = 0; mask < 65'535; ++mask) {
      column.Add(mask << 10);
      masks.push_back(mask << 10);
    }
    ExpectSame(column, masks);
    const uint64_t more = uint64_t{1} << 35;
    if (by_set) {
      column.Set(7, more);
      masks[7] = more;
    } else {
      column.Add(more);
      masks.push_back(more);
    }
    ExpectSame(column, masks);
    column.Reserve(100'000);
    column.Set(0, 3);
    masks[0] = 3;
    column.Add(0);
    masks.push_back(0);
    column.Copy(0, 1);
    masks[1] = 3;
    column.Truncate(65'530);
    masks.resize(65'530);
    ExpectSame(column, masks);
  }
}

}  // namespace
}  // namespace rmail::gateway::imap
