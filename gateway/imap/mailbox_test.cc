// Mailboxes: LIST, CREATE, STATUS, SELECT.
#include <gtest/gtest.h>

#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

using MailboxTest = ImapFixture;

TEST_F(MailboxTest, ListsTheDefaultMailboxes) {
  RunLoggedIn(R"(
    C: a LIST "" *
    S: * LIST (\HasNoChildren) "/" INBOX
    S: * LIST (\HasNoChildren \Archive) "/" Archive
    S: * LIST (\HasNoChildren \Drafts) "/" Drafts
    S: * LIST (\HasNoChildren \Junk) "/" Junk
    S: * LIST (\HasNoChildren \Sent) "/" Sent
    S: * LIST (\HasNoChildren \Trash) "/" Trash
    S: a OK LIST completed
    C: b LIST "" ""
    S: * LIST (\Noselect) "/" ""
    S: b OK LIST completed
    C: c LSUB "" inb%
    S: * LSUB () "/" INBOX
    S: c OK LSUB completed
  )");
}

TEST_F(MailboxTest, CreatesMailboxes) {
  RunLoggedIn(R"(
    C: a CREATE Projects/&AOk-t&AOk-/
    S: a OK [MAILBOXID (...)] CREATE completed
    C: b CREATE Projects/&AOk-t&AOk-
    S: b NO [ALREADYEXISTS] The mailbox exists already
    C: c CREATE inbox
    S: c NO [ALREADYEXISTS] The mailbox exists already
    C: d LIST "" Pro*
    S: * LIST (\HasChildren) "/" Projects
    S: * LIST (\HasNoChildren) "/" Projects/&AOk-t&AOk-
    S: d OK LIST completed
    C: e SELECT Projects/&AOk-t&AOk-
    S*: e OK [READ-WRITE] SELECT completed
    C: f CREATE ""
    S: f NO [CANNOT] Invalid mailbox name
    C: g CREATE a//b
    S: g NO [CANNOT] Invalid mailbox name
  )");
}

TEST_F(MailboxTest, SelectsAndExamines) {
  Append("Subject: 1\r\n\r\nbody\r\n", "(\\Seen)");
  Append("Subject: 2\r\n\r\nbody\r\n", "($Important)");
  RunLoggedIn(R"(
    C: a STATUS inbox (MESSAGES RECENT UIDNEXT UNSEEN SIZE)
    S: * STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UNSEEN 1 SIZE 40)
    S: a OK STATUS completed
    C: b SELECT INBOX
    S: * FLAGS (\Seen \Answered \Flagged \Deleted \Draft $Forwarded $MDNSent $Junk $NotJunk $Phishing $Important)
    S: * OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft $Forwarded $MDNSent $Junk $NotJunk $Phishing $Important \*)] ...
    S: * 2 EXISTS
    S: * 0 RECENT
    S: * OK [UNSEEN 2] First unseen message
    S: * OK [UIDVALIDITY ...] UIDs are valid
    S: * OK [UIDNEXT 3] Predicted next UID
    S: * OK [HIGHESTMODSEQ ...] Highest
    S: * OK [MAILBOXID (...)] ...
    S: b OK [READ-WRITE] SELECT completed
    C: c EXAMINE INBOX
    S: * FLAGS (...)
    S: * OK [PERMANENTFLAGS ()] No flag can be changed
    S: * 2 EXISTS
    S*: c OK [READ-ONLY] EXAMINE completed
    C: d STORE 1 +FLAGS (\Deleted)
    S: d NO [READ-ONLY] ...
    C: e EXPUNGE
    S: e NO [READ-ONLY] ...
    C: f FETCH 2 BODY[TEXT]
    S: * 2 FETCH (BODY[TEXT] {6}
    S: body
    S: )
    S: f OK FETCH completed
    C: g FETCH 2 FLAGS
    S: * 2 FETCH (FLAGS ($Important))
    S: g OK FETCH completed
    C: h UNSELECT
    S: h OK UNSELECT completed
    C: i STATUS Sent (UNSEEN)
    S: * STATUS Sent (UNSEEN 0)
    S: i OK STATUS completed
    C: j STATUS Nowhere (UNSEEN)
    S: j NO [NONEXISTENT] No such mailbox
  )");
}

TEST_F(MailboxTest, CloseExpungesAndUnselectDoesNot) {
  Append("Subject: 1\r\n\r\nbody\r\n", "(\\Deleted)");
  RunSelected(R"(
    C: a UNSELECT
    S: a OK UNSELECT completed
    C: b EXAMINE INBOX
    S*: * 1 EXISTS
    S*: b OK ...
    C: c CLOSE
    S: c OK CLOSE completed
    C: d SELECT INBOX
    S*: * 1 EXISTS
    S*: d OK ...
    C: e CLOSE
    S: e OK CLOSE completed
    C: f STATUS INBOX (MESSAGES)
    S: * STATUS INBOX (MESSAGES 0)
    S: f OK STATUS completed
  )");
}

}  // namespace
}  // namespace rmail::gateway::imap
