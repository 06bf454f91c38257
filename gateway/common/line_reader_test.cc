#include "gateway/common/line_reader.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/session_fixture.h"

namespace rmail::gateway {
namespace {

using boost::asio::awaitable;
using testing::LineClient;
using ConnectionPtr = std::shared_ptr<Connection>;

constexpr size_t kMax = 16;

// What ReadLine gave: the line without its ending, or the error's code.
std::string Describe(const absl::StatusOr<std::string>& line) {
  if (!line.ok()) return "!" + std::to_string(line.status().raw_code());
  std::string text = *line;
  if (text.ends_with("\r\n")) return text.substr(0, text.size() - 2);
  if (text.ends_with("\n")) return text.substr(0, text.size() - 1) + "\\n";
  return text + "<no end>";
}

std::string CodeText(absl::StatusCode code) { return "!" + std::to_string(static_cast<int>(code)); }
const std::string kTooLong = CodeText(absl::StatusCode::kResourceExhausted);

// Answers each line with what ReadLine gave, up to the connection's end.
awaitable<void> DescribeLines(ConnectionPtr connection) {
  LineReader reader(*connection);
  while (true) {
    const auto line = co_await reader.ReadLine(kMax);
    if (!line.ok() && line.status().code() != absl::StatusCode::kResourceExhausted) co_return;
    if (!(co_await connection->Write(Describe(line) + "\r\n")).ok()) co_return;
  }
}

TEST(LineReaderTest, LinesOfAllLengthsAndEndings) {
  SessionFixture fixture;
  auto client = fixture.Connect(&DescribeLines);
  client->Send("\r\nNOOP\r\n\nbare\nfourteen octet\r\nfifteen octets!\r\nlast\r\n");
  EXPECT_EQ(client->ReadLine(), "");
  EXPECT_EQ(client->ReadLine(), "NOOP");
  EXPECT_EQ(client->ReadLine(), "\\n");
  EXPECT_EQ(client->ReadLine(), "bare\\n");
  EXPECT_EQ(client->ReadLine(), "fourteen octet");  // 16 octets with its ending
  EXPECT_EQ(client->ReadLine(), kTooLong);          // 17
  EXPECT_EQ(client->ReadLine(), "last");
}

// Input that comes in two parts gives the same lines wherever it is cut.
TEST(LineReaderTest, InputMayBeCutAnywhere) {
  SessionFixture fixture;
  const uint16_t port = fixture.Listen(&DescribeLines);
  const std::string input =
      "a\r\n" + std::string(16, 'x') + "\nb\r\n" + std::string(40, 'y') + "\r\nfourteen octet\r\n";
  for (size_t cut = 1; cut < input.size(); ++cut) {
    LineClient client(port);
    client.Send(input.substr(0, cut));
    absl::SleepFor(absl::Milliseconds(1));  // most times the first part is read alone
    client.Send(input.substr(cut));
    EXPECT_EQ(client.ReadLine(), "a") << cut;
    EXPECT_EQ(client.ReadLine(), kTooLong) << cut;
    EXPECT_EQ(client.ReadLine(), "b") << cut;
    EXPECT_EQ(client.ReadLine(), kTooLong) << cut;
    EXPECT_EQ(client.ReadLine(), "fourteen octet") << cut;
  }
}

TEST(LineReaderTest, OverLongLinesOfManySizes) {
  SessionFixture fixture;
  auto client = fixture.Connect(&DescribeLines);
  // Around the sizes of the reader's chunks.
  for (const size_t size : {2040, 2047, 2048, 2049, 4096, 16383, 16384, 16385, 18432, 100000}) {
    client->Send(std::string(size, 'x') + "\r\nnext\r\n");
    EXPECT_EQ(client->ReadLine(), kTooLong) << size;
    EXPECT_EQ(client->ReadLine(), "next") << size;
  }
}

TEST(LineReaderTest, LongLinesWithinTheLimit) {
  SessionFixture fixture;
  auto client = fixture.Connect([](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    while (true) {
      const auto line = co_await reader.ReadLine(100'000);
      if (!line.ok() || !(co_await connection->Write(*line)).ok()) co_return;
    }
  });
  for (const size_t size : {2046, 2047, 16382, 65536, 99998}) {
    const std::string line(size, 'x');
    client->SendLine(line);
    EXPECT_TRUE(client->ReadLine() == line) << size;
  }
}

TEST(LineReaderTest, AnOverLongLineIsSkippedInBoundedMemory) {
  SessionFixture fixture;
  auto client = fixture.Connect(&DescribeLines);
  client->SendLine("warm up");
  EXPECT_EQ(client->ReadLine(), "warm up");
  const std::string chunk(64 * 1024, 'x');
  const size_t before = ResidentKib();
  size_t most = before;
  for (int i = 0; i < 1024; ++i) {  // 64 MiB
    client->Send(chunk);
    if (i % 64 == 0) most = std::max(most, ResidentKib());
  }
  client->Send("\r\nnext\r\n");
  EXPECT_EQ(client->ReadLine(), kTooLong);
  EXPECT_EQ(client->ReadLine(), "next");
  if (!kSanitized) EXPECT_LT(std::max(most, ResidentKib()) - before, 8U * 1024);
}

TEST(LineReaderTest, SkippingKeepsTheDeadline) {
  SessionFixture fixture;
  Handover<std::string> result;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    connection->SetTimeout(absl::Milliseconds(200));
    result.Set(Describe(co_await reader.ReadLine(kMax)));
  });
  // A line without an end, as fast as it goes.
  const std::string chunk(64 * 1024, 'x');
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (send(client->fd(), chunk.data(), chunk.size(), MSG_NOSIGNAL) > 0) {
    ASSERT_LT(absl::Now(), give_up);
  }
  EXPECT_EQ(result.Get(), CodeText(absl::StatusCode::kDeadlineExceeded));
}

TEST(LineReaderTest, WakeAndDrainEndTheWaitOnlyBeforeALineBegins) {
  SessionFixture fixture;
  Handover<ConnectionPtr> started;
  Handover<std::string> first;
  Handover<bool> half;
  Handover<std::string> second;
  Handover<std::string> third;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    started.Set(connection);
    first.Set(Describe(co_await reader.ReadLine(kMax, true)));
    EXPECT_TRUE((co_await reader.ReadLine(kMax, true)).ok());
    EXPECT_EQ(reader.buffered(), 2U);
    half.Set(true);
    second.Set(Describe(co_await reader.ReadLine(kMax, true)));
    third.Set(Describe(co_await reader.ReadLine(kMax, true)));
  });
  const ConnectionPtr connection = started.Get();
  OnExecutor(*connection, [&] { connection->Wake(); });
  EXPECT_EQ(first.Get(), CodeText(absl::StatusCode::kAborted));
  // The half line has come with the whole one, so it is there when the session is drained.
  client->Send("whole\r\nha");
  half.Get();
  OnExecutor(*connection, [&] { connection->Drain(); });
  client->Send("lf\r\n");
  EXPECT_EQ(second.Get(), "half");
  EXPECT_EQ(third.Get(), CodeText(absl::StatusCode::kCancelled));
}

TEST(LineReaderTest, TheEndOfTheStreamDropsHalfALine) {
  SessionFixture fixture;
  Handover<std::vector<std::string>> lines;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i) seen.push_back(Describe(co_await reader.ReadLine(kMax)));
    lines.Set(seen);
  });
  client->Send("whole\r\nhalf");
  client->ShutdownWrite();
  const std::string end = CodeText(absl::StatusCode::kOutOfRange);
  EXPECT_EQ(lines.Get(), (std::vector<std::string>{"whole", end, end}));
}

TEST(LineReaderTest, CountedOctetsFollowALine) {
  SessionFixture fixture;
  constexpr size_t kSize = 10 * 1000 * 1000;
  Handover<std::string> octets;
  Handover<size_t> largest;
  auto client = fixture.Connect(
      [&](ConnectionPtr connection) -> awaitable<void> {
        LineReader reader(*connection);
        EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "APPEND");
        std::string all;
        size_t most = 0;
        while (all.size() < kSize) {
          const auto some = co_await reader.ReadSome(kSize - all.size());
          if (!some.ok() || some->empty()) break;
          most = std::max(most, some->size());
          all += *some;
        }
        // What follows is untouched.
        EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "NOOP");
        EXPECT_EQ(*(co_await reader.ReadSome(0)), "");
        octets.Set(std::move(all));
        largest.Set(most);
      },
      LineClient::Tls::kOn);
  std::string sent;
  for (int i = 0; sent.size() < kSize; ++i) sent += std::to_string(i) + "\r\n";
  sent.resize(kSize);
  client->Send("APPEND\r\n" + sent + "NOOP\r\n");
  EXPECT_TRUE(octets.Get() == sent);
  EXPECT_LE(largest.Get(), 64U * 1024);
}

TEST(LineReaderTest, OctetsGivenBackComeFirst) {
  SessionFixture fixture;
  Handover<bool> done;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    // From the connection, which leaves the buffer empty.
    EXPECT_EQ(*(co_await reader.ReadSome(10)), "data\r\none\r");
    EXPECT_FALSE(reader.has_line());
    reader.GiveBack("one\r");
    EXPECT_EQ(reader.buffered(), 4U);
    EXPECT_FALSE(reader.has_line());
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax, true)), "one");
    // From the middle of the buffer.
    EXPECT_TRUE(reader.has_line());
    EXPECT_EQ(*(co_await reader.ReadSome(4)), "two\r");
    reader.GiveBack("wo\r");
    reader.GiveBack("");
    EXPECT_EQ(reader.buffered(), 11U);
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "wo");
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "three");
    EXPECT_EQ(reader.buffered(), 0U);
    // All of it, and longer than a line may be.
    EXPECT_TRUE((co_await connection->Write("more\r\n")).ok());
    const auto some = co_await reader.ReadSome(100);
    reader.GiveBack(*some);
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), kTooLong);
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "last");
    done.Set(true);
  });
  client->Send("data\r\none\r\ntwo\r\nthree\r\n");
  EXPECT_EQ(client->ReadLine(), "more");
  client->Send(std::string(20, 'x') + "\r\nlast\r\n");
  EXPECT_TRUE(done.Get());
}

TEST(LineReaderTest, TellsAndDropsWhatWasPipelined) {
  SessionFixture fixture;
  Handover<bool> done;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    EXPECT_EQ(reader.buffered(), 0U);
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "STARTTLS");
    EXPECT_EQ(reader.buffered(), 6U);
    reader.Discard();
    EXPECT_EQ(reader.buffered(), 0U);
    EXPECT_TRUE((co_await connection->Write("ready\r\n")).ok());
    EXPECT_EQ(Describe(co_await reader.ReadLine(kMax)), "QUIT");
    EXPECT_EQ(reader.buffered(), 0U);
    done.Set(true);
  });
  client->Send("STARTTLS\r\nRSET\r\n");
  EXPECT_EQ(client->ReadLine(), "ready");
  client->SendLine("QUIT");
  EXPECT_TRUE(done.Get());
}

}  // namespace
}  // namespace rmail::gateway
