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
  while (!script.empty()) {
    const size_t end = std::min(script.find('\n'), script.size());
    const std::string_view line = Trim(script.substr(0, end));
    script.remove_prefix(std::min(end + 1, script.size()));
    if (line.empty() || line.front() == '#') continue;
    const size_t colon = line.find(':');
    ASSERT_NE(colon, std::string_view::npos) << "not a line of a script: " << line;
    std::string_view what = line.substr(colon + 1);
    if (what.starts_with(' ')) what.remove_prefix(1);
    if (!Step(line.substr(0, colon), what)) {
      ADD_FAILURE() << "the script ends at: " << line;
      return;
    }
  }
}

bool Transcript::Step(std::string_view who, std::string_view line) {
  const bool skipping = who.ends_with('*');
  if (skipping) who.remove_suffix(1);
  const bool numbered = who.size() > 1 && who.back() >= '1' && who.back() <= '9';
  testing::LineClient& peer = client(numbered ? who.back() - '0' : 1);
  if (numbered) who.remove_suffix(1);
  if (who == "C") {
    peer.SendLine(line);
    return true;
  }
  if (who == "S" && !skipping) {
    const std::string answer = peer.ReadLine();
    EXPECT_TRUE(MatchesPattern(line, answer)) << "  wanted: " << line << "\n  answer: " << answer;
    return MatchesPattern(line, answer);
  }
  if (who == "S") {
    for (int i = 0; i < kMaxSkipped && !::testing::Test::HasFailure(); ++i) {
      if (MatchesPattern(line, peer.ReadLine())) return true;
    }
    return false;
  }
  if (who == "TLS") return peer.StartTls();
  return who == "EOF" && peer.AtEof();
}

}  // namespace rmail::gateway::imap
