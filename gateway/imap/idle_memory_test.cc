// What a session costs while it idles.
#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/imap/imap_fixture.h"

namespace rmail::gateway::imap {
namespace {

using IdleMemoryTest = ImapFixture;

constexpr int kWarmUp = 100;
constexpr int kSessions = 200;
// Without TLS, whose share gateway/common's own test watches; the client's share, in this process
// too, included.
constexpr size_t kMostOctets = 14 * 1024;

TEST_F(IdleMemoryTest, AnIdleSessionHoldsLittle) {
  ImapOptions options = FastOptions();
  options.limits.total = kSessions + kWarmUp + 10;
  options.limits.per_address = kSessions + kWarmUp + 10;
  StartServer(options);
  for (int i = 0; i < 10; ++i) Append("Subject: x\r\n\r\nbody\r\n");
  // Larger than all buffers; in lines, since the client keeps the memory for its longest.
  std::string large = "Subject: x\r\n\r\n";
  while (large.size() < 1'000'000) large += std::string(100, 'x') + "\r\n";
  Append(large);
  std::vector<std::unique_ptr<Transcript>> sessions;
  const auto add_session = [&] {
    sessions.push_back(std::make_unique<Transcript>(server().port()));
    LogIn(*sessions.back(), 1);
    Select(*sessions.back(), 1);
    testing::LineClient& client = sessions.back()->client();
    client.SendLine("a FETCH 1:* (ENVELOPE BODY[])");
    EXPECT_GT(client.ReadUntil("a ").size(), large.size());
    sessions.back()->Run("C: b IDLE\nS*: + idling");
  };
  // What all of them share (the store's client and server, the allocator's caches) has grown by
  // then.
  for (int i = 0; i < kWarmUp; ++i) add_session();
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kSessions; ++i) add_session();
  const size_t after = mallinfo2().uordblks;
  EXPECT_LE((after - before) / kSessions, kMostOctets);
  RecordProperty("octets_a_session", static_cast<int>((after - before) / kSessions));
}

}  // namespace
}  // namespace rmail::gateway::imap
