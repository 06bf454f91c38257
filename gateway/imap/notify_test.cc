// NOTIFY where a transcript can't follow: limits and a store that is away for a while.
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "gateway/imap/imap_fixture.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "store/client/store_client.h"

namespace rmail::gateway::imap {
namespace {

class NotifyTest : public ImapFixture {
 protected:
  // Not by way of the gateway.
  void MakeMailbox(const std::string& path) {
    store::v1::CreateMailboxRequest request;
    request.set_parent("accounts/alice@example.com");
    request.set_path(path);
    client::CallOptions options;
    options.token = store().AdminToken();
    std::promise<absl::Status> done;
    store().client().Call(options, request,
                          [&](const absl::StatusOr<store::v1::CreateMailboxResponse>& response) {
                            done.set_value(response.status());
                          });
    const absl::Status status = done.get_future().get();
    EXPECT_TRUE(status.ok()) << status;
  }
};

TEST_F(NotifyTest, TooManyNamesAreRefused) {
  std::string names;
  for (int i = 0; i < 1001; ++i) names += " x";
  names.front() = '(';
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.client().SendLine("a NOTIFY SET (mailboxes " + names + ") (MailboxName))");
  EXPECT_EQ(transcript.client().ReadLine(), "a NO [NOTIFICATIONOVERFLOW] Too many mailboxes");
}

TEST_F(NotifyTest, TooManyMailboxesEndIt) {
  ImapOptions options = FastOptions();
  options.max_notify_mailboxes = 7;
  StartServer(options);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  // Six are there from the start.
  transcript.Run(R"(
    C: a NOTIFY SET (personal (MessageNew MessageExpunge))
    S: a OK NOTIFY completed
  )");
  MakeMailbox("one");
  Append("Subject: x\r\n\r\nbody\r\n", "()", "one");
  transcript.Run(R"(
    S: * STATUS one (MESSAGES 1 ...
  )");
  MakeMailbox("two");
  transcript.Run(R"(
    S: * OK [NOTIFICATIONOVERFLOW] Too many mailboxes
    C: b NOTIFY SET (personal (MessageNew MessageExpunge))
    S: b NO [NOTIFICATIONOVERFLOW] Too many mailboxes
    C: c NOTIFY SET (mailboxes two (MessageNew MessageExpunge))
    S: c OK NOTIFY completed
  )");
  Append("Subject: x\r\n\r\nbody\r\n", "()", "two");
  transcript.Run(R"(
    S: * STATUS two (MESSAGES 1 ...
  )");
}

TEST_F(NotifyTest, IdleOutlastsAnOverflow) {
  ImapOptions options = FastOptions();
  options.max_notify_mailboxes = 6;
  StartServer(options);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.Run(R"(
    C: a SELECT INBOX
    S*: a OK ...
    C: b NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))
    S: b OK NOTIFY completed
    C: c IDLE
    S: + idling
  )");
  MakeMailbox("one");
  transcript.Run(R"(
    S: * OK [NOTIFICATIONOVERFLOW] Too many mailboxes
  )");
  Append("Subject: x\r\n\r\nbody\r\n");
  transcript.Run(R"(
    S: * 1 EXISTS
    C: DONE
    S: c OK IDLE completed
  )");
}

TEST_F(NotifyTest, WhatHappensWhileTheStoreIsAwayIsToldLater) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.Run(R"(
    C: a NOTIFY SET (personal (MailboxName))
    S: a OK NOTIFY completed
  )");
  SetStoreLost(true);
  MakeMailbox("one");
  // The server has looked, and could not.
  transcript.Run(R"(
    C: b NOOP
    S: b OK NOOP completed
  )");
  SetStoreLost(false);
  MakeMailbox("two");
  transcript.Run(R"(
    S: * LIST () "/" one
    S: * LIST () "/" two
  )");
}

TEST_F(NotifyTest, ASessionMayEndAtAnyTime) {
  for (int i = 0; i < 8; ++i) {
    Transcript transcript(server().port());
    LogIn(transcript, 1);
    transcript.Run(R"(
      C: a NOTIFY SET (personal (MailboxName MessageNew MessageExpunge))
      S: a OK NOTIFY completed
    )");
    MakeMailbox("m" + std::to_string(i));
    Append("Subject: x\r\n\r\nbody\r\n");
  }
}

}  // namespace
}  // namespace rmail::gateway::imap
