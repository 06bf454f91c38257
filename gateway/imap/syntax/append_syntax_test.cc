// APPEND's and REPLACE's fragments, FETCH's newer items, URL arguments.
#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {
namespace {

using Kind = AppendStep::Kind;

TEST(AppendSyntaxTest, CommandsAreWrittenAsTheyCame) {
  const std::string commands[] = {
      "A APPEND x () CATENATE (URL /x/;UID=20 URL \"/INBOX;UIDVALIDITY=785799047/;UID=113 \")",
      "A APPEND x (\\Draft) CATENATE (URL /x;UIDVALIDITY=3/;UID=20/;section=HEADER TEXT {42}",
      "A APPEND x () CATENATE (URL {300+}",
      "A APPEND x () CATENATE (TEXT ~{42+}",
      "A APPEND x () CATENATE (UTF8 (~{42}",
      "A APPEND x () CATENATE (URL a) (\\Seen) CATENATE (URL b URL c) () {5}",
      "A APPEND x () \"17-Jul-1996 09:44:25 +0000\" UTF8 (~{42}",
      "A APPEND x () ~{42+}",
      "A REPLACE 4 Drafts (\\Seen) {312}",
      "A UID REPLACE * Drafts () CATENATE (URL a)",
      "A FETCH 1:4 (BINARY[1.2] BINARY.PEEK[]<5.7> BINARY.SIZE[3] PREVIEW SAVEDATE EMAILID "
      "THREADID)",
      "A GENURLAUTH imap://a@b/INBOX/;uid=20;urlauth=user+a INTERNAL imap://c MD5",
      "A RESETKEY",
      "A RESETKEY INBOX INTERNAL",
      "A URLFETCH imap://a imap://b",
  };
  for (const std::string& command : commands) {
    // A URL with a space is none.
    const bool valid = command.find(" \")") == std::string::npos;
    const ParseResult result = ParseCommand(command);
    ASSERT_EQ(result.command.has_value(), valid) << command << ": " << result.error;
    if (valid) EXPECT_EQ(WriteCommand(*result.command), command);
  }
}

TEST(AppendSyntaxTest, RefusesWhatIsMalformed) {
  const std::string commands[] = {
      "A APPEND x",
      "A APPEND x ()",
      "A APPEND x (){3}",
      "A APPEND x {3} {4}",
      "A APPEND x ~x",
      "A APPEND x UTF8 ({3}",
      "A APPEND x UTF8 (~{3}) ",
      "A APPEND x CATENATE ()",
      "A APPEND x CATENATE (URL a",
      "A APPEND x CATENATE (URL a) ",
      "A APPEND x CATENATE (URL a)()",
      "A APPEND x CATENATE (TEXT abc)",
      "A APPEND x CATENATE (URL \"\")",
      "A APPEND x CATENATE (URL \"\xc3\xa4\")",
      "A APPEND x CATENATE (URL " + std::string(kMaxUrl + 1, 'x') + ")",
      "A REPLACE Drafts {3}",
      "A REPLACE 0 Drafts {3}",
      "A REPLACE 1:2 Drafts {3}",
      "A FETCH 1 BINARY",
      "A FETCH 1 BINARY[1.]",
      "A FETCH 1 BINARY[TEXT]",
      "A FETCH 1 BINARY.SIZE[1]<0.1>",
      "A FETCH 1 BINARY.SIZE.PEEK[1]",
      "A FETCH 1 (PREVIEW (LAZY)",
      "A FETCH 1 (PREVIEW (EAGER))",
      "A GENURLAUTH imap://a",
      "A URLFETCH",
      "A RESETKEY ",
  };
  for (const std::string& command : commands) {
    const ParseResult result = ParseCommand(command);
    EXPECT_FALSE(result.command) << command;
    EXPECT_FALSE(result.error.empty()) << command;
  }
}

TEST(AppendSyntaxTest, LimitsParts) {
  const auto parts = [](size_t count) {
    std::string command = "a APPEND x CATENATE (URL a";
    for (size_t i = 1; i < count; ++i) command += " URL a";
    return command + ")";
  };
  // The message's begin and end are steps too.
  EXPECT_TRUE(ParseCommand(parts(kMaxAppendSteps - 2)).command);
  EXPECT_FALSE(ParseCommand(parts(kMaxAppendSteps - 1)).command);
}

TEST(AppendSyntaxTest, PreviewMayBeLazy) {
  const ParseResult result = ParseCommand("A FETCH 1 (PREVIEW (LAZY) UID)");
  ASSERT_TRUE(result.command) << result.error;
  EXPECT_EQ(WriteCommand(*result.command), "A FETCH 1 (PREVIEW UID)");
}

// The fragment as text with the kinds of its steps: "M" message, "T" text, "U" URL, "." end.
std::string Steps(AppendPosition position, const std::string& text, AppendPosition next) {
  AppendFragment fragment;
  Lexer lexer(text);
  if (!ParseAppendFragment(lexer, position, fragment)) return std::string(lexer.error());
  EXPECT_EQ(fragment.next, next) << text;
  EXPECT_EQ(WriteAppendFragment(position, fragment), text);
  std::string kinds;
  for (const AppendStep& step : fragment.steps) kinds += "MTU."[static_cast<int>(step.kind)];
  return kinds;
}

TEST(AppendSyntaxTest, GoesOnBehindALiteral) {
  using enum AppendPosition;
  EXPECT_EQ(Steps(kBehindLiteral, "", kEnd), ".");
  EXPECT_EQ(Steps(kBehindLiteral, " () {5}", kBehindLiteral), ".M");
  EXPECT_EQ(Steps(kBehindLiteral, " () CATENATE (URL a) () CATENATE (URL b TEXT {5}", kInList),
            ".MU.MUT");
  EXPECT_EQ(Steps(kBehindUtf8, ")", kEnd), ".");
  EXPECT_EQ(Steps(kBehindUtf8, ") () UTF8 (~{9+}", kBehindUtf8), ".M");
  EXPECT_EQ(Steps(kBehindUtf8, "", kEnd), "Parenthesis expected");
  EXPECT_EQ(Steps(kInList, ")", kEnd), ".");
  EXPECT_EQ(Steps(kInList, " URL {7}", kInList), "U");
  EXPECT_EQ(Steps(kInList, " TEXT {7}", kInList), "T");
  EXPECT_EQ(Steps(kInList, " URL a)", kEnd), "U.");
  EXPECT_EQ(Steps(kInList, "", kEnd), "Parenthesis expected");
  EXPECT_EQ(Steps(kInListUtf8, ") UTF8 (~{7}", kInListUtf8), "T");
  EXPECT_EQ(Steps(kInListUtf8, "))", kEnd), ".");
  EXPECT_EQ(Steps(kInListUtf8, ")", kEnd), "Parenthesis expected");
  EXPECT_EQ(Steps(kBehindLiteral, " junk", kEnd), "Literal expected");
  EXPECT_EQ(Steps(kBehindLiteral, "junk", kEnd), "Space expected");
}

TEST(AppendSyntaxTest, TellsWhatItReadsItselfFromArguments) {
  EXPECT_TRUE(AnnouncesMessage("a REPLACE 3 INBOX {3}"));
  EXPECT_TRUE(AnnouncesMessage("a UID REPLACE * INBOX {3}"));
  EXPECT_TRUE(AnnouncesMessage("a APPEND INBOX CATENATE (URL {3}"));
  EXPECT_FALSE(AnnouncesMessage("a REPLACE {3}"));
  EXPECT_FALSE(AnnouncesMessage("a UID REPLACE 3 {3}"));
  EXPECT_FALSE(AnnouncesMessage("a UID {3}"));
}

}  // namespace
}  // namespace rmail::gateway::imap
