// The commands and what each needs.
#ifndef RMAIL_GATEWAY_SMTP_COMMAND_TABLE_H_
#define RMAIL_GATEWAY_SMTP_COMMAND_TABLE_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/smtp/session.h"

namespace rmail::gateway::smtp {

enum CommandFlags : unsigned {
  kAlways = 0,
  // HELO or EHLO has been given.
  kNeedsHello = 1u << 0,
  // On a submission port: the client has authenticated.
  kNeedsAuth = 1u << 1,
  // MAIL has been accepted.
  kNeedsTransaction = 1u << 2,
  // No MAIL is under way.
  kNoTransaction = 1u << 3,
  // It takes no argument.
  kNoArgument = 1u << 4,
  // It must be the last of a pipelined group (RFC 2920, 3.1). The RFC's list has NOOP, VRFY and
  // QUIT too, where what follows does no harm.
  kEndsGroup = 1u << 5,
  // It is there in LMTP only; everywhere but in LMTP (RFC 2033, 4.1).
  kOnlyLmtp = 1u << 6,
  kNotLmtp = 1u << 7,
};

struct Command {
  std::string_view verb;
  boost::asio::awaitable<Outcome> (*handler)(Session& session, std::string argument);
  unsigned flags;
  // Octets of its line, CRLF included.
  size_t max_line;
};

// RFC 5321, 4.5.3.1.4.
inline constexpr size_t kMaxCommandLine = 512;
// RFC 4954, 4: base64 of a SASL response.
inline constexpr size_t kMaxAuthLine = 12288;

// Null when there is no such command. `verb` is in upper case.
const Command* FindCommand(std::string_view verb);

// One function a command; the file that has it is cmd_{group}.cc.
boost::asio::awaitable<Outcome> CmdHelo(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdEhlo(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdNoop(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdRset(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdVrfy(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdHelp(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdQuit(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdHttp(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdStartTls(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdAuth(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdMail(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdRcpt(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdData(Session& session, std::string argument);
boost::asio::awaitable<Outcome> CmdBdat(Session& session, std::string argument);

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_COMMAND_TABLE_H_
