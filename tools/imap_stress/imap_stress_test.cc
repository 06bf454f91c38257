// The stress run in short, on a gateway over a store that are both in this process.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "gateway/imap/imap_fixture.h"
#include "tools/imap_stress/stress.h"

namespace rmail::gateway::imap {
namespace {

class ImapStressTest : public ImapFixture {};

TEST_F(ImapStressTest, AllAgree) {
  ImapOptions options = FastOptions();
  options.limits.per_address = 100;
  StartServer(options);
  imap_stress::Options stress;
  stress.endpoint.port = server().port();
  stress.user = "alice@example.com";
  stress.password = "secret";
  stress.duration = absl::Seconds(15);
  const imap_stress::Result result = RunStress(stress);
  for (const std::string& finding : result.findings) ADD_FAILURE() << finding;
  for (size_t i = 0; i < imap_stress::kActions; ++i) {
    EXPECT_GT(result.done[i], 0u) << imap_stress::kActionNames[i];
  }
  std::fprintf(stderr, "%llu commands, %llu messages in the end\n",
               static_cast<unsigned long long>(result.commands()),
               static_cast<unsigned long long>(result.messages));
}

}  // namespace
}  // namespace rmail::gateway::imap
