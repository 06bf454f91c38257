#include "store/engine/file_name.h"

#include <gtest/gtest.h>

namespace rmail::engine {
namespace {

TEST(FileNameTest, SaysEverything) {
  const MessageInfo info{49153, kFlagged | kSeen, 1763971200000000, 3056};
  EXPECT_EQ(FileName(info), "49153.1763971200000000.3056.SF.eml");
  EXPECT_EQ(ShardPath(info), "12/49153.1763971200000000.3056.SF.eml");
  EXPECT_EQ(FileName({1, 0, 0, 0}), "1.0.0..eml");
}

TEST(FileNameTest, EveryFlagRoundTrips) {
  for (int bit = 0; bit < kFirstKeywordBit + kMaxKeywords; ++bit) {
    const MessageInfo info{7, uint64_t{1} << bit, 5, 9};
    EXPECT_EQ(ParseFileName(FileName(info)), info) << FileName(info);
  }
  const MessageInfo all{UINT32_MAX - 1, kAllFlags, INT64_MAX, UINT64_MAX};
  EXPECT_EQ(ParseFileName(FileName(all)), all) << FileName(all);
}

TEST(FileNameTest, RefusesWhatItWouldNotWrite) {
  for (const char* name :
       {"", ".", "1.2.3.eml", "1.2.3..em", "1.2.3.S.eml.tmp", "0.2.3..eml", "01.2.3..eml",
        "1.-2.3..eml", "1.2.-3..eml", "1.2.3.SS.eml", "1.2.3.FS.eml", "1.2.3.?.eml",
        "4294967296.2.3..eml", "1.9223372036854775808.3..eml", "1.2.18446744073709551616..eml",
        "x.2.3..eml", " 1.2.3..eml", "1.2.3.S.eml "}) {
    EXPECT_EQ(ParseFileName(name), std::nullopt) << name;
  }
}

TEST(FileNameTest, ShardNames) {
  EXPECT_EQ(ShardName(4095), "0");
  EXPECT_EQ(ShardName(4096), "1");
  EXPECT_EQ(ParseShardName("1048575"), 1048575u);
  for (const char* name : {"", "tmp", "01", "-1", "1048576", "1x", "log.1"}) {
    EXPECT_EQ(ParseShardName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace rmail::engine
