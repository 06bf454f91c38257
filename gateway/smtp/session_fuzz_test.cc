// The session fuzzer's check over inputs from seeds, the same ones in every run.
#include "gateway/smtp/session_fuzz.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "gateway/smtp/smtp_fixture.h"

namespace rmail::gateway::smtp {
namespace {

class SessionFuzzTest : public SmtpFixture {};

TEST_F(SessionFuzzTest, EachCommandIsAnsweredOnce) {
  tls = false;
  store.AddAlias("both@example.com", {"alice@example.com", "x@elsewhere.example"});
  store.AddAccount("postmaster@example.com", "secret");
  store.FailDelivery("bob@example.com", "OVER_QUOTA");
  Start();
  SessionFuzzer fuzzer({server->port(), server->submission_port(), server->lmtp_port()});
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    std::string input(2000, '\0');
    for (char& c : input) c = static_cast<char>(random());
    fuzzer.Run(input);
  }
  // It gets somewhere.
  EXPECT_GT(fuzzer.replies(), 3000u);
  EXPECT_GT(fuzzer.stored(), 30u);
}

}  // namespace
}  // namespace rmail::gateway::smtp
