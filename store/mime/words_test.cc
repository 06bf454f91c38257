#include "store/mime/words.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rmail::mime {
namespace {

TEST(WordsTest, Decodes) {
  const struct {
    std::string_view raw, text;
  } kCases[] = {
      {"plain", "plain"},
      // RFC 2047, 8.
      {"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"},
      {"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"},
      {"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n"
       " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
       "If you can read this you understand the example."},
      {"(=?ISO-8859-1?Q?a?=)", "(a)"},
      {"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
      {"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a?=  \r\n  =?ISO-8859-1?Q?b?=)", "(ab)"},
      {"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
      // RFC 2231, 5: a language.
      {"=?us-ascii*en?q?hi?=", "hi"},
      // Characters split between words.
      {"=?utf-8?b?w6k=?= =?utf-8?q?=C3?= =?UTF-8?q?=A9?=", "éé"},
      // Without white space, in quotes, with spaces inside.
      {"\"=?utf-8?q?=C3=A9?=\"x", "\"é\"x"},
      {"=?utf-8?q?a b?=", "a b"},
      // Not encoded words.
      {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
      {"=?utf-8?q?a", "=?utf-8?q?a"},
      {"=??q?a?=", "=??q?a?="},
      {"=?=?utf-8?q?a?=", "=?a"},
      {"a =?", "a =?"},
      // Raw bytes.
      {"Gr\xC3\xBC\xC3\x9F"
       "e",
       "Grüße"},
      {"Gr\xFC\xDF"
       "e",
       "Grüße"},
      {"folded\r\n\tline", "folded\tline"},
      // An unknown charset.
      {"=?x-none?q?=E9?=", "é"},
      // No line ends come out of a word.
      {"=?utf-8?q?a=0D=0AEvil:=00b?=", "a  Evil: b"},
  };
  for (const auto& c : kCases) EXPECT_EQ(DecodeWords(c.raw), c.text) << c.raw;
}

TEST(WordsTest, IsLinear) {
  std::string raw;
  for (int i = 0; i < 500000; ++i) raw += "=?";
  EXPECT_EQ(DecodeWords(raw), raw);
}

}  // namespace
}  // namespace rmail::mime
