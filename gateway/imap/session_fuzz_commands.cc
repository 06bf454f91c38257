#include "gateway/imap/session_fuzz_commands.h"

#include <algorithm>
#include <string>

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kCommands[] = {
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID (\"name\" \"fuzz\" \"version\" NIL)",
    "NAMESPACE",
    "LOGIN alice@example.com secret",
    "LOGIN alice@example.com wrong",
    "LOGIN {5}\r\nalice {3+}\r\nxyz",
    "AUTHENTICATE PLAIN",
    "AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldA==",
    "AUTHENTICATE LOGIN",
    "AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZUBleGFtcGxlLmNvbSxyPWFiYw==",
    "AUTHENTICATE OAUTHBEARER =",
    "UNAUTHENTICATE",
    "STARTTLS",
    "ENABLE CONDSTORE",
    "ENABLE QRESYNC UTF8=ACCEPT",
    "ENABLE IMAP4rev2",
    "SELECT INBOX",
    "SELECT INBOX (CONDSTORE)",
    "SELECT INBOX (QRESYNC (1 1 1:9))",
    "SELECT INBOX (QRESYNC (1 2 1:3,5 (1,3 1,3)))",
    "EXAMINE INBOX",
    "SELECT {1}\r\na",
    "CREATE a",
    "CREATE a/b/c",
    "CREATE \"x y\" (USE (\\Archive \\Sent))",
    "CREATE {4+}\r\nlit1",
    "CREATE Gr&APwA3w-e",
    "DELETE a/b/c",
    "DELETE a",
    "RENAME a b",
    "RENAME INBOX old",
    "RENAME b a/b",
    "SUBSCRIBE a",
    "UNSUBSCRIBE a",
    "LIST \"\" *",
    "LIST (SUBSCRIBED REMOTE RECURSIVEMATCH) \"\" (a% INBOX) RETURN (CHILDREN SPECIAL-USE)",
    R"(LIST "" * RETURN (STATUS (MESSAGES UNSEEN SIZE DELETED MAILBOXID) METADATA ("/shared/a")))",
    "LSUB \"\" %",
    "STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE DELETED HIGHESTMODSEQ)",
    "APPEND INBOX {18}\r\nSubject: x\r\n\r\nText",
    "APPEND INBOX (\\Seen tag) \" 1-Feb-2024 02:44:25 -0700\" {18+}\r\nSubject: x\r\n\r\nText",
    "APPEND INBOX {5+}\r\na\r\nb\r (\\Flagged) {4+}\r\nx: y (\\Seen) {3}\r\nabc",
    "APPEND INBOX ~{6+}\r\nX: \xff\r\n",
    "APPEND INBOX UTF8 (~{4+}\r\nX: y)",
    "APPEND INBOX CATENATE (TEXT {4}\r\nX: y URL \"/INBOX/;UID=1/;SECTION=TEXT\" TEXT {2+}\r\nab)",
    "REPLACE 1 INBOX (\\Seen) {4}\r\nX: y",
    "UID REPLACE 2 a {4+}\r\nX: y",
    "CLOSE",
    "UNSELECT",
    "CHECK",
    "EXPUNGE",
    "UID EXPUNGE 1:3,9",
    "IDLE",
    "FETCH 1:* ALL",
    "FETCH 1:* (UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
    "FETCH 1 (BODY[] BODY.PEEK[HEADER.FIELDS (FROM {7}\r\nSUBJECT)] BODY[1.MIME]<0.10>)",
    "FETCH 1:3,* (BINARY[1] BINARY.PEEK[1]<0.9> BINARY.SIZE[1] RFC822 RFC822.TEXT)",
    "FETCH * (PREVIEW (LAZY) SAVEDATE EMAILID THREADID)",
    "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)",
    "UID FETCH 1:* FLAGS (PARTIAL 1:2)",
    "STORE 1:* +FLAGS (\\Seen)",
    "STORE 2 -FLAGS.SILENT (\\Deleted tag)",
    "STORE * (UNCHANGEDSINCE 1) FLAGS (\\Flagged)",
    "UID STORE 1:5 +FLAGS.SILENT \\Deleted",
    "COPY 1:* a",
    "UID COPY 1,3 {1+}\r\na",
    "MOVE 1 a",
    "UID MOVE 1:* INBOX",
    "SEARCH ALL",
    "SEARCH RETURN (MIN MAX COUNT ALL SAVE) OR (SEEN) NOT 1:2 SINCE 1-Feb-2024",
    "UID SEARCH CHARSET UTF-8 SUBJECT {2}\r\n\xc3\xa4 TEXT \"x\" HEADER A \"\"",
    "SEARCH RETURN (UPDATE) MODSEQ \"/flags/\\\\Draft\" all 3 LARGER 1",
    "UID SEARCH RETURN (PARTIAL 1:5) YOUNGER 100 KEYWORD tag",
    "FETCH $ FLAGS",
    "CANCELUPDATE \"f1\"",
    "SORT (REVERSE DATE DISPLAYFROM) UTF-8 ALL",
    "UID SORT RETURN (COUNT PARTIAL 1:2) (SUBJECT SIZE) US-ASCII NOT DELETED",
    "THREAD REFERENCES UTF-8 ALL",
    "UID THREAD ORDEREDSUBJECT US-ASCII 1:*",
    "GETQUOTA \"\"",
    "GETQUOTAROOT INBOX",
    "SETQUOTA \"\" (STORAGE 512)",
    "GETMETADATA (MAXSIZE 10 DEPTH infinity) INBOX (/private/comment)",
    "SETMETADATA INBOX (/private/comment {3}\r\nabc)",
    "SETMETADATA \"\" (/private/comment NIL)",
    "GENURLAUTH \"imap://alice@example.com/INBOX/;UID=1;URLAUTH=anonymous\" INTERNAL",
    "RESETKEY INBOX INTERNAL",
    "URLFETCH \"imap://alice@example.com/INBOX/;UID=1\"",
    "NOTIFY SET STATUS (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (PERSONAL "
    "(MessageNew MailboxName))",
    "NOTIFY NONE",
};

constexpr std::string_view kTokens[] = {
    "{5}\r\nabcde",
    "{0}\r\n",
    "{0+}\r\n",
    "{3+}\r\n\"(\\",
    "~{2+}\r\n\x01\x02",
    "\"",
    "\\",
    "(",
    ")",
    "((((((((((",
    "*",
    ",",
    ":",
    " ",
    "NIL",
    "&",
    "&-",
    "{70000+}\r\n",
    "1:4294967295",
    "0",
    "$",
    "[",
    "]",
    "<0.1>",
    "UID ",
    "NOT ",
    "OR ",
    "4294967296",
    "\xff\xfe",
    "\xc3\xa4",
    "\\Seen",
    "INBOX",
    "%",
    "/",
    "18446744073709551616",
    "(CONDSTORE)",
    "RETURN (",
    "BODY[",
    "",
};

// In upper case.
std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

}  // namespace

const std::span<const std::string_view> kFuzzCommands = kCommands;
const std::span<const std::string_view> kFuzzTokens = kTokens;

bool AsksForMore(std::string_view command) {
  const std::string upper = Upper(command);
  return upper.starts_with("IDLE") || upper.starts_with("AUTHENTICATE");
}

bool MayCompress(std::string_view command) {
  return Upper(command).find("COMPRESS") != std::string::npos;
}

}  // namespace rmail::gateway::imap
