#include "gateway/smtp/command_table.h"

namespace rmail::gateway::smtp {
namespace {

// RFC 1870, RFC 6152, RFC 4954 and RFC 6531 lengthen MAIL.
constexpr size_t kMaxMailLine = kMaxCommandLine + 26 + 17 + 500 + 10;

constexpr unsigned kMailFlags = kNeedsHello | kNeedsAuth;

constexpr Command kCommands[] = {
    {"HELO", &CmdHelo, kEndsGroup, kMaxCommandLine},
    {"EHLO", &CmdEhlo, kEndsGroup, kMaxCommandLine},
    {"STARTTLS", &CmdStartTls, kNeedsHello | kNoTransaction | kNoArgument, kMaxCommandLine},
    {"AUTH", &CmdAuth, kNeedsHello | kNoTransaction | kEndsGroup, kMaxAuthLine},
    {"MAIL", &CmdMail, kMailFlags | kNoTransaction, kMaxMailLine},
    {"RCPT", &CmdRcpt, kMailFlags | kNeedsTransaction, kMaxCommandLine},
    {"DATA", &CmdData, kMailFlags | kNeedsTransaction | kNoArgument | kEndsGroup, kMaxCommandLine},
    // It checks for itself, after it has read its chunk.
    {"BDAT", &CmdBdat, kAlways, kMaxCommandLine},
    {"RSET", &CmdRset, kNoArgument, kMaxCommandLine},
    {"NOOP", &CmdNoop, kAlways, kMaxCommandLine},
    {"VRFY", &CmdVrfy, kNeedsAuth, kMaxCommandLine},
    {"HELP", &CmdHelp, kAlways, kMaxCommandLine},
    {"QUIT", &CmdQuit, kNoArgument, kMaxCommandLine},
    // A browser that was made to talk to a mail server.
    {"GET", &CmdHttp, kAlways, kMaxAuthLine},
    {"POST", &CmdHttp, kAlways, kMaxAuthLine},
    {"CONNECT", &CmdHttp, kAlways, kMaxAuthLine},
};

}  // namespace

const Command* FindCommand(std::string_view verb) {
  for (const Command& command : kCommands) {
    if (command.verb == verb) return &command;
  }
  return nullptr;
}

}  // namespace rmail::gateway::smtp
