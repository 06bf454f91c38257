#include "gateway/imap/transcript.h"

#include <string>

namespace rmail::gateway::imap {

std::unique_ptr<testing::LineClient> Transcript::Connect(int) {
  return std::make_unique<testing::LineClient>(port_, tls_);
}

bool Transcript::Step(const Line& line) {
  if (line.who == "MESSAGE") return AppendMessage(line.what, line.text);
  if (line.who == "LOGIN") {
    return LogIn(client(line.connection),
                 line.what.empty() ? "alice@example.com secret" : line.what);
  }
  if (line.who == "SELECT") return Select(client(line.connection), line.what);
  if (line.who == "C" && line.what.ends_with("{*}")) {
    std::string command = Substitute(line.what);
    command.replace(command.size() - 2, 2, std::to_string(line.text.size()) + "+}\r\n");
    client(line.connection).Send(command + std::string(line.text));
    return true;
  }
  return testing::Transcript::Step(line);
}

bool Transcript::LogIn(testing::LineClient& peer, std::string_view credentials) {
  if (!Expect(peer, "* OK [CAPABILITY ...] ... ready")) return false;
  peer.SendLine("login LOGIN " + std::string(credentials));
  return Expect(peer, "login OK ...");
}

bool Transcript::Select(testing::LineClient& peer, std::string_view mailbox) {
  peer.SendLine("select SELECT " + std::string(mailbox));
  return SkipTo(peer, "select OK ...");
}

bool Transcript::AppendMessage(std::string_view arguments, std::string_view message) {
  testing::LineClient peer(port_, tls_);
  if (!LogIn(peer, "alice@example.com secret")) return false;
  peer.Send("append APPEND " + std::string(arguments) + " {" + std::to_string(message.size()) +
            "+}\r\n" + std::string(message) + "\r\n");
  return Expect(peer, "append OK ...");
}

}  // namespace rmail::gateway::imap
