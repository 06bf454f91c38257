#include "gateway/smtp/command_table.h"

namespace rmail::gateway::smtp {
namespace {

// What SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), AUTH (RFC 4954), SMTPUTF8 (RFC 6531), RET and
// ENVID (RFC 3461), and REQUIRETLS (RFC 8689) add to MAIL.
constexpr size_t kMaxMailLine = kMaxCommandLine + 26 + 16 + 500 + 10 + 9 + 7 + kMaxEnvelopeId + 11;
// NOTIFY and ORCPT (RFC 3461).
constexpr size_t kMaxRcptLine = kMaxCommandLine + 35 + 7 + kMaxOriginalRecipient;

constexpr unsigned kMailFlags = kNeedsHello | kNeedsAuth;

constexpr Command kCommands[] = {
    {"HELO", &CmdHelo, kEndsGroup | kNotLmtp, kMaxCommandLine},
    {"EHLO", &CmdEhlo, kEndsGroup | kNotLmtp, kMaxCommandLine},
    {"LHLO", &CmdEhlo, kEndsGroup | kOnlyLmtp, kMaxCommandLine},
    {"STARTTLS", &CmdStartTls, kNeedsHello | kNoTransaction | kNoArgument, kMaxCommandLine},
    {"AUTH", &CmdAuth, kNeedsHello | kNoTransaction | kEndsGroup, kMaxAuthLine},
    {"MAIL", &CmdMail, kMailFlags | kNoTransaction, kMaxMailLine},
    {"RCPT", &CmdRcpt, kMailFlags | kNeedsTransaction, kMaxRcptLine},
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
