// COMPRESS=DEFLATE on a connection (RFC 4978), with TLS below it and without.
#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/common/connection.h"
#include "gateway/common/line_reader.h"
#include "gateway/common/session_fixture.h"

namespace rmail::gateway {
namespace {

using boost::asio::awaitable;
using testing::LineClient;
using Tls = LineClient::Tls;
using ConnectionPtr = std::shared_ptr<Connection>;

// A client's side of it.
class Zip {
 public:
  Zip() {
    EXPECT_EQ(deflateInit2(&deflate_, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    EXPECT_EQ(inflateInit2(&inflate_, -15), Z_OK);
  }
  ~Zip() {
    deflateEnd(&deflate_);
    inflateEnd(&inflate_);
  }
  Zip(const Zip&) = delete;
  Zip& operator=(const Zip&) = delete;

  std::string Pack(std::string_view text, int flush = Z_SYNC_FLUSH) {
    std::string packed(deflateBound(&deflate_, text.size()) + 64, '\0');
    deflate_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    deflate_.avail_in = static_cast<uInt>(text.size());
    deflate_.next_out = reinterpret_cast<Bytef*>(packed.data());
    deflate_.avail_out = static_cast<uInt>(packed.size());
    deflate(&deflate_, flush);
    EXPECT_EQ(deflate_.avail_in, 0u);
    packed.resize(packed.size() - deflate_.avail_out);
    return packed;
  }

  // Reads until there are `count` octets of text.
  std::string Read(LineClient& client, size_t count) {
    std::string text(count, '\0');
    inflate_.next_out = reinterpret_cast<Bytef*>(text.data());
    inflate_.avail_out = static_cast<uInt>(count);
    while (inflate_.avail_out > 0) {
      std::string octet = client.ReadExact(1);
      if (octet.empty()) return "";
      ++received;
      inflate_.next_in = reinterpret_cast<Bytef*>(octet.data());
      inflate_.avail_in = 1;
      const int result = inflate(&inflate_, Z_SYNC_FLUSH);
      EXPECT_TRUE(result == Z_OK || result == Z_BUF_ERROR) << result;
    }
    return text;
  }

  size_t received = 0;

 private:
  z_stream deflate_ = {};
  z_stream inflate_ = {};
};

class CompressionTest : public ::testing::TestWithParam<Tls> {
 protected:
  std::unique_ptr<LineClient> Connect(Server::Session session) {
    return fixture_.Connect(std::move(session), GetParam());
  }
  SessionFixture fixture_;
  Zip zip_;
};

INSTANTIATE_TEST_SUITE_P(, CompressionTest, ::testing::Values(Tls::kOff, Tls::kOn),
                         [](const auto& info) { return info.param == Tls::kOn ? "Tls" : "Plain"; });

awaitable<void> EchoLines(ConnectionPtr connection) {
  EXPECT_TRUE(connection->StartCompression().ok());
  EXPECT_TRUE(connection->compressed());
  EXPECT_EQ(connection->StartCompression().code(), absl::StatusCode::kFailedPrecondition);
  LineReader reader(*connection);
  while (true) {
    const auto line = co_await reader.ReadLine(1 << 20, true);
    if (!line.ok() || !(co_await connection->Write(*line)).ok()) co_return;
  }
}

TEST_P(CompressionTest, BothWays) {
  auto client = Connect(&EchoLines);
  for (const std::string& line : {std::string("hello\r\n"), std::string("\n"),
                                  std::string(500'000, 'x') + "\n", std::string("hello\r\n")}) {
    client->Send(zip_.Pack(line));
    EXPECT_TRUE(zip_.Read(*client, line.size()) == line);
  }
  // The third line was worth it.
  EXPECT_LT(zip_.received, 3000u);
}

TEST_P(CompressionTest, OctetByOctet) {
  auto client = Connect(&EchoLines);
  for (const char octet : zip_.Pack("hello\r\n") + zip_.Pack("again\r\n")) {
    client->Send(std::string_view(&octet, 1));
  }
  EXPECT_EQ(zip_.Read(*client, 14), "hello\r\nagain\r\n");
}

TEST_P(CompressionTest, ManyLinesInOnePacket) {
  auto client = Connect(&EchoLines);
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "line " + std::to_string(i) + "\r\n";
  client->Send(zip_.Pack(lines));
  EXPECT_EQ(zip_.Read(*client, lines.size()), lines);
}

// The session reads the same text in pieces of all sizes.
TEST_P(CompressionTest, WhatASmallReadLeavesIsReadable) {
  Handover<std::string> all;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919);
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    EXPECT_TRUE(connection->StartCompression().ok());
    std::string seen;
    for (size_t size = 1; seen.size() < text.size(); size = size % 97 + 1) {
      if (!(co_await connection->WaitReadable(true)).ok()) break;
      char octets[100];
      const auto count = co_await connection->ReadSome(octets, size);
      if (!count.ok()) break;
      EXPECT_LE(*count, size);
      seen.append(octets, *count);
    }
    all.Set(seen);
  });
  client->Send(zip_.Pack(text));
  EXPECT_TRUE(all.Get() == text);
}

// A megabyte of zeros takes a kilobyte: it must not become a megabyte of memory, nor keep others
// of its thread waiting.
TEST_P(CompressionTest, ABombIsReadInPieces) {
  constexpr size_t kBomb = 32 << 20;
  Handover<size_t> total;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    EXPECT_TRUE(connection->StartCompression().ok());
    char octets[4096];
    size_t sum = 0;
    const size_t before = ResidentKib();
    while (sum < kBomb) {
      const auto count = co_await connection->ReadSome(octets, sizeof(octets));
      if (!count.ok()) break;
      sum += *count;
    }
    if (!kSanitized) EXPECT_LT(ResidentKib(), before + 20 * 1024);
    total.Set(sum);
  });
  std::string bomb;
  const std::string zeros(1 << 20, '\0');
  for (size_t i = 0; i < kBomb / zeros.size(); ++i) bomb += zip_.Pack(zeros);
  EXPECT_LT(bomb.size(), kBomb / 500);
  client->Send(bomb);
  EXPECT_EQ(total.Get(), kBomb);
}

TEST_P(CompressionTest, PartOfABlockIsNoInputYet) {
  Handover<ConnectionPtr> started;
  Handover<absl::StatusCode> code;
  Handover<absl::StatusCode> readable;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    EXPECT_TRUE(connection->StartCompression().ok());
    char octet;
    EXPECT_TRUE((co_await connection->ReadSome(&octet, 1)).ok());
    started.Set(connection);
    code.Set((co_await connection->WaitReadable(true)).code());
    readable.Set((co_await connection->WaitReadable(true)).code());
    EXPECT_TRUE((co_await connection->ReadSome(&octet, 1)).ok());
    EXPECT_EQ(octet, 'y');
  });
  const std::string first = zip_.Pack("x");
  const std::string second = zip_.Pack("y");
  client->Send(first + zip_.Pack("", Z_FULL_FLUSH) + second.substr(0, 1));
  const ConnectionPtr connection = started.Get();
  OnExecutor(*connection, [&] { connection->Wake(); });
  EXPECT_EQ(code.Get(), absl::StatusCode::kAborted);
  client->Send(second.substr(1));
  EXPECT_EQ(readable.Get(), absl::StatusCode::kOk);
  EXPECT_TRUE(client->AtEof());
}

// Empty blocks are no input, but they are work: a drain and the deadline still come through.
TEST_P(CompressionTest, EndlessEmptyBlocksKeepNobodyWaiting) {
  Handover<absl::StatusCode> code;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    EXPECT_TRUE(connection->StartCompression().ok());
    connection->SetTimeout(absl::Milliseconds(200));
    code.Set((co_await connection->WaitReadable(true)).code());
  });
  const std::string empty("\x00\x00\x00\xff\xff", 5);
  std::string blocks;
  for (int i = 0; i < 10'000; ++i) blocks += empty;
  client->Send(blocks);
  EXPECT_EQ(code.Get(), absl::StatusCode::kDeadlineExceeded);
}

TEST_P(CompressionTest, GarbageBreaksTheConnection) {
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
    EXPECT_TRUE(connection->StartCompression().ok());
    std::vector<absl::StatusCode> seen;
    char octets[100];
    const auto count = co_await connection->ReadSome(octets, sizeof(octets));
    EXPECT_TRUE(count.ok() && *count == 2);
    seen.push_back((co_await connection->ReadSome(octets, 1)).status().code());
    seen.push_back((co_await connection->WaitReadable(true)).code());
    seen.push_back((co_await connection->ReadSome(octets, 1)).status().code());
    codes.Set(seen);
  });
  client->Send(zip_.Pack("ok") + "\xff\xff\xff\xff");
  EXPECT_EQ(codes.Get(), (std::vector{absl::StatusCode::kUnavailable, absl::StatusCode::kOk,
                                      absl::StatusCode::kUnavailable}));
}

TEST_P(CompressionTest, TheEndOfTheStreamIsTold) {
  for (const bool by_deflate : {true, false}) {
    Handover<std::vector<absl::StatusCode>> codes;
    Zip zip;
    auto client = Connect([&](ConnectionPtr connection) -> awaitable<void> {
      EXPECT_TRUE(connection->StartCompression().ok());
      std::vector<absl::StatusCode> seen;
      char octets[100];
      for (int i = 0; i < 3; ++i) {
        seen.push_back((co_await connection->ReadSome(octets, sizeof(octets))).status().code());
      }
      EXPECT_TRUE((co_await connection->Write("BYE\r\n")).ok());
      codes.Set(seen);
    });
    client->Send(zip.Pack("hello", by_deflate ? Z_FINISH : Z_SYNC_FLUSH));
    if (!by_deflate) client->ShutdownWrite();
    EXPECT_EQ(codes.Get(), (std::vector{absl::StatusCode::kOk, absl::StatusCode::kOutOfRange,
                                        absl::StatusCode::kOutOfRange}));
    EXPECT_EQ(zip.Read(*client, 5), "BYE\r\n");
  }
}

TEST(CompressionWithTlsTest, NoTlsAfterIt) {
  SessionFixture fixture;
  Handover<absl::StatusCode> code;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    EXPECT_TRUE(connection->StartCompression().ok());
    code.Set((co_await connection->StartTls(testing::TestTls())).code());
  });
  EXPECT_EQ(code.Get(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace rmail::gateway
