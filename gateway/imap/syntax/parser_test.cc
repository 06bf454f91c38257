#include "gateway/imap/syntax/parser.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "gateway/imap/syntax/command_writer.h"

namespace rmail::gateway::imap {
namespace {

// A command and how WriteCommand spells it.
struct Example {
  std::string input;
  std::string written;
};

std::string Same() { return ""; }

const Example kExamples[] = {
    {"a CAPABILITY", Same()},
    {"a001 noop", "a001 NOOP"},
    {"abc LOGIN mrc secret", Same()},
    {"a LOGIN \"a b\" \"q\\\"\\\\\"", Same()},
    {"a LOGIN {3}\r\nmrc {6+}\r\nsecret", "a LOGIN mrc secret"},
    {"a LOGIN {4}\r\na\r\nb {0}\r\n", "a LOGIN {4}\r\na\r\nb \"\""},
    {"a AUTHENTICATE plain", "a AUTHENTICATE PLAIN"},
    {"a AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=", Same()},
    {"a AUTHENTICATE PLAIN =", Same()},
    {"a COMPRESS deflate", "a COMPRESS DEFLATE"},
    {"a UNAUTHENTICATE", Same()},
    {"a ID NIL", "a ID ()"},
    {"a ID (\"name\" \"sodr\" \"version\" NIL)", Same()},
    {"a ENABLE CONDSTORE x-good", "a ENABLE CONDSTORE X-GOOD"},
    {"A142 SELECT inbox", "A142 SELECT INBOX"},
    {"A142 EXAMINE \"a/b\"", "A142 EXAMINE a/b"},
    {"A SELECT &U,BTFw-", Same()},
    {"A SELECT \"&Jjo-!\"", "A SELECT &Jjo-!"},
    {"A CREATE R&-D", Same()},
    {"A SELECT INBOX (condstore)", "A SELECT INBOX (CONDSTORE)"},
    {"A EXAMINE INBOX (CONDSTORE QRESYNC (1 2))", Same()},
    {"A SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211))", Same()},
    {"A SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541 (1:3,5 41:43,50)))",
     Same()},
    {"A SELECT INBOX (QRESYNC (1 0 (1:4 1:2,7:8)))", Same()},
    {"A SELECT INBOX ()", "A SELECT INBOX"},
    {"A UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)", Same()},
    {"A UID FETCH 1:* MODSEQ (vanished partial -1:-10 changedsince 0)",
     "A UID FETCH 1:* (MODSEQ) (CHANGEDSINCE 0 VANISHED PARTIAL -1:-10)"},
    {"A FETCH 1 ALL (CHANGEDSINCE 9223372036854775807)",
     "A FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE) (CHANGEDSINCE 9223372036854775807)"},
    {"A STORE * (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)", Same()},
    {"A STORE 1 (UNCHANGEDSINCE 0) FLAGS $Junk", "A STORE 1 (UNCHANGEDSINCE 0) FLAGS ($Junk)"},
    {"A STATUS blurdybloop (UIDNEXT messages)", "A STATUS blurdybloop (UIDNEXT MESSAGES)"},
    {"A101 LIST \"\" \"\"", "A101 LIST \"\" \"\""},
    {"A LIST ~/Mail/ %", "A LIST ~/Mail/ \"%\""},
    {"A LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a b*) RETURN (CHILDREN STATUS (UNSEEN))",
     "A LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a \"b*\") RETURN (CHILDREN STATUS (UNSEEN))"},
    {"A LIST () \"\" % RETURN (SPECIAL-USE)", "A LIST () \"\" (\"%\") RETURN (SPECIAL-USE)"},
    {"A LSUB \"#news.\" \"comp.*\"", "A LSUB #news. \"comp.*\""},
    {"A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])", Same()},
    {"A FETCH 1:* fast", "A FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)"},
    {"A FETCH 1 ALL", "A FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"},
    {"A FETCH 1 FULL", "A FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY)"},
    {"A UID FETCH 7,*:3 BODYSTRUCTURE", "A UID FETCH 7,*:3 (BODYSTRUCTURE)"},
    {"A FETCH 1 body.peek[4.2.2.1.MIME]<0.2048>", "A FETCH 1 (BODY.PEEK[4.2.2.1.MIME]<0.2048>)"},
    {"A FETCH 1 (BODY[] BODY[1] BODY[3.HEADER] BODY[TEXT] BODY[1.HEADER.FIELDS.NOT (\"a b\")])",
     Same()},
    {"A FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)", Same()},
    {"A003 STORE 2:4 +FLAGS (\\Deleted)", Same()},
    {"A STORE 1 -flags.silent \\seen $Junk", "A STORE 1 -FLAGS.SILENT (\\Seen $Junk)"},
    {"A UID STORE 1 FLAGS ()", Same()},
    {"A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
     "A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT HEADER FROM Smith"},
    {"A SEARCH CHARSET utf-8 TEXT {4}\r\n\xc3\xa4\xc3\xb6",
     "A SEARCH CHARSET UTF-8 TEXT {4}\r\n\xc3\xa4\xc3\xb6"},
    {"A SEARCH OR (1:3 UNSEEN) NOT (UID 5:* LARGER 9) SMALLER 3",
     "A SEARCH OR (1:3 UNSEEN) NOT (UID 5:* LARGER 9) SMALLER 3"},
    {"A SEARCH on \"01-jan-2024\" SENTSINCE 3-Mar-2020 KEYWORD $Junk unkeyword x",
     "A SEARCH ON 1-Jan-2024 SENTSINCE 3-Mar-2020 KEYWORD $Junk UNKEYWORD x"},
    {"A UID SEARCH NEW OLD RECENT UNDRAFT", Same()},
    {"A EXPUNGE", Same()},
    {"A UID EXPUNGE 3000:3002", Same()},
    {"A003 APPEND saved-messages (\\Seen) {310}", Same()},
    {"A APPEND x \"17-Jul-1996 02:44:25 -0700\" {10+}",
     "A APPEND x () \"17-Jul-1996 09:44:25 +0000\" {10+}"},
    {"A APPEND {5}\r\nINBOX (\\Recent \\Draft) \" 7-Jul-1996 02:44:25 +0200\" {1}",
     "A APPEND INBOX (\\Draft) \" 7-Jul-1996 00:44:25 +0000\" {1}"},
};

TEST(ParserTest, ParsesAndWritesCommands) {
  for (const Example& example : kExamples) {
    const ParseResult result = ParseCommand(example.input);
    ASSERT_TRUE(result.command) << example.input << ": " << result.error;
    const std::string written = WriteCommand(*result.command);
    EXPECT_EQ(written, example.written.empty() ? example.input : example.written);
    const ParseResult again = ParseCommand(written);
    ASSERT_TRUE(again.command) << written << ": " << again.error;
    EXPECT_EQ(*again.command, *result.command) << written;
  }
}

TEST(ParserTest, NamesAreDecodedByWhatTheClientHasEnabled) {
  const auto name = [](std::string_view text, bool utf8) {
    const ParseResult result = ParseCommand(text, {.utf8_names = utf8});
    return result.command ? std::get<SelectArguments>(result.command->arguments).mailbox
                          : result.error;
  };
  EXPECT_EQ(name("a SELECT R&-D", false), "R&D");
  EXPECT_EQ(name("a SELECT R&-D", true), "R&-D");
  EXPECT_EQ(name("a SELECT R&D", false), "Name is not in modified UTF-7");
  EXPECT_EQ(name("a SELECT R&D", true), "R&D");
  EXPECT_EQ(name("a SELECT &AOk-", true), "&AOk-");
  EXPECT_EQ(name("a SELECT \"\xc3\xa9\"", true), "\xc3\xa9");
  EXPECT_EQ(name("a SELECT \"\xc3\"", true), "Name is not in UTF-8");
  EXPECT_EQ(name("a SELECT inbox", true), "INBOX");
}

TEST(ParserTest, RefusesMalformedCommands) {
  const std::string inputs[] = {
      "",
      "a",
      "a ",
      "+ NOOP",
      "(a NOOP",
      "a FOO",
      "a UID",
      "a UID NOOP",
      "a UID FOO",
      "a NOOP x",
      "a NOOP ",
      "a LOGIN a",
      "a LOGIN a b c",
      "a LOGIN \"a b",
      "a LOGIN \"a\\nb\" c",
      "a LOGIN {3}\r\nab",
      "a LOGIN {3}abc d",
      "a LOGIN {99999999999999999999}\r\na b",
      std::string("a LOGIN {1}\r\n\0 b", 15),
      "a LOGIN a\x80 b",
      "a SELECT",
      "a SELECT a b",
      "a SELECT &Jjo",
      "a SELECT &AGE-",
      "a SELECT {1}\r\n\xff",
      "a STATUS x ()",
      "a STATUS x (FOO)",
      "a LIST \"\"",
      "a LIST \"\" a RETURN",
      "a SELECT INBOX (",
      "a SELECT INBOX (FOO)",
      "a SELECT INBOX (QRESYNC)",
      "a SELECT INBOX (QRESYNC (0 1))",
      "a SELECT INBOX (QRESYNC (1 9223372036854775808))",
      "a SELECT INBOX (QRESYNC (1 2 *))",
      "a SELECT INBOX (QRESYNC (1 2 1:2 (1 1:2)))",
      "a SELECT INBOX (QRESYNC (1 2 1:2 (2,1 1,2)))",
      "a SELECT INBOX (QRESYNC (1 2 1:2 (1 1) 3))",
      "a SELECT INBOX (QRESYNC (1 2) QRESYNC (1 2))",
      "a FETCH 1 FLAGS (CHANGEDSINCE)",
      "a FETCH 1 FLAGS (VANISHED)",
      "a FETCH 1 FLAGS (CHANGEDSINCE 1",
      "a STORE 1 (UNCHANGEDSINCE 1)FLAGS ()",
      "a STORE 1 (UNCHANGEDSINCE -1) FLAGS ()",
      "a LIST (RECURSIVEMATCH) \"\" a",
      "a LIST (FOO) \"\" a",
      "a LIST \"\" " + std::string(2000, 'a'),
      "a FETCH",
      "a FETCH 0 FLAGS",
      "a FETCH 1: FLAGS",
      "a FETCH 1, FLAGS",
      "a FETCH 4294967296 FLAGS",
      "a FETCH 1",
      "a FETCH 1 ()",
      "a FETCH 1 (FLAGS",
      "a FETCH 1 (FLAGS UID) x",
      "a FETCH 1 (ALL)",
      "a FETCH 1 BODY[",
      "a FETCH 1 BODY[MIME]",
      "a FETCH 1 BODY[0]",
      "a FETCH 1 BODY[1.]",
      "a FETCH 1 BODY[HEADER.FIELDS ()]",
      "a FETCH 1 BODY[]<1>",
      "a FETCH 1 BODY[]<0.0>",
      "a FETCH 1 BODY[]<0.9223372036854775808>",
      "a FETCH 1 BODY.PEEK",
      "a STORE 1 (\\Seen)",
      "a STORE 1 FLAGS",
      "a STORE 1 FLAGS (\\Foo)",
      "a STORE 1 FLAGS (\\*)",
      "a STORE 1 +FLAGS (\\Seen",
      "a SEARCH",
      "a SEARCH FOO",
      "a SEARCH (SEEN",
      "a SEARCH ()",
      "a SEARCH NOT",
      "a SEARCH OR SEEN",
      "a SEARCH SINCE 31-Feb-2024",
      "a SEARCH SINCE 1-Foo-2024",
      "a SEARCH SINCE 1-Jan-24",
      "a SEARCH CHARSET UTF-8",
      "a APPEND x",
      "a APPEND x (\\Seen){3}",
      "a APPEND x \"17-Jul-1996 25:44:25 -0700\" {10}",
      "a APPEND x \"17-Jul-1996 02:44:25\" {10}",
      "a COMPRESS",
      "a COMPRESS DEFLATE x",
      "a ENABLE",
      "a ID",
      "a ID (\"a\")",
      "a FETCH 1 BODY[HEADER.FIELDS (\"\xff\")]",
      "a FETCH 1 BODY[HEADER.FIELDS (To \"A:B\")]",
      "a FETCH 1 BODY[HEADER.FIELDS.NOT ({1}\r\n\n)]",
  };
  for (const std::string& input : inputs) {
    const ParseResult result = ParseCommand(input);
    EXPECT_FALSE(result.command) << input;
    EXPECT_FALSE(result.error.empty()) << input;
  }
}

TEST(ParserTest, KeepsTheTagOfAMalformedCommand) {
  EXPECT_EQ(ParseCommand("a17 FOO").tag, "a17");
  EXPECT_EQ(ParseCommand("a17").tag, "a17");
  EXPECT_EQ(ParseCommand("+x FOO").tag, "");
}

TEST(ParserTest, LimitsWords) {
  EXPECT_TRUE(ParseCommand(std::string(128, 't') + " NOOP").command);
  EXPECT_FALSE(ParseCommand(std::string(129, 't') + " NOOP").command);
  EXPECT_EQ(ParseCommand(std::string(129, 't') + " NOOP").error, "Invalid tag");
  EXPECT_FALSE(ParseCommand("a " + std::string(129, 'X')).command);
}

TEST(ParserTest, LimitsKeysAndItemsToWhatTheStoreTakes) {
  const auto repeated = [](std::string text, std::string_view item, int count) {
    for (int i = 0; i < count; ++i) text += std::string(i == 0 ? "" : " ") + std::string(item);
    return text;
  };
  EXPECT_TRUE(ParseCommand(repeated("a SEARCH ", "SEEN", 450)).command);
  EXPECT_FALSE(ParseCommand(repeated("a SEARCH ", "SEEN", 451)).command);
  EXPECT_TRUE(ParseCommand(repeated("a FETCH 1 (", "UID", 100) + ")").command);
  EXPECT_FALSE(ParseCommand(repeated("a FETCH 1 (", "UID", 101) + ")").command);
}

TEST(ParserTest, LimitsTheOctetsOfAllPatterns) {
  const std::string half(1000, 'x');
  EXPECT_TRUE(ParseCommand("a LIST \"\" (" + half + " " + half + ")").command);
  EXPECT_FALSE(ParseCommand("a LIST \"\" (" + half + " " + half + " " + half + ")").command);
  EXPECT_TRUE(ParseCommand("a LIST " + half + " (x)").command);
  EXPECT_FALSE(ParseCommand("a LIST " + half + " (x y z)").command) << "the reference counts";
}

TEST(ParserTest, LimitsTheDepthOfSearchKeys) {
  const auto nested = [](int depth) {
    std::string text = "a SEARCH ";
    for (int i = 0; i < depth; ++i) text += "NOT ";
    return text + "SEEN";
  };
  EXPECT_TRUE(ParseCommand(nested(20)).command);
  EXPECT_FALSE(ParseCommand(nested(30)).command);
  EXPECT_FALSE(ParseCommand(nested(10000)).command);
  EXPECT_FALSE(ParseCommand("a SEARCH " + std::string(10000, '(')).command);
}

TEST(ParserTest, TellsAppendsMessageFromItsArguments) {
  EXPECT_TRUE(AnnouncesMessage("a APPEND INBOX {3}"));
  EXPECT_TRUE(AnnouncesMessage("a append \"x y\" (\\Seen) {3+}"));
  EXPECT_TRUE(AnnouncesMessage("a APPEND {5}\r\nINBOX {3}"));
  EXPECT_FALSE(AnnouncesMessage("a APPEND {5}"));
  EXPECT_FALSE(AnnouncesMessage("a LOGIN x {5}"));
  EXPECT_FALSE(AnnouncesMessage(""));
}

TEST(ParserTest, LimitsTheNamesOfHeaderFields) {
  std::string names = "x";
  for (int i = 1; i < 1000; ++i) names += " x";
  const std::string front = "a FETCH 1 BODY[HEADER.FIELDS (";
  EXPECT_TRUE(ParseCommand(front + names + ")]").command.has_value());
  EXPECT_EQ(ParseCommand(front + names + " x)]").error, "Too many field names");
}

TEST(SequenceSetTest, IsNormalized) {
  const auto normalize = [](const std::string& set, uint32_t highest) {
    const ParseResult result = ParseCommand("a UID EXPUNGE " + set);
    SequenceSet normalized;
    normalized.ranges =
        Normalize(std::get<UidExpungeArguments>(result.command->arguments).set, highest);
    std::string text;
    AppendSequenceSet(text, normalized);
    return text;
  };
  EXPECT_EQ(normalize("5,3:4,1", 9), "1,3:5");
  EXPECT_EQ(normalize("4:2", 9), "2:4");
  EXPECT_EQ(normalize("*", 9), "9");
  EXPECT_EQ(normalize("7:*", 9), "7:9");
  EXPECT_EQ(normalize("12:*", 9), "9:12");
  EXPECT_EQ(normalize("1:4294967295,2", 9), "1:4294967295");
  EXPECT_EQ(normalize("1:*,*", 0), "");
  EXPECT_EQ(normalize("2,3:*", 0), "2");
}

}  // namespace
}  // namespace rmail::gateway::imap
