// Commands about the session itself.
#include <fmt/format.h>

#include <utility>

#include "gateway/common/sasl_mechanism.h"
#include "gateway/smtp/command_table.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

// Octets.
constexpr size_t kMaxHello = 255;

// RFC 5321, 4.1.1.1 and 4.1.4: it starts anew.
std::optional<Reply> TakeHello(Session& session, std::string name, bool extended) {
  if (!IsHelloName(name)) {
    // Our users' programs say what their machine is called, be it no name of a domain.
    if (session.receiving() || name.empty() || name.size() > kMaxHello) {
      return Reply{501, "5.5.4", "Say a domain name or an address literal"};
    }
    name = "unknown";
  }
  session.state().transaction.reset();
  session.state().hello = Hello{std::move(name), extended};
  return std::nullopt;
}

}  // namespace

boost::asio::awaitable<Outcome> CmdHelo(Session& session, std::string argument) {
  std::optional<Reply> refusal = TakeHello(session, std::move(argument), /*extended=*/false);
  if (refusal.has_value()) co_return *std::move(refusal);
  co_return Reply{250, "", session.options().hostname};
}

boost::asio::awaitable<Outcome> CmdEhlo(Session& session, std::string argument) {
  std::optional<Reply> refusal = TakeHello(session, std::move(argument), /*extended=*/true);
  if (refusal.has_value()) co_return *std::move(refusal);
  const SmtpOptions& options = session.options();
  std::string lines = options.hostname;
  lines += "\nPIPELINING";
  lines += "\nSIZE " + std::to_string(options.max_message_size);
  if (session.needs_tls()) lines += "\nSTARTTLS";
  // RFC 4954, 4: not where it would be refused, nor after it has succeeded.
  if (session.submission() && !session.needs_tls() && !session.state().login.has_value()) {
    lines += "\nAUTH";
    for (const std::string_view name :
         gateway::SaslMechanismNames(session.connection().secure(), session.store().scram())) {
      lines += " " + std::string(name);
    }
  }
  lines += "\nENHANCEDSTATUSCODES\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME\nDSN";
  // RFC 8689, 3: only where TLS is up.
  if (session.connection().secure()) lines += "\nREQUIRETLS";
  // RFC 9422, 4.
  lines += fmt::format("\nLIMITS MAILMAX={} RCPTMAX={}", options.max_messages_per_connection,
                       options.max_recipients);
  lines += "\nHELP";
  co_return Reply{250, "", std::move(lines)};
}

boost::asio::awaitable<Outcome> CmdNoop(Session&, std::string) {
  co_return Reply{250, "2.0.0", "OK"};
}

boost::asio::awaitable<Outcome> CmdRset(Session& session, std::string) {
  session.state().transaction.reset();
  co_return Reply{250, "2.0.0", "OK"};
}

// RFC 5321, 3.5.3 and 7.3: it tells nobody who has an account here.
boost::asio::awaitable<Outcome> CmdVrfy(Session&, std::string argument) {
  if (argument.empty()) co_return Reply{501, "5.5.4", "Syntax: VRFY address"};
  co_return Reply{252, "2.5.0", "Send some mail and see"};
}

boost::asio::awaitable<Outcome> CmdHelp(Session& session, std::string) {
  co_return Reply{
      214, "2.0.0",
      session.lmtp()
          ? "Commands:\nLHLO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT HELP"
          : "Commands:\nHELO EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT HELP"};
}

boost::asio::awaitable<Outcome> CmdQuit(Session& session, std::string) {
  co_return Reply{221, "2.0.0", session.options().hostname + " Bye"};
}

// A web page can make a browser send a form here; its lines shall not be read as commands.
boost::asio::awaitable<Outcome> CmdHttp(Session& session, std::string) {
  LogInfo("smtp: {} speaks HTTP", session.connection().peer());
  session.Close();
  co_return Reply{554, "5.5.1", "This is not a web server"};
}

boost::asio::awaitable<Outcome> CmdStartTls(Session& session, std::string) {
  if (!session.needs_tls()) {
    // RFC 3207, 4.
    co_return Reply{503, "5.5.1",
                    session.tls() == nullptr ? "TLS is not available" : "TLS is already active"};
  }
  // RFC 3207, 4.2, and CVE-2011-0411: whoever sits between could have put commands behind STARTTLS.
  session.input().Discard();
  session.Send({220, "2.0.0", "Ready to start TLS"});
  absl::Status status = co_await session.Flush();
  if (status.ok()) {
    session.connection().SetTimeout(session.options().timeouts.tls_handshake);
    status = co_await session.connection().StartTls(*session.tls());
  }
  if (!status.ok()) {
    LogInfo("smtp: {}: no TLS: {}", session.connection().peer(), status.ToString());
    session.Close();
    co_return std::nullopt;
  }
  // RFC 3207, 4.2: what was said in the clear is forgotten.
  session.state().hello.reset();
  session.state().login.reset();
  co_return std::nullopt;
}

}  // namespace rmail::gateway::smtp
