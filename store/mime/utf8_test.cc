#include "store/mime/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rmail::mime {
namespace {

TEST(Utf8Test, KnowsWhatIsWellFormed) {
  for (const std::string_view good :
       {"", "plain ascii that is longer than eight", "\xC3\xA9", "\xE2\x82\xAC", "\xED\x9F\xBF",
        "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "12345678\xC3"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << bad;
  }
}

TEST(Utf8Test, ReadsAndWritesCodePoints) {
  for (const uint32_t code_point : {0x24u, 0xE9u, 0x7FFu, 0x800u, 0x20ACu, 0x1F600u, 0x10FFFFu}) {
    std::string text;
    AppendUtf8(code_point, &text);
    size_t pos = 0;
    EXPECT_EQ(NextCodePoint(text, &pos), code_point);
    EXPECT_EQ(pos, text.size());
  }
  std::string text;
  AppendUtf8(0xD800, &text);
  AppendUtf8(0x110000, &text);
  EXPECT_EQ(text, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf8Test, RepairsStrayOctets) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\x80"
                               "b\xC3\xA9\xC3"),
            "a\xEF\xBF\xBD"
            "b\xC3\xA9\xEF\xBF\xBD");
}

TEST(Utf8Test, ReadsOtherBytesAsWindows1252) {
  EXPECT_EQ(ToValidUtf8("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(ToValidUtf8("caf\xE9"), "caf\xC3\xA9");
  EXPECT_EQ(ToValidUtf8("\x80\x93"), "\xE2\x82\xAC\xE2\x80\x9C");
}

TEST(Utf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(TruncateUtf8("a\xC3\xA9z", 4), "a\xC3\xA9z");
  EXPECT_EQ(TruncateUtf8("a\xC3\xA9z", 3), "a\xC3\xA9");
  EXPECT_EQ(TruncateUtf8("a\xC3\xA9z", 2), "a");
  EXPECT_EQ(TruncateUtf8("\xF0\x9F\x98\x80", 3), "");
}

}  // namespace
}  // namespace rmail::mime
