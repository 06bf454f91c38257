// The session fuzzer's check over inputs from seeds, the same ones in every run.
#include "gateway/imap/session_fuzz.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

class SessionFuzzTest : public ImapFixture {};

TEST_F(SessionFuzzTest, EachCommandIsAnsweredOnce) {
  SessionFuzzer fuzzer(server().port(), "alice@example.com", "secret");
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    std::mt19937 random(seed);
    std::string input(3000, '\0');
    for (char& c : input) c = static_cast<char>(random());
    fuzzer.Run(input);
  }
  // It gets somewhere.
  EXPECT_GT(fuzzer.answered(), 5000u);
  EXPECT_GT(fuzzer.accepted(), 500u);
}

}  // namespace
}  // namespace rmail::gateway::imap
