// CREATE to MOVE, quotas, annotations and NOTIFY.
#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/syntax/command_writer.h"
#include "gateway/imap/syntax/parser.h"

namespace rmail::gateway::imap {
namespace {

TEST(MailboxSyntaxTest, ParsesAndWritesCommands) {
  const struct {
    std::string input;
    // Empty: as it came.
    std::string written;
  } kCases[] = {
      {"A683 DELETE blurdybloop", ""},
      {"A RENAME inbox old-mail", "A RENAME INBOX old-mail"},
      {"A002 SUBSCRIBE #news.comp.mail.mime", ""},
      {"A002 UNSUBSCRIBE #news.comp.mail.mime", ""},
      {"A003 COPY 2:4 MEETING", ""},
      {"A UID MOVE 42:69,* foo", ""},
      {"t2 CREATE MySpecial (USE (\\Drafts \\sent))",
       "t2 CREATE MySpecial (USE (\\DRAFTS \\SENT))"},
      {"t2 CREATE MySpecial (USE ())", "t2 CREATE MySpecial"},
      {"A STATUS x (HIGHESTMODSEQ DELETED DELETED-STORAGE MAILBOXID APPENDLIMIT SIZE)", ""},
      {"A003 GETQUOTA \"\"", ""},
      {"A003 GETQUOTAROOT INBOX", ""},
      {"S0000 SETQUOTA \"#user/alice\" (STORAGE 510 message 7)",
       "S0000 SETQUOTA #user/alice (STORAGE 510 MESSAGE 7)"},
      {"S SETQUOTA \"\" ()", ""},
      {"a GETMETADATA \"\" /shared/Comment", "a GETMETADATA (DEPTH 0) \"\" (/shared/comment)"},
      {"a GETMETADATA (DEPTH 1 MAXSIZE 1024) INBOX (/private/filters /shared)", ""},
      {"a GETMETADATA INBOX (MAXSIZE 1024) (/shared/x /private/x)",
       "a GETMETADATA (DEPTH 0 MAXSIZE 1024) INBOX (/shared/x /private/x)"},
      {"a GETMETADATA INBOX (depth infinity) /shared/x",
       "a GETMETADATA (DEPTH infinity) INBOX (/shared/x)"},
      {"a SETMETADATA INBOX (/private/comment {3+}\r\nabc /shared/x NIL)",
       "a SETMETADATA INBOX (/private/comment \"abc\" /shared/x NIL)"},
      {"a SETMETADATA \"\" (/private/a ~{3}\r\n" + std::string("\0\r\n", 3) + ")", ""},
      {"a NOTIFY NONE", ""},
      {"a notify set status (selected-delayed (messageNew (uid body.peek[header.fields (from)]) "
       "messageexpunge)) (inboxes none)",
       "a NOTIFY SET STATUS (SELECTED-DELAYED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (from)]) "
       "MessageExpunge)) (INBOXES NONE)"},
      {"a NOTIFY SET (MAILBOXES (INBOX a/b) (MessageNew MessageExpunge FlagChange MailboxName)) "
       "(SUBTREE (c) (SubscriptionChange MailboxMetadataChange ServerMetadataChange))",
       ""},
      {"a NOTIFY SET (PERSONAL (AnnotationChange))", "a NOTIFY SET (PERSONAL (ANNOTATIONCHANGE))"},
  };
  for (const auto& [input, written] : kCases) {
    const ParseResult result = ParseCommand(input);
    ASSERT_TRUE(result.command) << input << ": " << result.error;
    EXPECT_EQ(WriteCommand(*result.command), written.empty() ? input : written);
  }
}

TEST(MailboxSyntaxTest, RefusesWhatIsMalformed) {
  const std::string kCommands[] = {
      "a DELETE",
      "a RENAME x",
      "a RENAME x y z",
      "a COPY x y",
      "a COPY 1",
      "a UID DELETE x",
      "a CREATE x ()y",
      "a CREATE x (FOO)",
      "a CREATE x (USE)",
      "a CREATE x (USE (Drafts))",
      "a CREATE x (USE (\\Drafts)",
      "a CREATE x (USE (\\Drafts) USE (\\Sent))",
      "a SETQUOTA x (STORAGE)",
      "a SETQUOTA x (STORAGE -1)",
      "a SETQUOTA x STORAGE 1",
      "a GETMETADATA x",
      "a GETMETADATA x ()",
      "a GETMETADATA x comment",
      "a GETMETADATA x /internal/a",
      "a GETMETADATA x /private/",
      "a GETMETADATA x /private//a",
      "a GETMETADATA x \"/private/*\"",
      "a GETMETADATA x \"/private/a b\"",
      "a GETMETADATA x \"/private/\xc3\xa4\"",
      "a GETMETADATA x /sharedx",
      "a GETMETADATA x /private/" + std::string(300, 'a'),
      "a GETMETADATA (DEPTH 2) x /private/a",
      "a GETMETADATA (MAXSIZE 4294967296) x /private/a",
      "a GETMETADATA (FOO 1) x /private/a",
      "a SETMETADATA x (/private/a)",
      "a SETMETADATA x (/private NIL)",
      "a SETMETADATA x /private/a NIL",
      "a SETMETADATA x (/internal/a \"b\")",
      "a SETMETADATA x (/private/a ~\"b\")",
      "a SETMETADATA x (/private/a ~{5}\r\nb)",
      "a NOTIFY",
      "a NOTIFY SET",
      "a NOTIFY SET STATUS",
      "a NOTIFY NONE x",
      "a NOTIFY SET (FOO NONE)",
      "a NOTIFY SET (PERSONAL ())",
      "a NOTIFY SET (PERSONAL)",
      "a NOTIFY SET (PERSONAL (MessageNew))",
      "a NOTIFY SET (PERSONAL (MessageExpunge))",
      "a NOTIFY SET (PERSONAL (FlagChange))",
      "a NOTIFY SET (PERSONAL (MessageNew (UID) MessageExpunge))",
      "a NOTIFY SET (SELECTED (MessageNew () MessageExpunge))",
      "a NOTIFY SET (SELECTED (MessageNew (UID MessageExpunge))",
      "a NOTIFY SET (SELECTED (MailboxName))",
      "a NOTIFY SET (SELECTED NONE) (SELECTED-DELAYED NONE)",
      "a NOTIFY SET (MAILBOXES (MailboxName))",
      "a NOTIFY SET (MAILBOXES () (MailboxName))",
  };
  for (const std::string& command : kCommands) {
    const ParseResult result = ParseCommand(command);
    EXPECT_FALSE(result.command) << command;
    EXPECT_FALSE(result.error.empty()) << command;
  }
}

}  // namespace
}  // namespace rmail::gateway::imap
