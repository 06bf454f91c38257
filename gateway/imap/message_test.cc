// Messages: APPEND, FETCH, STORE, SEARCH, EXPUNGE.
#include <gtest/gtest.h>

#include <string>

#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

constexpr std::string_view kSimple =
    "Date: Wed, 17 Jul 1996 02:23:25 -0700\r\n"
    "From: Terry Gray <gray@cac.washington.edu>\r\n"
    "To: imap@cac.washington.edu\r\n"
    "Subject: Minutes\r\n"
    "Message-ID: <1@example.com>\r\n"
    "\r\n"
    "First line\r\n"
    "Second line\r\n";

constexpr std::string_view kMultipart =
    "From: bob@example.com\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    "t\xc3\xa4xt\r\n"
    "--b\r\n"
    "Content-Type: application/octet-stream\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "AAEC\r\n"
    "--b--\r\n";

class MessageTest : public ImapFixture {
 protected:
  void AppendBoth() {
    Append(kSimple, "(\\Seen)");
    Append(kMultipart);
  }
};

TEST_F(MessageTest, AppendTakesFlagsDateAndLiterals) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.Run(R"(
    C: a APPEND Sent (\Seen $Forwarded custom) "17-Jul-1996 02:44:25 -0700" {9}
    S: + Ready for the literal
    C: Subject: x
    S: a BAD ...
  )");
  // 12 octets of a header, the blank line, and the command's own end.
  transcript.client().Send("b APPEND Sent (\\Seen custom) \"17-Jul-1996 02:44:25 -0700\" {14}\r\n");
  transcript.Run("S: + Ready for the literal");
  transcript.client().Send("Subject: x\r\n\r\n\r\n");
  transcript.Run(R"(
    S: b OK [APPENDUID ... 1] APPEND completed
    C: c SELECT Sent
    S*: * 1 EXISTS
    S*: c OK ...
    C: d FETCH 1 FAST
    S: * 1 FETCH (FLAGS (\Seen custom) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 14)
    S: d OK FETCH completed
  )");
  // It shows at once in the mailbox that is selected.
  transcript.client().Send("f APPEND Sent {2+}\r\n\r\n\r\n");
  transcript.Run("S: * 2 EXISTS\nS: f OK [APPENDUID ... 2] APPEND completed");
}

TEST_F(MessageTest, AppendRefusesWhatItCannotTake) {
  ImapOptions options = FastOptions();
  options.max_message_size = 1000;
  StartServer(options);
  Transcript transcript(server().port());
  transcript.Run("S: ...");
  transcript.client().Send("z APPEND INBOX {3+}\r\nabc\r\n");
  transcript.Run(R"(
    S: z BAD Log in first
    C: y LOGIN alice@example.com secret
    S: y OK ...
    # Refused before the client sends it.
    C: a APPEND INBOX {1001}
    S: a NO [TOOBIG] The message is too large
    C: b APPEND Nowhere {10}
    S: b NO [TRYCREATE] No such mailbox
    C: c APPEND INBOX {0}
    S: c NO [CANNOT] The message is empty
    C: d APPEND INBOX (\Foo) {10}
    S: d BAD Unknown system flag
  )");
  // Sent all the same, and skipped.
  transcript.client().Send("e APPEND INBOX {1001+}\r\n" + std::string(1001, '\n') + "\r\n");
  transcript.Run("S: e NO [TOOBIG] The message is too large");
  transcript.client().Send("f APPEND INBOX (\\Foo {3+}\r\nabc\r\ng NOOP\r\n");
  transcript.Run("S: f BAD ...\nS: g OK NOOP completed");
}

TEST_F(MessageTest, AppendOverQuota) {
  store().AddAccount("small@example.com", "secret", 1);
  Transcript transcript(server().port());
  transcript.Run("S: ...\nC: a LOGIN small@example.com secret\nS: a OK ...");
  const std::string message = "Subject: x\r\n\r\n" + std::string(1100000, 'x');
  transcript.client().Send("b APPEND INBOX {" + std::to_string(message.size()) + "+}\r\n" +
                           message + "\r\nc NOOP\r\n");
  transcript.Run(R"(
    S: b NO [OVERQUOTA] Quota exceeded
    S: c OK ...
    # Where the client waits, it need not send it.
    C: d APPEND INBOX {1100000}
    S: d NO [OVERQUOTA] Quota exceeded
    C: e APPEND INBOX CATENATE (TEXT {1100000}
    S: e NO [OVERQUOTA] Quota exceeded
  )");
}

TEST_F(MessageTest, FetchesMetadata) {
  AppendBoth();
  RunSelected(R"(
    C: a FETCH 1:* (UID FLAGS)
    S: * 1 FETCH (UID 1 FLAGS (\Seen))
    S: * 2 FETCH (UID 2 FLAGS ())
    S: a OK FETCH completed
    C: b UID FETCH 2:* RFC822.SIZE
    S: * 2 FETCH (UID 2 RFC822.SIZE 275)
    S: b OK FETCH completed
    C: c FETCH 1 ENVELOPE
    S: * 1 FETCH (ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "Minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) NIL NIL NIL "<1@example.com>"))
    S: c OK FETCH completed
    C: d FETCH 1:2 BODY
    S: * 1 FETCH (BODY ("text" "plain" NIL NIL NIL "7bit" 25 2))
    S: * 2 FETCH (BODY (("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 ...)("application" "octet-stream" NIL NIL NIL "base64" 4) "mixed"))
    S: d OK FETCH completed
    C: e FETCH 2 BODYSTRUCTURE
    S: * 2 FETCH (BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 5 ... NIL NIL NIL NIL)("application" "octet-stream" NIL NIL NIL "base64" 4 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL))
    S: e OK FETCH completed
    C: f FETCH 3 FLAGS
    S: f BAD No such message number
    C: g UID FETCH 3 FLAGS
    S: g OK FETCH completed
    C: h FETCH 1 (FLAGS
    S: h BAD ...
  )");
}

TEST_F(MessageTest, FetchesSections) {
  AppendBoth();
  RunSelected(R"(
    C: a FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject From)])
    S: * 1 FETCH (BODY[HEADER.FIELDS (Subject From)] {64}
    S: From: Terry Gray <gray@cac.washington.edu>
    S: Subject: Minutes
    S:
    S: )
    S: a OK FETCH completed
    C: b FETCH 1 (BODY.PEEK[TEXT]<6.4> BODY.PEEK[1]<100.5>)
    S: * 1 FETCH (BODY[TEXT]<6> {4}
    S: line BODY[1]<100> {0}
    S: )
    S: b OK FETCH completed
    C: c FETCH 2 (BODY.PEEK[2] BODY.PEEK[2.MIME] BODY.PEEK[3])
    S: * 2 FETCH (BODY[2] {4}
    S: AAEC BODY[2.MIME] {77}
    S: Content-Type: application/octet-stream
    S: Content-Transfer-Encoding: base64
    S:
    S:  BODY[3] NIL)
    S: c OK FETCH completed
    C: d FETCH 1 RFC822.HEADER
    S: * 1 FETCH (RFC822.HEADER {161}
    S: Date: ...
    S*: )
    S: d OK FETCH completed
  )");
}

TEST_F(MessageTest, FetchingABodyMarksItAsSeen) {
  AppendBoth();
  RunSelected(R"(
    C: a FETCH 2 BODY.PEEK[1]
    S: * 2 FETCH (BODY[1] {5}
    S: ...)
    S: a OK FETCH completed
    C: b FETCH 1:2 BODY[1]<0.1>
    S: * 1 FETCH (BODY[1]<0> {1}
    S: F)
    S: * 2 FETCH (FLAGS (\Seen) BODY[1]<0> {1}
    S: t)
    S: b OK FETCH completed
    C: c FETCH 2 FLAGS
    S: * 2 FETCH (FLAGS (\Seen))
    S: c OK FETCH completed
  )");
}

TEST_F(MessageTest, ALargeMessageComesBackOctetByOctet) {
  std::string message = "Subject: large\r\n\r\n";
  while (message.size() < 5'000'000) message += std::to_string(message.size()) + "\r\n";
  Append(message);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  Select(transcript, 1);
  transcript.Run("C: a UID FETCH 1 (BODY.PEEK[] RFC822.SIZE)\nS: * 1 FETCH (UID 1 RFC822.SIZE " +
                 std::to_string(message.size()) + " BODY[] {" + std::to_string(message.size()) +
                 "}");
  EXPECT_TRUE(transcript.client().ReadExact(message.size()) == message);
  transcript.Run("S: )\nS: a OK FETCH completed");
}

TEST_F(MessageTest, StoresFlags) {
  AppendBoth();
  RunSelected(R"(
    C: a STORE 1:2 +FLAGS (\Flagged)
    S: * 1 FETCH (FLAGS (\Seen \Flagged))
    S: * 2 FETCH (FLAGS (\Flagged))
    S: a OK STORE completed
    C: b UID STORE 2 -FLAGS.SILENT \Flagged
    S: b OK STORE completed
    C: c STORE 2 FLAGS (\Draft $Junk)
    S: * 2 FETCH (FLAGS (\Draft $Junk))
    S: c OK STORE completed
    C: d UID STORE 1 +FLAGS (brandnew)
    S: * FLAGS (... brandnew)
    S: * OK [PERMANENTFLAGS (... brandnew \*)] ...
    S: * 1 FETCH (UID 1 FLAGS (\Seen \Flagged brandnew))
    S: d OK STORE completed
    C: e FETCH 1:2 FLAGS
    S: * 1 FETCH (FLAGS (\Seen \Flagged brandnew))
    S: * 2 FETCH (FLAGS (\Draft $Junk))
    S: e OK FETCH completed
    C: f STORE 1 FLAGS ()
    S: * 1 FETCH (FLAGS ())
    S: f OK STORE completed
    C: g STORE 3 +FLAGS (\Seen)
    S: g BAD No such message number
    C: h UID STORE 3:9 +FLAGS (\Seen)
    S: h OK STORE completed
    # The watcher's own echo brings nothing new.
    C: i NOOP
    S: i OK NOOP completed
  )");
}

TEST_F(MessageTest, Expunges) {
  for (int i = 0; i < 5; ++i) Append("Subject: x\r\n\r\n", i % 2 == 0 ? "(\\Deleted)" : "()");
  RunSelected(R"(
    C: a UID EXPUNGE 2:3
    S: * 3 EXPUNGE
    S: a OK EXPUNGE completed
    C: b UID EXPUNGE 100
    S: b OK EXPUNGE completed
    C: c EXPUNGE
    S: * 1 EXPUNGE
    S: * 3 EXPUNGE
    S: c OK EXPUNGE completed
    C: d FETCH 1:* UID
    S: * 1 FETCH (UID 2)
    S: * 2 FETCH (UID 4)
    S: d OK FETCH completed
    C: e EXPUNGE
    S: e OK EXPUNGE completed
    C: f NOOP
    S: f OK NOOP completed
  )");
}

TEST_F(MessageTest, Searches) {
  AppendBoth();
  Append("From: carol@example.com\r\nSubject: third\r\n\r\nneedle\r\n", "(\\Deleted $Junk)");
  RunSelected(R"(
    C: a SEARCH ALL
    S: * SEARCH 1 2 3
    S: a OK SEARCH completed
    C: b SEARCH UNSEEN UNDELETED
    S: * SEARCH 2
    S: b OK SEARCH completed
    C: c UID SEARCH OR SEEN KEYWORD $Junk
    S: * SEARCH 1 3
    S: c OK SEARCH completed
    C: d SEARCH NOT 2:3
    S: * SEARCH 1
    S: d OK SEARCH completed
    C: e SEARCH UID 2:* NOT UNKEYWORD $Junk
    S: * SEARCH 3
    S: e OK SEARCH completed
    C: f SEARCH FROM gray SUBJECT minutes HEADER Message-ID "" TO imap
    S: * SEARCH 1
    S: f OK SEARCH completed
    C: g SEARCH BODY needle
    S: * SEARCH 3
    S: g OK SEARCH completed
    C: h SEARCH LARGER 200 SMALLER 400
    S: * SEARCH 2
    S: h OK SEARCH completed
    C: i SEARCH SENTON 17-Jul-1996
    S: * SEARCH 1
    S: i OK SEARCH completed
    C: j SEARCH SINCE 1-Jan-2020
    S: * SEARCH 1 2 3
    S: j OK SEARCH completed
    C: k SEARCH BEFORE 1-Jan-2020
    S: * SEARCH
    S: k OK SEARCH completed
    C: l SEARCH RECENT
    S: * SEARCH
    S: l OK SEARCH completed
    C: m SEARCH (OLD (NOT NEW)) KEYWORD unknown
    S: * SEARCH
    S: m OK SEARCH completed
    C: n SEARCH 4
    S: n BAD No such message number
    C: o SEARCH CHARSET X-UNKNOWN ALL
    S: o NO [BADCHARSET (UTF-8 US-ASCII)] Unknown charset
    C: p SEARCH CHARSET UTF-8 SUBJECT {4+}
    C: grü
    S: * SEARCH 2
    S: p OK SEARCH completed
  )");
}

TEST_F(MessageTest, WhatCannotBeMarkedAsSeenIsReadAllTheSame) {
  Append("Subject: x\r\n\r\nbody\r\n");
  SetFlagsLost(true);
  RunSelected(R"(
    C: a FETCH 1 BODY[TEXT]
    S: * 1 FETCH (BODY[TEXT] {6}
    S: body
    S: )
    S: a OK FETCH completed
    C: b STORE 1 +FLAGS (\Seen)
    S: b NO [UNAVAILABLE] ...
    C: c FETCH 1 FLAGS
    S: * 1 FETCH (FLAGS ())
    S: c OK FETCH completed
  )");
}

TEST_F(MessageTest, AnEarlyInternalDateIsTheEarliestThatTheStoreKnows) {
  RunLoggedIn(R"(
    C: a APPEND INBOX "01-Jan-1970 00:00:00 +0000" {1+}
    C: x
    S: a OK [APPENDUID ...
    C: b APPEND INBOX "31-Dec-1950 00:00:00 +0000" {1+}
    C: x
    S: b OK [APPENDUID ...
    C: c SELECT INBOX
    S*: c OK ...
    C: d FETCH 1:2 INTERNALDATE
    S: * 1 FETCH (INTERNALDATE " 1-Jan-1970 00:00:00 +0000")
    S: * 2 FETCH (INTERNALDATE " 1-Jan-1970 00:00:00 +0000")
    S: d OK FETCH completed
  )");
}

}  // namespace
}  // namespace rmail::gateway::imap
