// CAPABILITY, ENABLE, ID, LOGOUT, NAMESPACE, NOOP and CHECK.
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

boost::asio::awaitable<Reply> Capability(Session& session, const Command&) {
  session.out().buffer() += "* " + session.Capabilities() + "\r\n";
  co_return Ok("CAPABILITY completed");
}

boost::asio::awaitable<Reply> Enable(Session& session, const Command& command) {
  EnabledFeatures& enabled = session.enabled();
  std::string answer = "* ENABLED";
  for (const std::string& name : std::get<EnableArguments>(command.arguments).capabilities) {
    std::string_view known;
    if (name == "CONDSTORE") {
      enabled.condstore = true;
      known = "CONDSTORE";
    } else if (name == "QRESYNC") {
      // RFC 7162, 3.2.3: it brings CONDSTORE with it.
      enabled.condstore = true;
      enabled.qresync = true;
      known = "QRESYNC";
    } else if (name == "UTF8=ACCEPT") {
      enabled.utf8 = true;
      known = "UTF8=ACCEPT";
    } else if (name == "IMAP4REV2") {
      enabled.rev2 = true;
      known = "IMAP4rev2";
    }
    // RFC 5161, 3.1: extensions that are not known, or need no enabling, are passed over.
    if (known.empty() || answer.find(known) != std::string::npos) continue;
    answer += ' ';
    answer += known;
  }
  session.out().buffer() += answer + "\r\n";
  co_return Ok("ENABLE completed");
}

boost::asio::awaitable<Reply> Id(Session& session, const Command&) {
  session.out().buffer() += "* ID (\"name\" \"rmail\")\r\n";
  co_return Ok("ID completed");
}

boost::asio::awaitable<Reply> Logout(Session& session, const Command&) {
  session.EndAfterReply("Logging out");
  co_return Ok("LOGOUT completed");
}

boost::asio::awaitable<Reply> Namespace(Session& session, const Command&) {
  // RFC 2342: personal mailboxes only.
  session.out().buffer() += "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n";
  co_return Ok("NAMESPACE completed");
}

boost::asio::awaitable<Reply> Noop(Session& session, const Command& command) {
  if (session.selected()) {
    const absl::Status synced = co_await session.selection().Sync();
    if (!synced.ok()) co_return NoBecause(synced);
  }
  co_return Ok(command.name + " completed");
}

}  // namespace rmail::gateway::imap
