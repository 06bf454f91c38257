#include "gateway/smtp/session_fuzz.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace rmail::gateway::smtp {
namespace {

constexpr std::string_view kCommands[] = {
    "MAIL FROM:<sender@example.net>",
    "MAIL FROM:<alice@example.com> RET=HDRS ENVID=QQ+2B1",
    "MAIL FROM:<> BODY=8BITMIME SMTPUTF8 SIZE=1000",
    "MAIL FROM:<sender@example.net> BODY=BINARYMIME",
    "RCPT TO:<alice@example.com>",
    "RCPT TO:<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob+2Bx@c.example",
    "RCPT TO:<both@example.com>",
    "RCPT TO:<nobody@example.com>",
    "RCPT TO:<x@elsewhere.example> ORCPT=utf-8;\\x{FC}@c.example",
    "RCPT TO:<postmaster>",
    "RSET",
    "NOOP",
    "VRFY alice",
    "HELP",
    "EHLO client.example.net",
    "LHLO client.example.net",
    "HELO [192.0.2.1]",
    "STARTTLS",
    "AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldA==",
    "AUTH LOGIN",
    "QUIT",
};

constexpr std::string_view kTokens[] = {
    " ",          "<",           ">",
    "@",          "\"",          "\\",
    ":",          "=",           "+0D",
    "\r",         "\n",          "\r\n",
    "\t",         "SIZE=",       "SMTPUTF8",
    "RET=FULL",   ",",           ";",
    "NOTIFY=",    "ORCPT=",      "\xc3\xbc",
    "\xff",       "<@a,@b:c>",   "BODY=",
    "BDAT ",      "[127.0.0.1]", "99999999999999999999",
    "REQUIRETLS", "{3}",         "%s%n",
};

constexpr std::string_view kLines[] = {
    "From: alice@example.com",
    "From: bob@example.com",
    "Subject: hi",
    "",
    ".",
    "..",
    "text",
    "Received: x",
    "a\nb",
    "a\rb",
    "\xe4",
    "NOOP",
    "QUIT",
};

// The server takes it for a chunk that follows.
bool MayBeBdat(std::string_view command) {
  std::string letters;
  for (const char c : command.substr(0, 64)) {
    if (static_cast<unsigned char>(c) > ' ') letters += static_cast<char>(std::toupper(c));
  }
  return letters.find("BDAT") != std::string::npos;
}

bool StartsWithWord(std::string_view command, std::string_view word) {
  return command.size() >= word.size() &&
         std::equal(word.begin(), word.end(), command.begin(),
                    [](char a, char b) { return a == std::toupper(b); });
}

// Pipelined, they would end the session or wait for more.
bool StandsAlone(std::string_view command) {
  for (const std::string_view word : {"EHLO", "LHLO", "HELO", "STARTTLS", "AUTH", "DATA", "QUIT"}) {
    if (StartsWithWord(command, word)) return true;
  }
  return command.find_first_of("\r\n") != std::string_view::npos || MayBeBdat(command);
}

}  // namespace

void SessionFuzzer::Connect() {
  const uint16_t ports[] = {ports_.receiving, ports_.submission, ports_.lmtp};
  const size_t which = Below(std::size(ports));
  lmtp_ = which == 2;
  Open(ports[which]);
  ended_ = false;
  recipients_ = 0;
  ForgetLog();
  if (ReadReply() != 220) Fail("no greeting");
  if (Below(8) != 0) Converse(lmtp_ ? "LHLO x" : "EHLO x");
  if (which == 1 && Below(8) != 0) Converse("AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHNlY3JldA==");
}

int SessionFuzzer::ReadReply() {
  int code = 0;
  while (true) {
    const absl::StatusOr<std::string> line = ReadLine();
    if (absl::IsDeadlineExceeded(line.status())) Fail("no reply");
    if (!line.ok()) {
      // It may end after a refusal and after QUIT, between replies.
      if (code != 0 || (last_code_ < 400 && last_code_ != 221)) Fail("the connection ends");
      ended_ = true;
      return 0;
    }
    Log("S:", *line);
    if (line->size() < 4 || line->find_first_not_of("0123456789") != 3) Fail("this is no reply");
    const int next = std::atoi(line->substr(0, 3).c_str());
    if (next < 211 || next > 555 || (code != 0 && next != code)) Fail("a wrong code");
    code = next;
    const bool enhanced = line->size() > 6 && (*line)[5] == '.' && std::isdigit((*line)[4]) != 0 &&
                          std::isdigit((*line)[6]) != 0;
    if (enhanced && (*line)[4] != (*line)[0]) Fail("the enhanced code is of another class");
    if ((*line)[3] == ' ') break;
    if ((*line)[3] != '-') Fail("this is no reply");
  }
  ++replies_;
  last_code_ = code;
  if (code == 421 || code == 221) {
    if (ReadLine().ok()) Fail("words after the last reply");
    ended_ = true;
  }
  return code;
}

void SessionFuzzer::ReadFinalReplies() {
  const int count = lmtp_ ? std::max(recipients_, 1) : 1;
  bool stored = false;
  for (int i = 0; i < count && !ended_; ++i) stored |= ReadReply() == 250;
  if (stored) ++stored_;
  recipients_ = 0;
}

void SessionFuzzer::SendMessage() {
  std::string message;
  for (size_t lines = Below(8); lines > 0; --lines) {
    std::string line(kLines[Below(std::size(kLines))]);
    if (line.starts_with('.')) line.insert(0, ".");
    message += line + "\r\n";
  }
  if (Below(16) == 0) message += std::string(70000, 'x') + "\r\n";
  Send(message + ".\r\n");
  ReadFinalReplies();
}

void SessionFuzzer::SendChunk() {
  std::string chunk;
  for (size_t lines = Below(6); lines > 0; --lines) {
    chunk += std::string(kLines[Below(std::size(kLines))]) + "\r\n";
  }
  const bool last = Below(2) == 0;
  const std::string command = fmt::format("BDAT {}{}", chunk.size(), last ? " LAST" : "");
  Log("C:", command);
  Send(command + "\r\n" + chunk);
  if (last && recipients_ > 0) {
    ReadFinalReplies();
  } else if (ReadReply() >= 400) {
    // Whether the transaction is over, the reply does not say: a new one makes it certain.
    if (!ended_) Converse("RSET");
  }
}

void SessionFuzzer::Converse(const std::string& command) {
  Log("C:", command);
  Send(command + "\r\n");
  // A line ending within makes it several commands: how many is not known, but the last NOOP is.
  int code = ReadReply();
  static constexpr std::string_view kAnswers[] = {
      "*", "", "AHgAeQ==", "=", "x", "YWxpY2VAZXhhbXBsZS5jb20="};
  for (int asked = 0; code == 334; ++asked) {
    if (asked > 8) Fail("it asks again and again");
    Send(fmt::format("{}\r\n", kAnswers[Below(std::size(kAnswers))]));
    code = ReadReply();
  }
  if (code == 354) return SendMessage();
  // No handshake follows.
  if (code == 220) ended_ = true;
  const bool resets = StartsWithWord(command, "RSET") || StartsWithWord(command, "EHLO") ||
                      StartsWithWord(command, "LHLO") || StartsWithWord(command, "HELO");
  if (code == 250 && resets) recipients_ = 0;
  if (code == 250 && StartsWithWord(command, "RCPT")) ++recipients_;
}

void SessionFuzzer::Pipeline() {
  std::string out;
  std::vector<bool> is_rcpt;
  for (size_t count = 2 + Below(8); count > 0; --count) {
    const std::string command = MakeCommand();
    if (StandsAlone(command)) continue;
    Log("C:", command);
    out += command + "\r\n";
    is_rcpt.push_back(StartsWithWord(command, "RCPT"));
  }
  if (is_rcpt.empty()) return;
  Send(out);
  for (const bool rcpt : is_rcpt) {
    if (ReadReply() == 250 && rcpt) ++recipients_;
    if (ended_) return;
  }
  // What a RSET in between has done to the count is not worth following.
  Converse("RSET");
}

std::string SessionFuzzer::MakeCommand() {
  std::string command(kCommands[Below(std::size(kCommands))]);
  if (Below(3) == 0) Mutate(command);
  return command;
}

void SessionFuzzer::Mutate(std::string& command) {
  for (size_t changes = 1 + Below(3); changes > 0; --changes) {
    const size_t at = Below(command.size() + 1);
    switch (Below(5)) {
      case 0:
        command.insert(at, kTokens[Below(std::size(kTokens))]);
        break;
      case 1:
        command.erase(at, 1 + Below(6));
        break;
      case 2:
        if (at < command.size()) command[at] = static_cast<char>(Below(256));
        break;
      case 3:
        command.insert(at, command.substr(Below(command.size() + 1), Below(24)));
        break;
      default:
        command.insert(at, std::string(Below(4) == 0 ? 2000 : 20, static_cast<char>(Below(256))));
    }
  }
  // More than one command has more than one reply.
  std::erase(command, '\n');
}

void SessionFuzzer::Run(std::string_view input) {
  SetInput(input);
  while (has_input()) {
    Connect();
    while (has_input() && !ended_) {
      switch (Below(8)) {
        case 0:
          Pipeline();
          break;
        case 1:
          SendChunk();
          break;
        case 2:
          Converse("DATA");
          break;
        default: {
          const std::string command = MakeCommand();
          // A chunk of a size that is not known would follow.
          if (!MayBeBdat(command)) Converse(command);
        }
      }
    }
    // Now and then in the middle of a command.
    if (!ended_ && Below(2) == 0) Send("MAIL FROM:<");
  }
  // The server is well.
  Connect();
  if (!ended_) Converse("QUIT");
}

}  // namespace rmail::gateway::smtp
