// Connections of the transport: reuse, how many, and their end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "gateway/relay/testing/transport_fixture.h"

namespace rmail::gateway::relay {
namespace {

using testing::kDrop;
using testing::kHang;

constexpr char kTaken[] = "250 2.0.0 @mx.example.test";

class ConnectionReuseTest : public TransportFixture {
 protected:
  // Waits for a condition, for 10 s.
  template <typename Condition>
  static bool Eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  static bool Has(Server& server, const std::string& command) {
    for (const std::string& line : server.commands()) {
      if (line.starts_with(command)) return true;
    }
    return false;
  }
};

TEST_F(ConnectionReuseTest, OneConnectionForSeveralMessages) {
  options_.max_messages_per_connection = 3;
  Server& server = OneServer();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Send(), kTaken);
  ASSERT_EQ(server.mails().size(), 4U);
  EXPECT_EQ(server.mails()[2].connection, 1);
  EXPECT_EQ(server.mails()[3].connection, 2);
  EXPECT_TRUE(Eventually([&] { return Has(server, "QUIT"); }));
  EXPECT_EQ(dns_.queries("example.test"), 1);
}

TEST_F(ConnectionReuseTest, IdleConnectionsEnd) {
  options_.max_idle = absl::Milliseconds(50);
  Server& server = OneServer();
  EXPECT_EQ(Send(), kTaken);
  EXPECT_TRUE(Eventually([&] { return Has(server, "QUIT"); }));
  EXPECT_EQ(Send(), kTaken);
  EXPECT_EQ(server.connections(), 2);
}

// A server may close what is idle; that says nothing about it.
TEST_F(ConnectionReuseTest, IdleConnectionsThatHaveGone) {
  Server& server = OneServer();
  EXPECT_EQ(Send(), kTaken);
  for (const std::string_view reply : {kDrop, std::string_view("421 4.4.2 Too long idle")}) {
    server.Script("MAIL", reply, 1);
    EXPECT_EQ(Send(), kTaken);
  }
  EXPECT_EQ(server.connections(), 3);
  EXPECT_EQ(server.mails().size(), 3U);
}

// A reply too many must not become the answer to the next message.
TEST_F(ConnectionReuseTest, ServersThatAnswerTwice) {
  Server& server = OneServer();
  server.Script(".", "250 2.0.0 Taken\r\n250 2.0.0 Taken", 1);
  EXPECT_EQ(Send(), kTaken);
  server.Script(".", "554 5.7.1 Spam", 1);
  EXPECT_EQ(Send(), "554 5.7.1 @mx.example.test");
  EXPECT_EQ(server.connections(), 2);
  // The rest of a shipment's recipients.
  options_.max_recipients = 1;
  transport_.reset();
  server.Script(".", "250 2.0.0 Taken\r\n250 2.0.0 Taken", 1);
  server.Script(".", "554 5.7.1 Spam", 1);
  Recipients({"a@example.test", "b@example.test"});
  EXPECT_THAT(SendAll(), ::testing::ElementsAre(kTaken, "554 5.7.1 @mx.example.test"));
  EXPECT_EQ(server.connections(), 4);
}

// Nor one that comes out of turn before the first command.
TEST_F(ConnectionReuseTest, ServersThatSpeakOutOfTurn) {
  Server& server = OneServer({.features = {"X\r\n250 X\r\n250-Y"}});
  EXPECT_EQ(Send(), "451 4.4.2");
  EXPECT_TRUE(server.mails().empty());
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConnectionReuseTest, AShipmentThatIsNotOursAnyMore) {
  options_.max_recipients = 1;
  Server& server = OneServer();
  int asked = 0;
  still_ours_ = [&] { return server.mails().empty() && ++asked > 0; };
  Recipients({"a@example.test", "b@example.test"});
  EXPECT_THAT(SendAll(), ::testing::ElementsAre(kTaken, "451 4.3.2"));
  EXPECT_GT(asked, 0);
  EXPECT_EQ(server.mails().size(), 1U);
  still_ours_ = [] { return false; };
  EXPECT_THAT(SendAll(), ::testing::Each(std::string("451 4.3.2")));
  EXPECT_EQ(server.connections(), 1);
}

// Each step is in time, all of them are not.
TEST_F(ConnectionReuseTest, AShipmentThatTakesTooLong) {
  options_.timeouts.shipment = absl::Milliseconds(400);
  options_.max_recipients = 1;
  Server& server = OneServer({.delay = absl::Milliseconds(50)});
  Recipients(std::vector<std::string>(30, "a@example.test"));
  const std::vector<std::string> answers = SendAll();
  EXPECT_EQ(answers.back(), "451 4.4.2");
  EXPECT_LT(server.mails().size(), 30U);
  EXPECT_LE(server.connections(), 1);
  // Nor does a step go on for longer.
  server.Script("RCPT", kHang);
  Recipients({"a@example.test"});
  EXPECT_EQ(Send(), "451 4.4.2");
}

TEST_F(ConnectionReuseTest, OnlySoManyAtOnce) {
  options_.max_per_destination = 2;
  Server& server = OneServer({.delay = absl::Milliseconds(5)});
  std::vector<std::future<std::vector<Delivered>>> sends;
  for (int i = 0; i < 12; ++i) sends.push_back(Start());
  for (auto& send : sends) EXPECT_EQ(Summary(send.get()).at(0), kTaken);
  EXPECT_EQ(server.mails().size(), 12U);
  EXPECT_LE(server.connections(), 2);
}

TEST_F(ConnectionReuseTest, DestinationsDoNotWaitForEachOther) {
  options_.max_per_destination = 1;
  Server& hangs = OneServer();
  hangs.Script("EHLO", kHang);
  dns_.AddMx("other.test", 1, "other.example.test");
  AddServer(3, {.name = "other.example.test"});
  auto stuck = Start();
  EXPECT_EQ(Send("other.test"), "250 2.0.0 @other.example.test");
  transport_->Stop();
  EXPECT_EQ(Summary(stuck.get()).at(0), "451 4.4.2");
}

TEST_F(ConnectionReuseTest, ManyDestinationsAtOnce) {
  std::vector<std::future<std::vector<Delivered>>> sends;
  for (int i = 0; i < 20; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".test";
    dns_.AddMx(domain, 1, "mx.example.test");
  }
  Server& server = OneServer();
  Recipients({"bob@example.test"});
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) sends.push_back(Start("d" + std::to_string(i) + ".test"));
  }
  for (auto& send : sends) EXPECT_EQ(Summary(send.get()).at(0), kTaken);
  EXPECT_EQ(server.mails().size(), 100U);
}

TEST_F(ConnectionReuseTest, StopBreaksOff) {
  options_.max_per_destination = 1;
  Server& server = OneServer();
  server.Script("RCPT", kHang);
  auto first = Start();
  EXPECT_TRUE(Eventually([&] { return Has(server, "RCPT"); }));
  auto second = Start();  // Waits for the first.
  transport_->Stop();
  EXPECT_EQ(Summary(first.get()).at(0), "451 4.4.2");
  EXPECT_EQ(Summary(second.get()).at(0), "451 4.3.2");
  EXPECT_EQ(Summary(Start().get()).at(0), "451 4.3.2");
}

TEST_F(ConnectionReuseTest, StopEndsAfterTheBatch) {
  options_.max_recipients = 1;
  Server& server = OneServer({.delay = absl::Milliseconds(100)});
  Recipients({"a@example.test", "b@example.test"});
  auto sent = Start();
  EXPECT_TRUE(Eventually([&] { return !server.mails().empty(); }));
  transport_->Stop();
  EXPECT_THAT(Summary(sent.get()), ::testing::ElementsAre(kTaken, "451 4.3.2"));
  EXPECT_EQ(server.mails().size(), 1U);
}

// The server has the message: its answer is worth a wait.
TEST_F(ConnectionReuseTest, StopWaitsForTheAnswerToAMessage) {
  Server& server = OneServer({.delay = absl::Milliseconds(100)});
  auto sent = Start();
  EXPECT_TRUE(Eventually([&] { return !server.mails().empty(); }));
  transport_->Stop();
  EXPECT_EQ(Summary(sent.get()).at(0), kTaken);
}

}  // namespace
}  // namespace rmail::gateway::relay
