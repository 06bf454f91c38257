#include "gateway/imap/syntax/writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/imap/syntax/list_pattern.h"
#include "gateway/imap/syntax/mailbox_name.h"
#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {
namespace {

TEST(MailboxNameTest, ModifiedUtf7) {
  const struct {
    std::string utf8;
    std::string wire;
  } kNames[] = {
      {"INBOX", "INBOX"},
      {"", ""},
      {"R&D", "R&-D"},
      {"&&", "&-&-"},
      // RFC 3501, 5.1.3.
      {"~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
      {"Entw\u00fcrfe", "Entw&APw-rfe"},
      {"\u00e9\u00e9\u00e9", "&AOkA6QDp-"},
      {"\U0001f4e7 mail", "&2D3c5w- mail"},
      {"a\tb", "a&AAk-b"},
  };
  for (const auto& [utf8, wire] : kNames) {
    EXPECT_EQ(EncodeMailboxName(utf8), wire);
    EXPECT_EQ(DecodeMailboxName(wire), utf8) << wire;
  }
}

TEST(MailboxNameTest, RefusesMalformedNames) {
  // No end; not base64; printable ASCII; lone surrogates; bits left over; a whole octet left over;
  // not UTF-8.
  for (const std::string_view wire :
       {"&", "&AOk", "&A.k-", "&AGE-", "&2D0-", "&3Oc-", "&AOl-", "&AOkA-", "\xe9t\xe9", "&AAA-"}) {
    EXPECT_EQ(DecodeMailboxName(wire), std::nullopt) << wire;
  }
}

TEST(MailboxNameTest, TakesPlainUtf8) {
  EXPECT_EQ(DecodeMailboxName("Entw\u00fcrfe"), "Entw\u00fcrfe");
  EXPECT_EQ(EncodeMailboxName("a\xff"), "a&,,0-");
}

TEST(MailboxNameTest, Utf8IsChecked) {
  EXPECT_TRUE(IsUtf8("a\u00e4\u53f0\U0001f4e7"));
  for (const std::string_view text : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe5\x8f",
                                      "\x80", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
  EXPECT_FALSE(IsUtf8(std::string_view("\0", 1)));
}

std::string Written(void (*append)(std::string&, std::string_view), std::string_view text) {
  std::string out;
  append(out, text);
  return out;
}

TEST(WriterTest, Strings) {
  EXPECT_EQ(Written(AppendString, ""), "\"\"");
  EXPECT_EQ(Written(AppendString, "a b"), "\"a b\"");
  EXPECT_EQ(Written(AppendString, "a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(Written(AppendString, "a\r\nb"), "{4}\r\na\r\nb");
  EXPECT_EQ(Written(AppendString, "\xc3\xa4"), "{2}\r\n\xc3\xa4");
  EXPECT_EQ(Written(AppendString, std::string_view("\0", 1)), "{1}\r\n?");
  EXPECT_EQ(Written(AppendAString, "a/b"), "a/b");
  EXPECT_EQ(Written(AppendAString, "a b"), "\"a b\"");
  EXPECT_EQ(Written(AppendAString, ""), "\"\"");
  EXPECT_EQ(Written(AppendAString, "NIL"), "\"NIL\"");
  EXPECT_EQ(Written(AppendAString, "nIl"), "\"nIl\"");
  EXPECT_EQ(Written(AppendUtf8AString, "a\u00e4\""), "\"a\u00e4\\\"\"");
  EXPECT_EQ(Written(AppendUtf8AString, "a"), "a");
  EXPECT_EQ(Written(AppendUtf8AString, "\u00e4\n"), "{3}\r\n\u00e4\n");
}

TEST(WriterTest, MailboxNames) {
  const auto written = [](std::string_view name, bool utf8) {
    std::string out;
    AppendMailboxName(out, name, utf8);
    return out;
  };
  EXPECT_EQ(written("Entw\u00fcrfe/x y", false), "\"Entw&APw-rfe/x y\"");
  EXPECT_EQ(written("Entw\u00fcrfe/x y", true), "\"Entw\u00fcrfe/x y\"");
  EXPECT_EQ(written("R&D", false), "R&-D");
  EXPECT_EQ(written("R&D", true), "R&D");
  EXPECT_EQ(written("nil", true), "\"nil\"");
}

TEST(WriterTest, Flags) {
  const auto flags = [](uint64_t mask) {
    std::string out;
    AppendFlags(out, mask, {"$Forwarded", "", "bad name", "x"});
    return out;
  };
  EXPECT_EQ(flags(0), "()");
  EXPECT_EQ(flags(1), "(\\Seen)");
  EXPECT_EQ(flags(0x1f), "(\\Seen \\Answered \\Flagged \\Deleted \\Draft)");
  EXPECT_EQ(flags(1 | 1 << 5 | 1 << 8), "(\\Seen $Forwarded x)");
  EXPECT_EQ(flags(1 << 6 | 1 << 7 | 1 << 20), "()");
}

TEST(WriterTest, Dates) {
  const auto date = [](int64_t micros) {
    std::string out;
    AppendInternalDate(out, micros);
    return out;
  };
  EXPECT_EQ(date(0), "\" 1-Jan-1970 00:00:00 +0000\"");
  EXPECT_EQ(date(837596665'999999), "\"17-Jul-1996 09:44:25 +0000\"");
  EXPECT_EQ(date(-1), "\"31-Dec-1969 23:59:59 +0000\"");
  EXPECT_EQ(date(1709251199'000000), "\"29-Feb-2024 23:59:59 +0000\"");
}

TEST(ListPatternTest, Matches) {
  const struct {
    std::string_view reference;
    std::string_view pattern;
    std::string_view path;
    bool matches;
  } kCases[] = {
      {"", "*", "a/b", true},
      {"", "%", "a/b", false},
      {"", "%", "a", true},
      {"", "%/%", "a/b", true},
      {"", "%/%", "a/b/c", false},
      {"", "a*", "a", true},
      {"", "a*c", "a/b/c", true},
      {"", "a%c", "a/b/c", false},
      {"", "a%c", "abbc", true},
      {"", "*b%", "a/bc", true},
      {"", "*%", "a/b", true},
      {"", "**%%*", "a/b", true},
      {"", "%*", "a/b", true},
      {"", "a%*b", "a/x/b", true},
      {"", "%%", "a/b", false},
      {"a%", "%b", "axb", true},
      {"", "", "a", false},
      {"a/", "%", "a/b", true},
      {"a", "%", "ab", true},
      {"", "inbox", "INBOX", true},
      {"", "iNb%", "INBOX", true},
      {"", "inbox/x", "INBOX/x", true},
      {"", "inbox/X", "INBOX/x", false},
      {"", "inboxes", "INBOXES", false},
      {"", "drafts", "Drafts", false},
      {"", "%\u00e4", "\u00e4\u00e4", true},
  };
  for (const auto& [reference, pattern, path, matches] : kCases) {
    EXPECT_EQ(ListPattern(reference, pattern).Matches(path), matches)
        << reference << " + " << pattern << ": " << path;
  }
}

// By definition, with no regard to time.
bool MatchesSlowly(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return path.empty();
  const char p = pattern.front();
  if (p != '*' && p != '%') {
    return path.starts_with(p) && MatchesSlowly(pattern.substr(1), path.substr(1));
  }
  for (size_t taken = 0;; ++taken) {
    if (MatchesSlowly(pattern.substr(1), path.substr(taken))) return true;
    if (taken == path.size() || (p == '%' && path[taken] == '/')) return false;
  }
}

TEST(ListPatternTest, AgreesWithTheDefinition) {
  uint32_t seed = 1;
  const auto random = [&](std::string_view alphabet, size_t length) {
    std::string text;
    for (; text.size() < length; seed = seed * 1664525 + 1013904223) {
      text += alphabet[(seed >> 16) % alphabet.size()];
    }
    return text;
  };
  int matches = 0;
  for (int i = 0; i < 20'000; ++i) {
    // Some patterns cross a word's border.
    const std::string front = i % 2 == 0 ? "" : random("ab", 55 + i % 10);
    const std::string pattern = front + random("ab/*%", i % 9);
    const std::string path = front + random("ab/", i / 9 % 9);
    const bool expected = MatchesSlowly(pattern, path);
    matches += expected ? 1 : 0;
    ASSERT_EQ(ListPattern("", pattern).Matches(path), expected) << pattern << ": " << path;
  }
  EXPECT_GT(matches, 1000);
}

TEST(ListPatternTest, ManyWildcardsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a";
  EXPECT_FALSE(ListPattern("", pattern).Matches(std::string(499, 'a') + "b"));
}

TEST(WriterTest, SetsAsLines) {
  std::string out;
  SetLines lines(out, "* X ");
  lines.End();
  EXPECT_EQ(out, "");
  lines.Add(3, 3);
  lines.Add(4, 5);
  lines.Add(9, 9);
  lines.End();
  EXPECT_EQ(out, "* X 3:5,9\r\n");
  lines.Add(4294967295, 4294967295);
  lines.End();
  EXPECT_EQ(out, "* X 3:5,9\r\n* X 4294967295\r\n");
}

TEST(WriterTest, IntersectsRanges) {
  using Ranges = std::vector<SequenceRange>;
  EXPECT_EQ(Intersect({}, {{1, 9}}), Ranges());
  EXPECT_EQ(Intersect({{1, 9}}, {{2, 3}, {5, 20}}), (Ranges{{2, 3}, {5, 9}}));
  EXPECT_EQ(Intersect({{1, 4}, {6, 4294967295}}, {{4, 6}, {4294967295, 4294967295}}),
            (Ranges{{4, 4}, {6, 6}, {4294967295, 4294967295}}));
}

}  // namespace
}  // namespace rmail::gateway::imap
