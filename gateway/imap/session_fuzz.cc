#include "gateway/imap/session_fuzz.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/imap/session_fuzz_commands.h"

namespace rmail::gateway::imap {

namespace {

// A literal that is larger is not worth its time.
constexpr size_t kMaxDigits = 5;

struct Literal {
  size_t octets = 0;
  bool waits = true;
  bool absurd = false;  // more than this client sends
};

// What a line announces at its end (RFC 9051, 4.3; RFC 7888).
std::optional<Literal> LiteralAt(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const size_t open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view digits = line.substr(open + 1, line.size() - open - 2);
  Literal literal;
  if (digits.ends_with('+')) {
    literal.waits = false;
    digits.remove_suffix(1);
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  literal.absurd = digits.size() > kMaxDigits;
  if (!literal.absurd) literal.octets = static_cast<size_t>(std::atol(std::string(digits).c_str()));
  return literal;
}

// The pieces of a command as this client sends them: lines and literals in turn.
struct Piece {
  std::string line;  // without CRLF
  std::string literal;
  bool waits = false;
  bool has_literal = false;
};

// nullopt: it is not sent.
std::optional<std::vector<Piece>> Split(std::string_view command) {
  std::vector<Piece> pieces;
  while (true) {
    Piece piece;
    const size_t end = std::min(command.find("\r\n"), command.size());
    piece.line = command.substr(0, end);
    // These would be line endings or end the command early.
    std::erase_if(piece.line, [](char c) { return c == '\r' || c == '\n'; });
    command.remove_prefix(std::min(end + 2, command.size()));
    const std::optional<Literal> literal = LiteralAt(piece.line);
    if (literal && literal->absurd) return std::nullopt;
    // After it the connection speaks another language.
    if (MayCompress(piece.line)) return std::nullopt;
    if (!literal) {
      pieces.push_back(std::move(piece));
      return pieces;
    }
    piece.has_literal = true;
    piece.waits = literal->waits;
    piece.literal = command.substr(0, literal->octets);
    piece.literal.resize(literal->octets, 'x');
    command.remove_prefix(std::min(literal->octets, command.size()));
    pieces.push_back(std::move(piece));
  }
}

}  // namespace

SessionFuzzer::SessionFuzzer(uint16_t port, std::string user, std::string password)
    : port_(port), user_(std::move(user)), password_(std::move(password)) {}

void SessionFuzzer::Connect() {
  Open(port_);
  ended_ = false;
  ForgetLog();
  if (!Read().starts_with("* OK ")) Fail("no greeting");
  if (Below(8) != 0) Converse(fmt::format("LOGIN {} {}", user_, password_));
  if (!ended_ && Below(4) != 0) Converse("SELECT INBOX");
}

std::string SessionFuzzer::Read() {
  absl::StatusOr<std::string> response = ReadLine();
  if (!response.ok()) Fail(response.status().ToString());
  Log("S:", *response);
  if (response->find(' ') == std::string::npos) Fail("this is no response");
  if (response->starts_with("* BYE")) ended_ = true;
  return *std::move(response);
}

bool SessionFuzzer::AwaitAnswer(const std::string& tag) {
  while (true) {
    const std::string response = Read();
    if (response.starts_with("* ")) {
      // After LOGOUT the tagged answer follows; where the server has had enough, nothing does.
      if (!ended_) continue;
      const absl::StatusOr<std::string> last = ReadLine();
      if (last.ok() && !last->starts_with(tag + " ")) Fail("words after BYE");
      if (last.ok() || absl::IsAborted(last.status())) return false;
      Fail("the connection stays open after BYE");
    }
    if (response.starts_with("+ ")) return true;
    if (!response.starts_with(tag + " ")) Fail("an answer to another command than " + tag);
    const std::string_view rest = std::string_view(response).substr(tag.size() + 1);
    if (!rest.starts_with("OK ") && !rest.starts_with("NO ") && !rest.starts_with("BAD ")) {
      Fail("neither OK nor NO nor BAD");
    }
    ++answered_;
    if (rest.starts_with("OK ")) ++accepted_;
    return false;
  }
}

void SessionFuzzer::Converse(const std::string& command) {
  const std::optional<std::vector<Piece>> pieces = Split(command);
  if (!pieces) return;
  const std::string tag = fmt::format("f{}", ++tags_);
  std::string out = tag + " ";
  for (const Piece& piece : *pieces) {
    Log("C:", piece.line);
    out += piece.line + "\r\n";
    if (piece.has_literal && piece.waits) {
      Send(std::exchange(out, ""));
      if (!AwaitAnswer(tag)) return;
    }
    out += piece.literal;
  }
  Send(out);
  // IDLE and AUTHENTICATE ask for a line more; some of those that are sent end them, some don't.
  static constexpr std::string_view kLines[] = {"DONE", "*", "", "AHgAeQ==", "=", "x NOOP"};
  for (int asked = 0; AwaitAnswer(tag); ++asked) {
    if (asked > 8) Fail("it asks again and again");
    const std::string_view line = kLines[Below(std::size(kLines))];
    Log("C:", line);
    Send(fmt::format("{}\r\n", line));
  }
}

void SessionFuzzer::Pipeline() {
  std::vector<std::string> tags;
  std::string out;
  for (size_t count = 2 + Below(8); count > 0; --count) {
    const std::string command = MakeCommand();
    const std::optional<std::vector<Piece>> pieces = Split(command);
    const bool waits =
        !pieces || AsksForMore(pieces->front().line) ||
        std::any_of(pieces->begin(), pieces->end(), [](const Piece& piece) { return piece.waits; });
    if (waits) continue;
    tags.push_back(fmt::format("f{}", ++tags_));
    out += tags.back() + " ";
    for (const Piece& piece : *pieces) {
      Log("C:", piece.line);
      out += piece.line + "\r\n" + piece.literal;
    }
  }
  if (tags.empty()) return;
  Send(out);
  for (const std::string& tag : tags) {
    if (AwaitAnswer(tag)) Fail("a continuation that nothing asked for");
    if (ended_) return;
  }
}

std::string SessionFuzzer::MakeCommand() {
  std::string command(kFuzzCommands[Below(kFuzzCommands.size())]);
  if (Below(3) != 0) Mutate(command);
  return command;
}

void SessionFuzzer::Mutate(std::string& command) {
  for (size_t changes = 1 + Below(3); changes > 0; --changes) {
    const size_t at = Below(command.size() + 1);
    switch (Below(6)) {
      case 0:
        command.insert(at, kFuzzTokens[Below(kFuzzTokens.size())]);
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
      case 4:
        command.insert(at, std::string(Below(4) == 0 ? 5000 : 20, static_cast<char>(Below(256))));
        break;
      default: {
        const std::string_view other = kFuzzCommands[Below(kFuzzCommands.size())];
        command.insert(at, other.substr(std::min(other.size(), Below(40)), Below(40)));
      }
    }
  }
}

void SessionFuzzer::CheckAlive() {
  SetInput({});
  Open(port_);
  ended_ = false;
  Read();
  Send(
      fmt::format("alive LOGIN {} {}\r\nalive SELECT INBOX\r\nalive LOGOUT\r\n", user_, password_));
  for (int i = 0; i < 2; ++i) AwaitAnswer("alive");
}

void SessionFuzzer::Run(std::string_view input) {
  SetInput(input);
  while (has_input()) {
    Connect();
    while (has_input() && !ended_) {
      if (Below(4) == 0) {
        Pipeline();
      } else {
        Converse(MakeCommand());
      }
      if (Below(64) == 0) break;
    }
    // Now and then in the middle of a command.
    if (!ended_ && Below(2) == 0) Send("last APPEND INBOX {100+}\r\nSubject: ");
  }
  CheckAlive();
}

}  // namespace rmail::gateway::imap
