#include "store/mime/charset.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rmail::mime {
namespace {

TEST(CharsetTest, Converts) {
  const struct {
    std::string_view charset, bytes, text;
  } kCases[] = {
      {"utf-8", "\xC3\xA9", "é"},
      {" UTF8 ", "\xC3\xA9\xFF", "é\uFFFD"},
      {"ISO-8859-1", "\xE9\x80", "é€"},
      {"windows-1252", "\x93", "“"},
      {"us-ascii", "a\xE9", "aé"},
      {"us-ascii", "\xC3\xA9", "é"},
      {"ISO-8859-15", "\xA4", "€"},
      {"iso-8859-2", "\xB1", "ą"},
      {"koi8-r", "\xF0\xD2\xC9", "При"},
      {"windows-1251", "\xCF\xF0", "Пр"},
      {"Shift_JIS", "\x83\x65\x83\x58\x83\x67", "テスト"},
      {"iso-2022-jp", "\x1B$B%F%9%H\x1B(B", "テスト"},
      {"euc-jp", "\xA5\xC6\xA5\xB9\xA5\xC8", "テスト"},
      {"gb2312", "\xC4\xE3\xBA\xC3", "你好"},
      {"gbk", "\xC4\xE3", "你"},
      {"gb18030", "\xC4\xE3", "你"},
      {"big5", "\xA7\x41\xA6\x6E", "你好"},
      {"ks_c_5601-1987", "\xC7\xD1", "한"},
      {"euc-kr", "\xC7\xD1", "한"},
      {"utf-16be", std::string_view("\x00\x41\xD8\x3D\xDE\x00", 6), "A😀"},
      {"utf-7", "+AOk-", "é"},
  };
  for (const auto& c : kCases) EXPECT_EQ(ToUtf8(c.bytes, c.charset), c.text) << c.charset;
}

TEST(CharsetTest, GuessesWhatItDoesNotKnow) {
  for (const std::string_view charset :
       {"", "x-unknown", "unknown-8bit", "utf-8,version=1", "../../etc/passwd",
        "a-label-that-is-so-long-that-it-can-not-be-the-name-of-any-charset-at-all"}) {
    EXPECT_EQ(ToUtf8("\xC3\xA9", charset), "é") << charset;
    EXPECT_EQ(ToUtf8("\xE9", charset), "é") << charset;
  }
}

TEST(CharsetTest, ConvertsMoreThanOneBuffer) {
  std::string bytes;
  std::string text;
  bytes.append("\x00\x41", 2);
  text += "A";
  for (int i = 0; i < 3000; ++i) {
    bytes.append("\xD8\x3D\xDE\x00", 4);
    text += "😀";
  }
  EXPECT_EQ(ToUtf8(bytes, "utf-16be"), text);
}

TEST(CharsetTest, ReplacesWhatCannotBeRead) {
  EXPECT_EQ(ToUtf8(std::string_view("\xD8\x3D", 2), "utf-16be"), "\uFFFD");
  EXPECT_EQ(ToUtf8("\x83", "shift_jis"), "\uFFFD");
}

}  // namespace
}  // namespace rmail::mime
