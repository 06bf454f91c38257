#include "tests/support/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

namespace rmail::testing {
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

LineClient& Transcript::client(int connection) {
  std::unique_ptr<LineClient>& client = clients_[connection];
  if (client == nullptr) client = Connect(connection);
  return *client;
}

void Transcript::Run(std::string_view script) {
  Line line;
  std::string text;
  std::string_view step;
  // A step runs when the lines below it are known not to belong to it.
  const auto finish = [&] {
    line.text = text;
    if (line.who.empty() || Step(line)) return true;
    ADD_FAILURE() << "the script ends at: " << step;
    return false;
  };
  while (!script.empty()) {
    const size_t end = std::min(script.find('\n'), script.size());
    const std::string_view next = Trim(script.substr(0, end));
    script.remove_prefix(std::min(end + 1, script.size()));
    if (next.empty() || next.front() == '#') continue;
    if (next.front() == '|') {
      text += next.substr(next.starts_with("| ") ? 2 : 1);
      text += "\r\n";
      continue;
    }
    if (!finish()) return;
    const size_t colon = next.find(':');
    ASSERT_NE(colon, std::string_view::npos) << "not a line of a script: " << next;
    step = next;
    line = Line();
    line.who = next.substr(0, colon);
    line.what = next.substr(colon + 1);
    if (line.what.starts_with(' ')) line.what.remove_prefix(1);
    line.skipping = line.who.ends_with('*');
    if (line.skipping) line.who.remove_suffix(1);
    if (line.who.size() > 1 && line.who.back() >= '1' && line.who.back() <= '9') {
      line.connection = line.who.back() - '0';
      line.who.remove_suffix(1);
    }
    text.clear();
  }
  finish();
}

bool Transcript::Step(const Line& line) {
  LineClient& peer = client(line.connection);
  if (line.who == "C") {
    peer.SendLine(Substitute(line.what));
    return true;
  }
  if (line.who == "S") return line.skipping ? SkipTo(peer, line.what) : Expect(peer, line.what);
  if (line.who == "TLS") return peer.StartTls();
  return line.who == "EOF" && peer.AtEof();
}

bool Transcript::Expect(LineClient& peer, std::string_view line) {
  const std::string answer = peer.ReadLine();
  const bool matches = Match(line, answer);
  EXPECT_TRUE(matches) << "  wanted: " << Substitute(line) << "\n  answer: " << answer;
  return matches;
}

bool Transcript::SkipTo(LineClient& peer, std::string_view line) {
  for (int i = 0; i < kMaxSkipped && !::testing::Test::HasFailure(); ++i) {
    if (Match(line, peer.ReadLine())) return true;
  }
  return false;
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

std::string Scenario::Name() const {
  std::string name = file + "_" + title;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

std::vector<Scenario> ReadScenarios(const std::string& folder) {
  std::vector<Scenario> scenarios;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    bool titled = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("== ")) {
        scenarios.push_back({entry.path().stem(), line.substr(3), ""});
        titled = true;
      } else if (titled) {
        scenarios.back().script += line + "\n";
      }
    }
  }
  std::sort(scenarios.begin(), scenarios.end(),
            [](const Scenario& a, const Scenario& b) { return a.Name() < b.Name(); });
  return scenarios;
}

}  // namespace rmail::testing
