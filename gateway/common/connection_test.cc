// What plain and TLS connections have in common. connection_tls_test.cc has the rest.
#include "gateway/common/connection.h"

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
using Tls = LineClient::Tls;
using ConnectionPtr = std::shared_ptr<Connection>;

constexpr size_t kBig = 24 * 1024 * 1024;  // more than the kernel's buffers take

std::string Pattern(size_t size) {
  std::string data(size, '\0');
  uint32_t state = 1;
  for (char& octet : data) {
    state = state * 1664525 + 1013904223;
    octet = static_cast<char>(state >> 24);
  }
  return data;
}

// A status that a session hands over; its code is what tests look at.
absl::StatusCode CodeOf(const absl::Status& status) { return status.code(); }
absl::StatusCode CodeOf(const absl::StatusOr<size_t>& result) { return result.status().code(); }

class ConnectionTest : public ::testing::TestWithParam<Tls> {
 protected:
  std::unique_ptr<LineClient> Connect(Server::Session session) {
    return fixture_.Connect(std::move(session), GetParam());
  }
  SessionFixture fixture_;
};

INSTANTIATE_TEST_SUITE_P(, ConnectionTest, ::testing::Values(Tls::kOff, Tls::kOn),
                         [](const auto& info) { return info.param == Tls::kOn ? "Tls" : "Plain"; });

TEST_P(ConnectionTest, EchoesOctetByOctet) {
  auto client = Connect([](ConnectionPtr connection) -> awaitable<void> {
    char octet;
    while ((co_await connection->ReadSome(&octet, 1)).ok()) {
      if (!(co_await connection->Write(std::string_view(&octet, 1))).ok()) break;
    }
  });
  const std::string data = Pattern(300);
  for (const char octet : data) client->Send(std::string_view(&octet, 1));
  EXPECT_EQ(client->ReadExact(data.size()), data);
}

TEST_P(ConnectionTest, SendsAndReceivesMuchWithASlowPeer) {
  Handover<bool> same;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    const std::string sent = Pattern(kBig);
    EXPECT_TRUE((co_await connection->Write(sent)).ok());
    std::string received(kBig, '\0');
    size_t count = 0;
    while (count < kBig) {
      const auto some = co_await connection->ReadSome(received.data() + count, kBig - count);
      if (!some.ok()) break;
      count += *some;
    }
    same.Set(received == sent);
  });
  client->SetTimeout(absl::Seconds(60));
  const std::string data = Pattern(kBig);
  // The session can't finish its write before the client reads, piece by piece.
  std::string received;
  for (size_t piece = 1; received.size() < kBig; piece = piece * 2 + 1) {
    received += client->ReadExact(std::min(piece, kBig - received.size()));
    if (HasFailure()) return;
  }
  EXPECT_TRUE(received == data);
  client->Send(data);
  EXPECT_TRUE(same.Get());
}

TEST_P(ConnectionTest, ReadTimesOutAndTheGoodbyeStillGoes) {
  Handover<absl::StatusCode> code;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    connection->SetTimeout(absl::Milliseconds(50));
    char octet;
    code.Set(CodeOf(co_await connection->ReadSome(&octet, 1)));
    connection->SetTimeout(absl::Seconds(10));
    EXPECT_TRUE((co_await connection->Write("421 too slow\r\n")).ok());
  });
  EXPECT_EQ(code.Get(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(client->ReadLine(), "421 too slow");
  EXPECT_TRUE(client->AtEof());
}

TEST_P(ConnectionTest, TricklingInputDoesNotExtendTheDeadline) {
  Handover<absl::StatusCode> code;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    connection->SetTimeout(absl::Milliseconds(300));
    while (true) {
      char octet;
      const auto count = co_await connection->ReadSome(&octet, 1);
      if (count.ok()) continue;
      code.Set(CodeOf(count));
      break;
    }
  });
  // Well within the deadline, each before the last one's wait would be over if it began anew.
  const absl::Time start = absl::Now();
  for (int i = 0; i < 3; ++i) {
    client->Send("x");
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_EQ(code.Get(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - start, absl::Seconds(9));
}

TEST_P(ConnectionTest, ALaterDeadlineReplacesAnEarlierOne) {
  Handover<bool> waits;
  Handover<bool> got;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    char octet;
    connection->SetTimeout(absl::Milliseconds(100));  // arms the timer in the wait
    waits.Set(true);
    EXPECT_TRUE((co_await connection->ReadSome(&octet, 1)).ok());
    connection->SetTimeout(absl::Seconds(20));  // the armed timer fires into the next wait
    got.Set((co_await connection->ReadSome(&octet, 1)).ok());
  });
  waits.Get();
  client->Send("a");
  absl::SleepFor(absl::Milliseconds(200));
  client->Send("b");
  EXPECT_TRUE(got.Get());
}

TEST_P(ConnectionTest, AnEarlierDeadlineReplacesALaterOne) {
  Handover<absl::StatusCode> code;
  const absl::Time start = absl::Now();
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    char octet;
    connection->SetTimeout(absl::Seconds(60));
    EXPECT_TRUE((co_await connection->ReadSome(&octet, 1)).ok());
    connection->SetTimeout(absl::Milliseconds(50));
    code.Set(CodeOf(co_await connection->ReadSome(&octet, 1)));
  });
  client->Send("a");
  EXPECT_EQ(code.Get(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST_P(ConnectionTest, AWriteThatTimedOutEndsAllWriting) {
  Handover<absl::StatusCode> first;
  Handover<absl::StatusCode> second;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    connection->SetTimeout(absl::Milliseconds(100));
    first.Set(CodeOf(co_await connection->Write(Pattern(kBig))));
    connection->SetTimeout(absl::Seconds(10));
    second.Set(CodeOf(co_await connection->Write("421 too slow\r\n")));
  });
  EXPECT_EQ(first.Get(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(second.Get(), absl::StatusCode::kUnavailable);
}

TEST_P(ConnectionTest, WakeEndsTheInterruptibleWaitOnce) {
  Handover<ConnectionPtr> waits;
  Handover<absl::StatusCode> woken;
  Handover<absl::StatusCode> readable;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    waits.Set(connection);
    woken.Set(CodeOf(co_await connection->WaitReadable(true)));
    readable.Set(CodeOf(co_await connection->WaitReadable(true)));
  });
  const ConnectionPtr connection = waits.Get();
  OnExecutor(*connection, [&] { connection->Wake(); });
  EXPECT_EQ(woken.Get(), absl::StatusCode::kAborted);
  client->Send("x");
  EXPECT_EQ(readable.Get(), absl::StatusCode::kOk);
}

TEST_P(ConnectionTest, WakeIsKeptForTheNextInterruptibleWait) {
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    std::vector<absl::StatusCode> seen;
    char octet;
    connection->Wake();
    connection->Wake();
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    seen.push_back(CodeOf(co_await connection->WaitReadable(false)));
    seen.push_back(CodeOf(co_await connection->WaitReadable(true)));
    seen.push_back(CodeOf(co_await connection->WaitReadable(true)));
    codes.Set(seen);
  });
  client->Send("xy");
  EXPECT_EQ(codes.Get(), (std::vector{absl::StatusCode::kOk, absl::StatusCode::kOk,
                                      absl::StatusCode::kAborted, absl::StatusCode::kOk}));
}

TEST_P(ConnectionTest, DrainEndsInterruptibleWaitsOnly) {
  Handover<ConnectionPtr> waits;
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    std::vector<absl::StatusCode> seen;
    char octet;
    waits.Set(connection);
    seen.push_back(CodeOf(co_await connection->WaitReadable(true)));
    seen.push_back(CodeOf(co_await connection->WaitReadable(true)));
    EXPECT_TRUE(connection->draining());
    EXPECT_TRUE((co_await connection->Write("BYE\r\n")).ok());
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    codes.Set(seen);
  });
  const ConnectionPtr connection = waits.Get();
  OnExecutor(*connection, [&] { connection->Drain(); });
  EXPECT_EQ(client->ReadLine(), "BYE");
  client->Send("x");
  EXPECT_EQ(codes.Get(), (std::vector{absl::StatusCode::kCancelled, absl::StatusCode::kCancelled,
                                      absl::StatusCode::kOk}));
}

TEST_P(ConnectionTest, CloseEndsEverything) {
  Handover<ConnectionPtr> waits;
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    std::vector<absl::StatusCode> seen;
    char octet;
    waits.Set(connection);
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    seen.push_back(CodeOf(co_await connection->WaitReadable()));
    seen.push_back(CodeOf(co_await connection->Write("x")));
    seen.push_back(CodeOf(co_await connection->StartTls(testing::TestTls())));
    codes.Set(seen);
  });
  const ConnectionPtr connection = waits.Get();
  OnExecutor(*connection, [&] { connection->Close(); });
  EXPECT_TRUE(client->AtEof());
  EXPECT_EQ(codes.Get(), std::vector<absl::StatusCode>(5, absl::StatusCode::kCancelled));
}

TEST_P(ConnectionTest, TheEndOfTheStreamIsTold) {
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    std::vector<absl::StatusCode> seen;
    char octet;
    seen.push_back(CodeOf(co_await connection->WaitReadable(true)));
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    // The peer may have closed its half only.
    EXPECT_TRUE((co_await connection->Write("BYE\r\n")).ok());
    codes.Set(seen);
  });
  client->ShutdownWrite();
  EXPECT_EQ(client->ReadLine(), "BYE");
  EXPECT_TRUE(client->AtEof());
  EXPECT_EQ(codes.Get(), (std::vector{absl::StatusCode::kOk, absl::StatusCode::kOutOfRange,
                                      absl::StatusCode::kOutOfRange}));
}

TEST_P(ConnectionTest, APeerThatIsCutOffEndsTheStream) {
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    std::vector<absl::StatusCode> seen;
    char octet;
    seen.push_back(CodeOf(co_await connection->WaitReadable(true)));
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    seen.push_back(CodeOf(co_await connection->ReadSome(&octet, 1)));
    codes.Set(seen);
  });
  shutdown(client->fd(), SHUT_WR);  // in TLS: no close-notify
  EXPECT_EQ(codes.Get(), (std::vector{absl::StatusCode::kOk, absl::StatusCode::kOutOfRange,
                                      absl::StatusCode::kOutOfRange}));
}

TEST_P(ConnectionTest, APeerThatResetsBreaksTheConnection) {
  Handover<bool> started;
  Handover<absl::StatusCode> code;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    started.Set(true);
    // Until the kernel takes no more: neither a signal nor an exception may come of it.
    absl::Status status;
    while (status.ok()) status = co_await connection->Write(Pattern(64 * 1024));
    code.Set(status.code());
  });
  started.Get();
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(client->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  client->Close();
  EXPECT_EQ(code.Get(), absl::StatusCode::kUnavailable);
}

TEST_P(ConnectionTest, ATalkativeClientDoesNotKeepOthersWaiting) {
  // One thread for both.
  IoThreads one(1);
  Server server(one, ConnectionLimits());
  ListenerOptions options;
  options.host = "127.0.0.1";
  if (GetParam() == Tls::kOn) options.implicit_tls = &testing::TestTls();
  Handover<bool> over;
  const auto port = server.Listen(options, [&](ConnectionPtr connection) -> awaitable<void> {
    char kind;
    (void)co_await connection->ReadSome(&kind, 1);
    if (kind == 'b') {
      (void)co_await connection->Write("here\r\n");
      co_return;
    }
    std::string read(1, '\0');
    absl::Status status;
    while (status.ok()) status = (co_await connection->ReadSome(read.data(), 1)).status();
    over.Set(true);
  });
  ASSERT_TRUE(port.ok());
  LineClient talkative(*port, GetParam());
  talkative.Send("a" + std::string(1024 * 1024, 'x'));
  LineClient other(*port, GetParam());
  other.Send("b");
  EXPECT_EQ(other.ReadLine(), "here");
  talkative.Close();
  EXPECT_TRUE(over.Get());
}

TEST_P(ConnectionTest, TellsWhoAndHow) {
  Handover<std::string> text;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    text.Set(connection->peer() + "," + (connection->secure() ? "1," : "0,") +
             connection->TlsDescription());
    co_return;
  });
  EXPECT_EQ(text.Get(),
            GetParam() == Tls::kOn ? "127.0.0.1,1,TLSv1.3 TLS_AES_256_GCM_SHA384" : "127.0.0.1,0,");
  EXPECT_TRUE(client->AtEof());
}

}  // namespace
}  // namespace rmail::gateway
