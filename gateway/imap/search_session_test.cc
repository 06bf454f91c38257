// Searches that need more of the server than a transcript can say: the store out of reach, notes of
// progress, many messages.
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

class SearchSessionTest : public ImapFixture {
 protected:
  void AppendSome(int count) {
    for (int i = 0; i < count; ++i) {
      Append("Subject: x\r\n\r\nbody\r\n", i % 2 == 0 ? "(\\Seen)" : "()");
    }
  }
};

TEST_F(SearchSessionTest, FlagsAndNumbersNeedNoStore) {
  AppendSome(4);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  Select(transcript, 1);
  SetStoreLost(true);
  transcript.Run(R"(
    C: a SEARCH UNSEEN
    S: * SEARCH 2 4
    S: a OK SEARCH completed
    C: b UID SEARCH RETURN (SAVE MIN) 2:* SEEN
    S: * ESEARCH (TAG "b") UID MIN 3
    S: b OK SEARCH completed
    C: c SEARCH $
    S: * SEARCH 3
    S: c OK SEARCH completed
  )");
}

TEST_F(SearchSessionTest, WhatFailsSavesNothing) {
  AppendSome(2);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  Select(transcript, 1);
  transcript.Run(R"(
    C: a SEARCH RETURN (SAVE) ALL
    S: a OK SEARCH completed
  )");
  SetStoreLost(true);
  transcript.Run(R"(
    C: b SEARCH SUBJECT x
    S: b NO [UNAVAILABLE] ...
    C: c SEARCH $
    S: * SEARCH 1 2
    S: c OK SEARCH completed
    C: d SEARCH RETURN (SAVE COUNT) SUBJECT x
    S: d NO [UNAVAILABLE] ...
    C: e SEARCH $
    S: * SEARCH
    S: e OK SEARCH completed
    C: f SORT (SUBJECT) UTF-8 ALL
    S: f NO [UNAVAILABLE] ...
    C: g THREAD REFERENCES UTF-8 ALL
    S: g NO [UNAVAILABLE] ...
  )");
}

TEST_F(SearchSessionTest, AContextOutlivesAStoreThatIsLost) {
  AppendSome(2);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  Select(transcript, 1);
  transcript.Run(R"(
    C: a UID SEARCH RETURN (UPDATE COUNT) UNSEEN
    S: * ESEARCH (TAG "a") UID COUNT 1
    S: a OK SEARCH completed
  )");
  SetStoreLost(true);
  transcript.Run(R"(
    C: b NOOP
    S: b ...
  )");
  SetStoreLost(false);
  AppendSome(2);
  transcript.Run(R"(
    C: c NOOP
    S: * 4 EXISTS
    S: * ESEARCH (TAG "a") UID ADDTO (0 4)
    S: c OK ...
  )");
}

TEST_F(SearchSessionTest, LongSearchesGiveNotesOfProgress) {
  ImapOptions options = FastOptions();
  options.progress_delay = absl::ZeroDuration();
  StartServer(options);
  AppendSome(1);
  RunSelected(R"(
    C: a SEARCH SUBJECT x
    S: * OK [INPROGRESS ("a" NIL NIL)] ...
    S: * SEARCH 1
    S: a OK SEARCH completed
    C: b] SORT (SUBJECT) UTF-8 ALL
    S: * OK [INPROGRESS (NIL NIL NIL)] ...
    S: * SORT 1
    S: b] OK SORT completed
    C: c SEARCH SEEN
    S: * SEARCH 1
    S: c OK SEARCH completed
  )");
}

TEST_F(SearchSessionTest, SeveralSearchesWaitTheirTurn) {
  AppendSome(2);
  RunSelected(R"(
    C: a SEARCH RETURN (SAVE) SUBJECT x
    C: b UID STORE $ +FLAGS.SILENT (\Flagged)
    C: c SEARCH RETURN (SAVE) UNSEEN
    C: d FETCH $ (FLAGS)
    S: a OK SEARCH completed
    S: b OK STORE completed
    S: c OK SEARCH completed
    S: * 2 FETCH (FLAGS (\Flagged))
    S: d OK FETCH completed
  )");
}

}  // namespace
}  // namespace rmail::gateway::imap
