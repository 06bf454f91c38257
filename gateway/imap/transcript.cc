#include "gateway/imap/transcript.h"

#include <gtest/gtest.h>

namespace rmail::gateway::imap {

namespace {

// Lines that "S*:" passes over at most.
constexpr int kMaxSkipped = 1000;

std::string_view Trim(std::string_view line) {
  const size_t start = line.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view() : line.substr(start);
}

}  // namespace

bool MatchesPattern(std::string_view pattern, std::string_view text) {
  const size_t any = pattern.find("...");
  if (any == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, any))) return false;
  pattern.remove_prefix(any + 3);
  text.remove_prefix(any);
  for (size_t skip = 0; skip <= text.size(); ++skip) {
    if (MatchesPattern(pattern, text.substr(skip))) return true;
  }
  return false;
}

testing::LineClient& Transcript::client(int number) {
  std::unique_ptr<testing::LineClient>& client = clients_[number];
  if (client == nullptr) client = std::make_unique<testing::LineClient>(port_, tls_);
  return *client;
}

void Transcript::Run(std::string_view script) {
  std::string_view who;
  std::string_view what;
  std::string text;
  std::string_view step;
  // A step runs when the lines below it are known not to belong to it.
  const auto finish = [&] {
    if (who.empty() || Step(who, what, text)) return true;
    ADD_FAILURE() << "the script ends at: " << step;
    return false;
  };
  while (!script.empty()) {
    const size_t end = std::min(script.find('\n'), script.size());
    const std::string_view line = Trim(script.substr(0, end));
    script.remove_prefix(std::min(end + 1, script.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '|') {
      text += line.substr(line.starts_with("| ") ? 2 : 1);
      text += "\r\n";
      continue;
    }
    if (!finish()) return;
    const size_t colon = line.find(':');
    ASSERT_NE(colon, std::string_view::npos) << "not a line of a script: " << line;
    step = line;
    who = line.substr(0, colon);
    what = line.substr(colon + 1);
    if (what.starts_with(' ')) what.remove_prefix(1);
    text.clear();
  }
  finish();
}

bool Transcript::Step(std::string_view who, std::string_view line, std::string_view text) {
  const bool skipping = who.ends_with('*');
  if (skipping) who.remove_suffix(1);
  const bool numbered = who.size() > 1 && who.back() >= '1' && who.back() <= '9';
  const int number = numbered ? who.back() - '0' : 1;
  if (numbered) who.remove_suffix(1);
  if (who == "MESSAGE") return AppendMessage(line, text);
  testing::LineClient& peer = client(number);
  if (who == "C") {
    std::string command = Substitute(line);
    if (command.ends_with("{*}")) {
      command.replace(command.size() - 2, 2, std::to_string(text.size()) + "+}\r\n");
      peer.Send(command + std::string(text));
    } else {
      peer.SendLine(command);
    }
    return true;
  }
  if (who == "S") return skipping ? SkipTo(peer, line) : Expect(peer, line);
  if (who == "LOGIN") return LogIn(peer, line.empty() ? "alice@example.com secret" : line);
  if (who == "SELECT") return Select(peer, line);
  if (who == "TLS") return peer.StartTls();
  return who == "EOF" && peer.AtEof();
}

bool Transcript::Expect(testing::LineClient& peer, std::string_view line) {
  const std::string answer = peer.ReadLine();
  const bool matches = Match(line, answer);
  EXPECT_TRUE(matches) << "  wanted: " << Substitute(line) << "\n  answer: " << answer;
  return matches;
}

bool Transcript::SkipTo(testing::LineClient& peer, std::string_view line) {
  for (int i = 0; i < kMaxSkipped && !::testing::Test::HasFailure(); ++i) {
    if (Match(line, peer.ReadLine())) return true;
  }
  return false;
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

std::string Transcript::Substitute(std::string_view line) const {
  std::string out;
  while (true) {
    const size_t start = line.find("{{");
    const size_t end = start == std::string_view::npos ? start : line.find("}}", start);
    if (end == std::string_view::npos) return out += line;
    const auto value = values_.find(line.substr(start + 2, end - start - 2));
    out += line.substr(0, start);
    out += value == values_.end() ? line.substr(start, end + 2 - start) : value->second;
    line.remove_prefix(end + 2);
  }
}

bool Transcript::Match(std::string_view pattern, std::string_view answer) {
  const std::string known = Substitute(pattern);
  const size_t start = known.find("{{");
  const size_t end = start == std::string::npos ? start : known.find("}}", start);
  if (end == std::string::npos) return MatchesPattern(known, answer);
  // The first name that has no value yet: the shortest value that makes the rest match.
  const std::string name = known.substr(start + 2, end - start - 2);
  for (size_t from = 0; from <= answer.size(); ++from) {
    if (!MatchesPattern(std::string_view(known).substr(0, start), answer.substr(0, from))) continue;
    for (size_t size = 0; size <= answer.size() - from; ++size) {
      values_[name] = answer.substr(from, size);
      if (Match(known, answer)) return true;
    }
    values_.erase(name);
  }
  return false;
}

}  // namespace rmail::gateway::imap
