// Several sessions on one mailbox: they agree on what is there, and none is told of an EXPUNGE at
// the wrong time.
#include <gtest/gtest.h>

#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

class TwoSessionsTest : public ImapFixture {
 protected:
  TwoSessionsTest() : transcript_(server().port()) {
    for (int i = 0; i < 3; ++i) Append("Subject: x\r\n\r\nbody\r\n");
    for (const int connection : {1, 2}) {
      LogIn(transcript_, connection);
      Select(transcript_, connection);
    }
  }
  Transcript transcript_;
};

TEST_F(TwoSessionsTest, FlagsReachTheOther) {
  transcript_.Run(R"(
    C1: a STORE 2 +FLAGS (\Flagged)
    S1: * 2 FETCH (FLAGS (\Flagged))
    S1: a OK STORE completed
    C2: b NOOP
    S2: * 2 FETCH (UID 2 FLAGS (\Flagged))
    S2: b OK NOOP completed
    C2: c STORE 2 +FLAGS (shared)
    S2: * FLAGS (... shared)
    S2: * OK [PERMANENTFLAGS (... shared \*)] ...
    S2: * 2 FETCH (FLAGS (\Flagged shared))
    S2: c OK STORE completed
    C1: d NOOP
    S1: * FLAGS (... shared)
    S1: * OK [PERMANENTFLAGS (... shared \*)] ...
    S1: * 2 FETCH (UID 2 FLAGS (\Flagged shared))
    S1: d OK NOOP completed
  )");
}

TEST_F(TwoSessionsTest, ExpungesWaitForTheRightMoment) {
  transcript_.Run(R"(
    C1: a STORE 1 +FLAGS.SILENT (\Deleted)
    S1: a OK STORE completed
    C1: b EXPUNGE
    S1: * 1 EXPUNGE
    S1: b OK EXPUNGE completed
    # The other one still has its numbers: the message that is gone has its place among them.
    C2: c FETCH 2 UID
    S2: ...FETCH (UID 2...
    S2*: c OK ...
    C2: d FETCH 1:3 RFC822.SIZE
    S2*: * 2 FETCH (RFC822.SIZE 20)
    S2: * 3 FETCH (RFC822.SIZE 20)
    S2: d OK [EXPUNGEISSUED] FETCH completed, but some messages are gone
    C2: e STORE 3 +FLAGS (\Seen)
    S2: * 3 FETCH (FLAGS (\Seen))
    S2: e OK STORE completed
    C2: f SEARCH ALL
    S2: * SEARCH 2 3
    S2: f OK SEARCH completed
    C2: g NOOP
    S2: * 1 EXPUNGE
    S2: g OK NOOP completed
    C2: h SEARCH ALL
    S2: * SEARCH 1 2
    S2: h OK SEARCH completed
  )");
}

TEST_F(TwoSessionsTest, UidCommandsMayReportExpunges) {
  transcript_.Run(R"(
    C1: a UID STORE 3 +FLAGS.SILENT (\Deleted)
    S1: a OK STORE completed
    C1: b EXPUNGE
    S1: * 3 EXPUNGE
    S1: b OK EXPUNGE completed
    C2: c NOOP
    S2: * 3 EXPUNGE
    S2: c OK NOOP completed
    C2: d UID FETCH 1:* UID
    S2: * 1 FETCH (UID 1)
    S2: * 2 FETCH (UID 2)
    S2: d OK FETCH completed
  )");
}

TEST_F(TwoSessionsTest, NewMessagesReachTheOther) {
  Append("Subject: new\r\n\r\n");
  transcript_.Run(R"(
    C1: a CHECK
    S1: * 4 EXISTS
    S1: a OK CHECK completed
    C1: b FETCH * UID
    S1: * 4 FETCH (UID 4)
    S1: b OK FETCH completed
  )");
}

TEST_F(TwoSessionsTest, IdlePushesChanges) {
  transcript_.Run(R"(
    C1: a IDLE
    S1: + idling
    C2: b STORE 1 +FLAGS (\Deleted)
    S2: * 1 FETCH (FLAGS (\Deleted))
    S2: b OK STORE completed
    S1: * 1 FETCH (UID 1 FLAGS (\Deleted))
    C2: c EXPUNGE
    S2: * 1 EXPUNGE
    S2: c OK EXPUNGE completed
    S1: * 1 EXPUNGE
  )");
  Append("Subject: new\r\n\r\n");
  transcript_.Run(R"(
    S1: * 3 EXISTS
    C1: done
    S1: a OK IDLE completed
    C1: d IDLE
    S1: + idling
    C1: NOOP
    S1: d BAD DONE expected
    C1: e NOOP
    S1: e OK NOOP completed
  )");
}

TEST_F(TwoSessionsTest, IdleStartsWithWhatHappenedBefore) {
  transcript_.Run(R"(
    C2: a STORE 1 +FLAGS (\Answered)
    S2: * 1 FETCH (FLAGS (\Answered))
    S2: a OK STORE completed
    C1: b IDLE
    S1: + idling
    S1: * 1 FETCH (UID 1 FLAGS (\Answered))
    C1: DONE
    S1: b OK IDLE completed
  )");
}

}  // namespace
}  // namespace rmail::gateway::imap
