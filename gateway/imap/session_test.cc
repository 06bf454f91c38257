// Login, states, limits and the end of sessions.
#include <gtest/gtest.h>

#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

using SessionTest = ImapFixture;
using Tls = testing::LineClient::Tls;

TEST_F(SessionTest, GreetsAndLogsInAndOut) {
  Run(R"(
    S: * OK [CAPABILITY IMAP4rev1 ... AUTH=PLAIN ...] mail.example.com ready
    C: a CAPABILITY
    S: * CAPABILITY IMAP4rev1 ... AUTH=PLAIN ...
    S: a OK CAPABILITY completed
    C: b ID ("name" "test" "version" NIL)
    S: * ID ("name" "rmail")
    S: b OK ID completed
    C: c NOOP
    S: c OK NOOP completed
    C: d login ALICE@example.com "secret"
    S: d OK [CAPABILITY IMAP4rev1 ... UNSELECT ...] Logged in
    C: e NAMESPACE
    S: * NAMESPACE (("" "/")) NIL NIL
    S: e OK NAMESPACE completed
    C: f ENABLE CONDSTORE
    S: * ENABLED CONDSTORE
    S: f OK ENABLE completed
    C: g LOGOUT
    S: * BYE Logging out
    S: g OK LOGOUT completed
    EOF:
  )");
}

TEST_F(SessionTest, AuthenticatesWithPlain) {
  // "\0alice@example.com\0secret"
  const std::string kMessage = "AGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldA==";
  Run("S: ...\nC: a AUTHENTICATE PLAIN " + kMessage + "\nS: a OK [CAPABILITY ...] Logged in");
  Run("S: ...\nC: a authenticate plain\nS: + \nC: " + kMessage + "\nS: a OK ... Logged in");
  Run(R"(
    S: ...
    C: a AUTHENTICATE PLAIN
    S: +...
    C: *
    S: a BAD AUTHENTICATE cancelled
    C: b AUTHENTICATE PLAIN =
    S: b NO [AUTHENTICATIONFAILED] Invalid address or password
    C: c AUTHENTICATE PLAIN !!!!
    S: c BAD Invalid base64
    # To act as bob with alice's password.
    C: d AUTHENTICATE PLAIN Ym9iAGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldA==
    S: d NO [AUTHENTICATIONFAILED] Invalid address or password
    C: e AUTHENTICATE SCRAM-SHA-1
    S: e NO [CANNOT] Unknown authentication mechanism
    C: f AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHdyb25n
    S: f NO [AUTHENTICATIONFAILED] Invalid address or password
  )");
}

TEST_F(SessionTest, CredentialsThatAreNotUtf8AreAFailedLogin) {
  ImapOptions options = FastOptions();
  options.max_login_failures = 2;
  StartServer(options);
  Transcript transcript(server().port());
  transcript.client().Send("a LOGIN alice@example.com \"\xff\"\r\n");
  transcript.Run(R"(
    S: ...
    S: a NO [AUTHENTICATIONFAILED] Invalid address or password
    # NUL, octet 255, NUL, "x".
    C: b AUTHENTICATE PLAIN AP8AeA==
    S: * BYE Too many failed logins
    S: b NO [AUTHENTICATIONFAILED] Invalid address or password
    EOF:
  )");
}

TEST_F(SessionTest, WrongPasswordsEndTheSession) {
  ImapOptions options = FastOptions();
  options.max_login_failures = 3;
  StartServer(options);
  Run(R"(
    S: ...
    C: a LOGIN alice@example.com wrong
    S: a NO [AUTHENTICATIONFAILED] Invalid address or password
    C: b LOGIN nobody@example.com secret
    S: b NO [AUTHENTICATIONFAILED] Invalid address or password
    C: c LOGIN alice@example.com wrong
    S: * BYE Too many failed logins
    S: c NO [AUTHENTICATIONFAILED] Invalid address or password
    EOF:
  )");
}

TEST_F(SessionTest, ADisabledAccountIsRefused) {
  store().SetDisabled("alice@example.com", true);
  Run(R"(
    S: ...
    C: a LOGIN alice@example.com secret
    S: a NO [AUTHORIZATIONFAILED] The account is disabled
  )");
}

TEST_F(SessionTest, StatesAreEnforced) {
  Run(R"(
    S: ...
    C: a SELECT INBOX
    S: a BAD Log in first
    C: b FETCH 1 FLAGS
    S: b BAD Log in first
    C: c LOGIN alice@example.com secret
    S: c OK ...
    C: d FETCH 1 FLAGS
    S: d BAD Select a mailbox first
    C: e LOGIN alice@example.com secret
    S: e BAD Not after login
    C: f STARTTLS
    S: f BAD Not after login
    C: g SELECT Nowhere
    S: g NO [NONEXISTENT] No such mailbox
    C: h SELECT INBOX
    S*: h OK [READ-WRITE] SELECT completed
    C: i ENABLE X
    S: i BAD Not while a mailbox is selected
    # A SELECT that fails leaves nothing selected.
    C: j SELECT Nowhere
    S: j NO [NONEXISTENT] No such mailbox
    C: k CHECK
    S: k BAD Select a mailbox first
  )");
}

TEST_F(SessionTest, MalformedCommandsDoNotEndALoggedInSession) {
  std::string script;
  for (int i = 0; i < 30; ++i) script += "C: x FOO\nS: x BAD Unknown command\n";
  RunLoggedIn(script + "C: a NOOP\nS: a OK NOOP completed");
}

TEST_F(SessionTest, TenMalformedCommandsEndASessionBeforeLogin) {
  std::string script = "S: ...\nC: a FOO\nS: a BAD ...\nC: b NOOP\nS: b OK ...\n";
  for (int i = 0; i < 9; ++i) script += "C: (\nS: * BAD Invalid tag\n";
  Run(script + "C: GET / HTTP/1.1\nS: * BYE Too many invalid commands\nS: GET BAD ...\nEOF:");
}

TEST_F(SessionTest, Literals) {
  Transcript transcript(server().port());
  transcript.Run(R"(
    S: ...
    C: a LOGIN {17}
    S: + ...
    C: alice@example.com {6+}
    C: secret
    S: a OK ...
    C: b STATUS {5+}
    C: INBOX (MESSAGES)
    S: * STATUS INBOX (MESSAGES 0)
    S: b OK STATUS completed
  )");
  // Octet by octet.
  for (const char c : std::string_view("c STATUS {5}\r\n")) transcript.client().Send({&c, 1});
  transcript.Run("S: + ...");
  for (const char c : std::string_view("INBOX (UNSEEN)\r\n")) transcript.client().Send({&c, 1});
  transcript.Run("S: * STATUS INBOX (UNSEEN 0)\nS: c OK ...");
}

TEST_F(SessionTest, WhatIsTooLargeIsRefusedAndTheSessionGoesOn) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.Run(R"(
    C: a STATUS {65537}
    S: a BAD [TOOBIG] The command is too long
    C: b NOOP
    S: b OK ...
  )");
  transcript.client().Send("c STATUS {1000000+}\r\n" + std::string(1000000, '\n') + " ()\r\n");
  transcript.Run("S: c BAD [TOOBIG] The command is too long\nC: d NOOP\nS: d OK ...");
  transcript.client().Send("e NOOP " + std::string(200000, 'x') + "\r\n");
  transcript.Run("S: e BAD [TOOBIG] The command is too long\nC: f NOOP\nS: f OK ...");
  // 64 KiB are not too much, nor is more in several lines.
  const std::string half(40'000, 'x');
  transcript.client().Send("g STATUS " + std::string(65'500, 'x') + " (MESSAGES)\r\n");
  transcript.Run("S: g NO [NONEXISTENT] ...");
  transcript.client().Send("h SEARCH TEXT " + half + " TEXT {1+}\r\nx TEXT " + half + "\r\n");
  transcript.Run("S: h BAD Select a mailbox first");
  // A literal that such a line announces is skipped with it.
  transcript.client().Send("i LOGIN " + std::string(70'000, 'x') + " {8+}\r\nj NOOP\r\n\r\n");
  transcript.Run("S: i BAD [TOOBIG] The command is too long\nC: k NOOP\nS: k OK ...");
  // What is behind a message is a line like any other.
  transcript.client().Send("l APPEND INBOX {1+}\r\nx" + std::string(70'000, ' ') +
                           "{8+}\r\nm NOOP\r\n\r\n");
  transcript.Run("S: l BAD The line is too long\nC: n NOOP\nS: n OK ...");
}

TEST_F(SessionTest, AnOverlongLineEndsTheSession) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  // What the line announces must not be taken for commands.
  transcript.client().Send("a NOOP " + std::string(300000, 'x') + " {8+}\r\nb NOOP\r\n\r\n");
  transcript.Run("S: * BYE [TOOBIG] The line is too long\nEOF:");
  LogIn(transcript, 2);
  transcript.client(2).Send("a APPEND INBOX {1+}\r\nx" + std::string(300000, 'x') + "\r\n");
  transcript.Run("S2: * BYE [TOOBIG] The line is too long\nEOF2:");
}

TEST_F(SessionTest, AnswersDoNotWaitForTheRestOfTheNextCommand) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.client().Send("a NOOP\r\nb NO");
  transcript.Run("S: a OK ...");
  transcript.client().Send("OP\r\nc NOOP\r\nd STATUS {5+}\r\nIN");
  transcript.Run("S: b OK ...\nS: c OK ...");
  transcript.client().Send("BOX (MESSAGES)\r\n");
  transcript.Run("S: * STATUS INBOX (MESSAGES 0)\nS: d OK ...");
}

TEST_F(SessionTest, PipelinedCommandsAreAnsweredInOrder) {
  Transcript transcript(server().port());
  transcript.client().Send(
      "a LOGIN alice@example.com secret\r\nb SELECT INBOX\r\nc NOOP\r\nd FOO\r\ne LOGOUT\r\nf "
      "NOOP\r\n");
  transcript.Run(R"(
    S: * OK ...
    S: a OK ...
    S*: b OK [READ-WRITE] SELECT completed
    S: c OK NOOP completed
    S: d BAD Unknown command
    S: * BYE Logging out
    S: e OK LOGOUT completed
    EOF:
  )");
}

TEST_F(SessionTest, HostileOctetsAreAnsweredWithBad) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.client().Send(std::string("\0\xff\x01\r\n", 5));
  transcript.Run("S: * BAD Invalid tag");
  transcript.client().Send("a LOGIN \"x\\\r\n");
  transcript.Run("S: a BAD ...");
  transcript.client().Send("\r\n");
  transcript.Run("S: * BAD Invalid tag");
  transcript.Run("C: b SELECT {18446744073709551616}\nS: b BAD ...");
}

TEST_F(SessionTest, StartTls) {
  StartServer(FastOptions(), true);
  Run(R"(
    S: * OK [CAPABILITY IMAP4rev1 ... STARTTLS LOGINDISABLED] ...
    C: a LOGIN alice@example.com secret
    S: a NO [PRIVACYREQUIRED] Use STARTTLS first
    C: b AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldA==
    S: b NO [PRIVACYREQUIRED] Use STARTTLS first
    C: c STARTTLS
    S: c OK Begin TLS negotiation now
    TLS:
    C: d CAPABILITY
    S: * CAPABILITY IMAP4rev1 ... AUTH=PLAIN ...
    S: d OK ...
    C: e STARTTLS
    S: e BAD TLS is up already
    C: f LOGIN alice@example.com secret
    S: f OK ...
  )");
}

TEST_F(SessionTest, NothingPipelinedBehindStartTlsIsExecuted) {
  StartServer(FastOptions(), true);
  Transcript transcript(server().port());
  transcript.Run("S: ...");
  transcript.client().Send("a STARTTLS\r\nb LOGIN alice@example.com secret\r\n");
  transcript.Run(R"(
    S: a OK Begin TLS negotiation now
    TLS:
    C: c CHECK
    S: c BAD Log in first
  )");
}

TEST_F(SessionTest, ImplicitTls) {
  StartServer(FastOptions(), true);
  Transcript(server().imaps_port(), Tls::kOn).Run(R"(
    S: * OK [CAPABILITY IMAP4rev1 ... AUTH=PLAIN ...] ...
    C: a LOGIN alice@example.com secret
    S: a OK ...
  )");
}

TEST_F(SessionTest, SilentClientsAreLoggedOut) {
  ImapOptions options = FastOptions();
  options.login_timeout = absl::Milliseconds(50);
  StartServer(options);
  Run("S: * OK ...\nS: * BYE Autologout, idle for too long\nEOF:");
}

TEST_F(SessionTest, ABusyClientMustLogInInTimeToo) {
  ImapOptions options = FastOptions();
  options.login_timeout = absl::Milliseconds(200);
  StartServer(options);
  Transcript transcript(server().port());
  transcript.Run("S: * OK ...");
  std::string answer;
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!answer.starts_with("* BYE") && absl::Now() < give_up) {
    transcript.client().SendLine("a NOOP");
    answer = transcript.client().ReadLine();
  }
  EXPECT_EQ(answer, "* BYE Autologout, idle for too long");
}

TEST_F(SessionTest, LoginEndsTheTimeForIt) {
  ImapOptions options = FastOptions();
  options.login_timeout = absl::Milliseconds(500);
  StartServer(options);
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  const absl::Time later = absl::Now() + absl::Milliseconds(600);
  while (absl::Now() < later) transcript.Run("C: a NOOP\nS: a OK ...");
}

TEST_F(SessionTest, IdleClientsAreLoggedOutToo) {
  ImapOptions options = FastOptions();
  options.idle_timeout = absl::Milliseconds(300);
  StartServer(options);
  RunSelected(R"(
    C: a IDLE
    S: + idling
    S: * BYE Autologout, idle for too long
    S: a OK IDLE ended
    EOF:
  )");
}

TEST_F(SessionTest, ADrainDoesNotWaitForALoginsDelay) {
  ImapOptions options = FastOptions();
  options.login_delay = absl::Hours(1);
  StartServer(options);
  Transcript transcript(server().port());
  transcript.Run("S: ...\nC: a LOGIN alice@example.com wrong");
  server().Drain(absl::Seconds(10));
  transcript.Run("S*: * BYE The server is shutting down\nEOF:");
}

TEST_F(SessionTest, ADrainSaysBye) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  LogIn(transcript, 2);
  Select(transcript, 2);
  transcript.Run("C2: a IDLE\nS2: + idling");
  server().Drain(absl::Seconds(10));
  transcript.Run(R"(
    S: * BYE The server is shutting down
    EOF:
    S2: a OK IDLE ended
    S2: * BYE The server is shutting down
    EOF2:
  )");
}

TEST_F(SessionTest, ALostStoreIsUnavailableAndTheSessionGoesOn) {
  Append("Subject: x\r\n\r\nbody\r\n");
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  Select(transcript, 1);
  SetStoreLost(true);
  transcript.Run(R"(
    C: a STATUS INBOX (MESSAGES)
    S: a NO [UNAVAILABLE] ...
    C: b NOOP
    S: b NO [UNAVAILABLE] ...
    C: c FETCH 1 BODY.PEEK[]
    S: c NO [UNAVAILABLE] ...
    C: d STORE 1 +FLAGS (\Seen)
    S: d NO [UNAVAILABLE] ...
    C: e SEARCH ALL
    S: e NO [UNAVAILABLE] ...
    C: f APPEND INBOX {3}
    S: f NO [UNAVAILABLE] ...
    C: g CAPABILITY
    S: * CAPABILITY ...
    S: g OK ...
    C2: a LOGIN alice@example.com secret
    S2: * OK ...
    S2: a NO [UNAVAILABLE] ...
  )");
  SetStoreLost(false);
  transcript.Run(R"(
    C: h STORE 1 +FLAGS (\Seen)
    S: * 1 FETCH (FLAGS (\Seen))
    S: h OK STORE completed
    C2: b LOGIN alice@example.com secret
    S2: b OK ...
  )");
}

TEST_F(SessionTest, ASelectThatFindsNoStoreLeavesNothingSelected) {
  Transcript transcript(server().port());
  LogIn(transcript, 1);
  transcript.Run("C: a ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: a OK ...");
  Select(transcript, 1);
  SetStoreLost(true);
  transcript.Run(R"(
    C: b SELECT INBOX
    S: * OK [CLOSED] The previous mailbox is closed
    S: b NO [UNAVAILABLE] ...
    C: c CHECK
    S: c BAD Select a mailbox first
  )");
  SetStoreLost(false);
  transcript.Run("C: d SELECT INBOX\nS*: d OK [READ-WRITE] SELECT completed");
}

}  // namespace
}  // namespace rmail::gateway::imap
