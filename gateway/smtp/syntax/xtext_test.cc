#include "gateway/smtp/syntax/xtext.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

TEST(Xtext, Decodes) {
  EXPECT_EQ(DecodeXtext("plain!~"), "plain!~");
  EXPECT_EQ(DecodeXtext("a+2Bb+3D+20c"), "a+b= c");
  EXPECT_EQ(DecodeXtext(""), "");
  EXPECT_EQ(DecodeXtext("+C3+BC", /*utf8=*/true), "\xc3\xbc");
}

TEST(Xtext, RefusesWhatIsNone) {
  for (const char* bad : {"+", "+2", "+2b", "+GG", "a=b", "a b", "\x7f", "\xc3\xbc", "+0D", "+0A",
                          "+00", "+7F", "+C3+BC"}) {
    EXPECT_FALSE(DecodeXtext(bad).has_value()) << bad;
  }
  for (const char* bad : {"+C3", "+BC+C3", "\xc3\xbc", "+0A"}) {
    EXPECT_FALSE(DecodeXtext(bad, /*utf8=*/true).has_value()) << bad;
  }
}

TEST(Xtext, Encodes) {
  EXPECT_EQ(EncodeXtext("a+b= c"), "a+2Bb+3D+20c");
  EXPECT_EQ(EncodeXtext("\r\n\xc3"), "+0D+0A+C3");
}

TEST(Utf8Address, Decodes) {
  EXPECT_EQ(DecodeUtf8Address("\\x{FC}ser@\\x{1F600}.example", false),
            "\xc3\xbcser@\xf0\x9f\x98\x80.example");
  EXPECT_EQ(DecodeUtf8Address("a\\x{2B}b@c", false), "a+b@c");
  EXPECT_EQ(DecodeUtf8Address("\xc3\xbc@b", true), "\xc3\xbc@b");
  EXPECT_FALSE(DecodeUtf8Address("\xc3\xbc@b", false).has_value());
}

TEST(Utf8Address, RefusesWhatIsNone) {
  for (const char* bad :
       {"", "\\", "\\x{}", "\\x{fc}", "\\x{FC", "\\xFC", "\\x{D800}", "\\x{110000}", "\\x{0}",
        "\\x{A}", "\\x{7F}", "\\x{85}", "\\x{0000041}", "a+b", "a=b", "a b", "\xff"}) {
    EXPECT_FALSE(DecodeUtf8Address(bad, true).has_value()) << bad;
  }
}

TEST(Utf8Address, Encodes) { EXPECT_EQ(EncodeUtf8Address("\xc3\xbc+1@b"), "\\x{FC}\\x{2B}1@b"); }

}  // namespace
}  // namespace rmail::gateway::smtp
