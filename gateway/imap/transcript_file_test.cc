// Runs the scripts in transcripts/, one file a feature. See transcript.h for their lines.
//
// A line "== Title" starts a test of its own with a fresh server; what stands before the first one
// is for the reader. Lines right below it prepare the server:
//   ACCOUNT: bob@example.com secret 100   (the quota in MiB; none without)
//   TLS: on
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/imap/imap_fixture.h"
#include "gateway/imap/transcript.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kFolder = "gateway/imap/transcripts";

struct Scenario {
  std::string file;
  std::string title;
  std::string script;
};

std::vector<Scenario> ReadScenarios() {
  std::vector<Scenario> scenarios;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
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
  return scenarios;
}

std::string NameOf(const ::testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.file + "_" + info.param.title;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

class TranscriptFileTest : public ImapFixture, public ::testing::WithParamInterface<Scenario> {
 protected:
  // Takes the lines that prepare the server off the script.
  void Prepare(std::string_view& script) {
    while (true) {
      const std::string_view line = script.substr(0, script.find('\n'));
      if (line.starts_with("ACCOUNT: ")) {
        const std::string_view account = line.substr(9);
        const size_t space = account.find(' ');
        ASSERT_NE(space, std::string_view::npos) << line;
        const std::string_view rest = account.substr(space + 1);
        const size_t end = rest.find(' ');
        const uint64_t quota =
            end == std::string_view::npos ? 0 : std::stoul(std::string(rest.substr(end + 1)));
        store().AddAccount(std::string(account.substr(0, space)), std::string(rest.substr(0, end)),
                           quota);
      } else if (line == "TLS: on") {
        StartServer(FastOptions(), true);
      } else {
        return;
      }
      script.remove_prefix(std::min(line.size() + 1, script.size()));
    }
  }
};

TEST_P(TranscriptFileTest, Runs) {
  std::string_view script = GetParam().script;
  Prepare(script);
  ASSERT_FALSE(script.empty());
  Run(script);
}

INSTANTIATE_TEST_SUITE_P(Files, TranscriptFileTest, ::testing::ValuesIn(ReadScenarios()), NameOf);

}  // namespace

}  // namespace rmail::gateway::imap
