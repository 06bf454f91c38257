#include "store/mime/casemap.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <map>
#include <string>

namespace rmail::mime {
namespace {

TEST(FoldCaseTest, FoldsFully) {
  EXPECT_EQ(FoldCase(""), "");
  EXPECT_EQ(FoldCase("Hello, WORLD [@`{]"), "hello, world [@`{]");
  EXPECT_EQ(FoldCase("Gr\u00FC\u00DFe AUS K\u00D6LN"), "gru\u0308sse aus ko\u0308ln");
  EXPECT_EQ(FoldCase("\u03A3\u03C3\u03C2"), "\u03C3\u03C3\u03C3");
  EXPECT_EQ(FoldCase("\uFB01\u212A\u017F"), "fiks");
  EXPECT_EQ(FoldCase("\U00010400x"), "\U00010428x");
}

TEST(FoldCaseTest, TakesComposedAndDecomposedForAlike) {
  EXPECT_EQ(FoldCase("caf\u00C9"), FoldCase("cafe\u0301"));
  EXPECT_EQ(FoldCase("\u2121"), "tel");
  EXPECT_EQ(FoldCase("\u0131"), "i");
  // Marks in another order.
  EXPECT_EQ(FoldCase("a\u0323\u0307"), FoldCase("\u0227\u0323"));
  EXPECT_EQ(FoldCase("x\uAC01\u00E9\uAC00"), "x\uAC01e\u0301\uAC00");
}

// Whatever RFC 5051 takes for alike.
TEST(FoldCaseTest, IsNoFinerThanCasemap) {
  std::map<std::string, std::string> folded;
  for (UChar32 c = 1; c <= 0x1FFFF; ++c) {
    if (U_IS_SURROGATE(c)) continue;
    std::string text;
    icu::UnicodeString(c).toUTF8String(text);
    const auto [same, is_new] = folded.emplace(CasemapKey(text), FoldCase(text));
    if (!is_new) ASSERT_EQ(same->second, FoldCase(text)) << c;
  }
}

TEST(FoldCaseTest, LeavesWhatIsNoUtf8) {
  EXPECT_EQ(FoldCase("A\xFF!B"), "a\xFF!b");
  EXPECT_EQ(FoldCase("A\xC3"), "a\xC3");
}

TEST(CasemapKeyTest, FollowsRfc5051) {
  EXPECT_EQ(CasemapKey(""), "");
  EXPECT_EQ(CasemapKey("Hello"), "HELLO");
  EXPECT_EQ(CasemapKey("hELLO"), CasemapKey("HeLLo"));
  // Decomposed: composed and decomposed forms are the same.
  EXPECT_EQ(CasemapKey("\u00E9"), "E\u0301");
  EXPECT_EQ(CasemapKey("\u00E9"), CasemapKey("e\u0301"));
  // RFC 5051's own example: a digraph in its title case, then decomposed for compatibility.
  EXPECT_EQ(CasemapKey("\u01C4"), "Dz\u030C");
  EXPECT_EQ(CasemapKey("\u01C6"), "Dz\u030C");
  // Hangul has no decomposition in UnicodeData.txt.
  EXPECT_EQ(CasemapKey("\uAC00"), "\uAC00");
  EXPECT_EQ(CasemapKey("a\xFF"), "A\uFFFD");
}

}  // namespace
}  // namespace rmail::mime
