// Runs the scripts in transcripts/, one file a feature. See transcript.h for their lines.
//
// A line "== Title" starts a test of its own with a fresh server; what stands before the first one
// is for the reader. Lines right below it prepare the server:
//   ACCOUNT: bob@example.com secret 100   (the quota in MiB; none without)
//   TLS: on
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "gateway/imap/imap_fixture.h"
#include "tests/support/transcript.h"

namespace rmail::gateway::imap {

namespace {

using testing::Scenario;

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

INSTANTIATE_TEST_SUITE_P(Files, TranscriptFileTest,
                         ::testing::ValuesIn(testing::ReadScenarios("gateway/imap/transcripts")),
                         [](const ::testing::TestParamInfo<Scenario>& info) {
                           return info.param.Name();
                         });

}  // namespace

}  // namespace rmail::gateway::imap
