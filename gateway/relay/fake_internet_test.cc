// The relay on a real store, between servers that behave as badly as those out there, under a clock
// that the test moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/server.h"
#include "gateway/common/test_tls.h"
#include "gateway/relay/relay.h"
#include "gateway/relay/relay_store.h"
#include "gateway/relay/smtp_transport.h"
#include "gateway/relay/testing/dns_server.h"
#include "gateway/relay/testing/fake_smtp_server.h"
#include "gateway/relay/testing/virtual_clock.h"
#include "store/base/error.h"
#include "tests/support/test_store.h"

namespace rmail::gateway::relay {
namespace {

namespace pb = ::rmail::store::v1;
using ::testing::AllOf;
using testing::DnsServer;
using testing::FakeSmtpOptions;
using testing::FakeSmtpServer;
using ::testing::HasSubstr;
using testing::kDrop;
using testing::kHang;
using ::testing::Not;

class FakeInternetTest : public ::testing::Test {
 protected:
  FakeInternetTest() {
    store.AddAccount("alice@example.com", "secret");
    transport_options.hostname = "mail.example.com";
    transport_options.hosts_file = false;
    transport_options.dns_servers = {dns.address()};
    transport_options.dns_timeout = absl::Milliseconds(50);
    transport_options.timeouts.connect = absl::Seconds(5);
    transport_options.timeouts.greeting = absl::Seconds(1);
    transport_options.timeouts.data_block = absl::Seconds(5);
    options.hostname = "mail.example.com";
    options.holder = "test";
    // The store's own waits know nothing of this clock.
    options.lease_wait = absl::ZeroDuration();
  }

  // The server of a domain, at 127.0.1.`number`.
  FakeSmtpServer& AddServer(const std::string& domain, FakeSmtpOptions server = {}) {
    server.name = "mx." + domain;
    server.host = "127.0.1." + std::to_string(servers.size() + 1);
    server.port = transport_options.port == 25 ? 0 : transport_options.port;
    dns.AddMx(domain, 10, server.name);
    dns.AddAddress(server.name, server.host);
    servers.push_back(std::make_unique<FakeSmtpServer>(std::move(server)));
    transport_options.port = servers.back()->port();
    return *servers.back();
  }

  void Start() {
    auto made = SmtpTransport::Create(transport_options, threads);
    ASSERT_TRUE(made.ok()) << made.status();
    transport = *std::move(made);
    relay = std::make_unique<Relay>(threads, *relay_store, *transport, clock, options);
  }
  void Stop() {
    relay = nullptr;
    transport = nullptr;
  }
  ~FakeInternetTest() override { Stop(); }

  template <typename T>
  T Run(boost::asio::awaitable<T> work) {
    return boost::asio::co_spawn(threads.Next(), std::move(work), boost::asio::use_future).get();
  }

  std::string Queue(const std::string& sender, const std::vector<std::string>& recipients,
                    const std::string& text = kText, uint32_t notify = 0) {
    pb::DeliverHeader header;
    header.mutable_queue()->set_sender(sender);
    header.mutable_queue()->set_account(sender);
    header.mutable_queue()->set_trace_id("T1");
    for (const std::string& address : recipients) {
      pb::QueueRecipient& recipient = *header.mutable_queue()->add_recipients();
      recipient.set_address(address);
      recipient.set_notify(notify);
    }
    const auto response =
        Run(relay_store->Deliver(std::move(header), std::make_unique<StringSource>(text)));
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->queued() : "";
  }

  std::vector<pb::QueuedMessage> List() {
    return Run([](gateway::StoreSession session)
                   -> boost::asio::awaitable<std::vector<pb::QueuedMessage>> {
      std::vector<pb::QueuedMessage> all;
      auto stream = session.Read(pb::ListQueueRequest());
      while (true) {
        const auto batch = co_await stream.Next();
        EXPECT_TRUE(batch.ok()) << batch.status();
        if (!batch.ok() || !batch->has_value()) co_return all;
        all.insert(all.end(), (*batch)->messages().begin(), (*batch)->messages().end());
      }
    }(store.access().Relay()));
  }

  // The next attempt of anything that waits, when nothing is due or under way.
  std::optional<absl::Time> NextAttempt(const std::vector<pb::QueuedMessage>& queue) {
    absl::Time next = absl::InfiniteFuture();
    for (const pb::QueuedMessage& message : queue) {
      if (message.leased_until() != 0) return std::nullopt;
      for (const pb::QueueRecipient& recipient : message.envelope().recipients()) {
        if (recipient.state() != pb::QueueRecipient::STATE_WAITING) continue;
        next = std::min(next, absl::FromUnixMicros(recipient.next_attempt()));
      }
    }
    if (next <= clock.Now()) return std::nullopt;
    return next;
  }

  // Waits until the relay has nothing to do; what waits then.
  std::vector<pb::QueuedMessage> Settle() {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (absl::Now() < deadline) {
      std::vector<pb::QueuedMessage> queue = List();
      if (queue.empty() || NextAttempt(queue).has_value()) return queue;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "the relay does not come to rest";
    return {};
  }
  // Moves the clock from attempt to attempt until the queue is empty, or `most` attempts were made.
  int RunThrough(int most = 100) {
    for (int attempts = 1; attempts <= most; ++attempts) {
      const std::vector<pb::QueuedMessage> queue = Settle();
      if (queue.empty() || HasFailure()) return attempts;
      clock.Advance(*NextAttempt(queue) - clock.Now());
    }
    return most;
  }

  // Alice's messages, in the order in which they came.
  std::vector<std::string> Mail() {
    std::map<std::string, std::string> messages;
    const std::string folder = store.mail_root() + "/domains/example.com/users/alice";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".eml") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      messages[entry.path().filename()] =
          std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    std::vector<std::string> in_order;
    for (auto& [name, text] : messages) in_order.push_back(std::move(text));
    return in_order;
  }

  static constexpr char kText[] = "Message-ID: <1@example.com>\r\nSubject: Hello\r\n\r\n.Body\r\n";
  VirtualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  rmail::testing::TestStore store{[this] { return clock.Now(); }};
  DnsServer dns;
  std::vector<std::unique_ptr<FakeSmtpServer>> servers;
  gateway::IoThreads threads{2};
  std::unique_ptr<RelayStore> relay_store = MakeRelayStore(store.access());
  TransportOptions transport_options;
  RelayOptions options;
  std::unique_ptr<SmtpTransport> transport;
  std::unique_ptr<Relay> relay;
};

TEST_F(FakeInternetTest, OneMessageToServersOfAllKinds) {
  FakeSmtpServer& good = AddServer("good.test");
  FakeSmtpServer& grey = AddServer("grey.test");
  grey.Script("RCPT TO:", "450 4.2.0 Greylisted", 2);
  FakeSmtpServer& busy = AddServer("busy.test");
  busy.Script("GREETING", "421 4.3.2 Busy", 3);
  FakeSmtpServer& full = AddServer("full.test");
  full.Script("RCPT TO:<bob@", "552 5.2.2 Mailbox full");
  FakeSmtpOptions broken;
  broken.tls = &rmail::testing::TestTls();
  broken.broken_tls = true;
  FakeSmtpServer& broken_tls = AddServer("broken-tls.test", broken);
  FakeSmtpOptions sluggish;
  sluggish.delay = absl::Milliseconds(20);
  FakeSmtpServer& slow = AddServer("slow.test", sluggish);
  FakeSmtpServer& lost = AddServer("lost.test");
  lost.Script(".", kDrop, 1);
  FakeSmtpServer& refusing = AddServer("refusing.test");
  refusing.Script(".", "554 5.7.1 Spam", 1);
  FakeSmtpServer& hanging = AddServer("hanging.test");
  hanging.Script("GREETING", kHang);
  dns.AddMx("nomail.test", 0, ".");
  Start();
  Queue("alice@example.com",
        {"bob@good.test", "bob@grey.test", "bob@busy.test", "bob@full.test", "carl@full.test",
         "bob@broken-tls.test", "bob@slow.test", "bob@lost.test", "bob@refusing.test",
         "bob@hanging.test", "bob@nomail.test", "bob@nosuch.test"});
  const absl::Time start = clock.Now();
  EXPECT_EQ(RunThrough(), 13);
  EXPECT_EQ(clock.Now() - start, absl::Hours(120));

  for (FakeSmtpServer* const server : {&good, &grey, &busy, &full, &broken_tls, &slow, &lost}) {
    const auto mails = server->mails();
    ASSERT_EQ(mails.size(), 1u);
    EXPECT_EQ(mails[0].text, kText);
    EXPECT_EQ(mails[0].rcpt.size(), 1u);
  }
  EXPECT_FALSE(broken_tls.mails()[0].tls);
  EXPECT_TRUE(refusing.mails().empty());
  EXPECT_EQ(hanging.connections(), 13);

  const std::vector<std::string> notices = Mail();
  ASSERT_EQ(notices.size(), 3u);
  EXPECT_THAT(notices[0], HasSubstr("Action: failed"));
  EXPECT_THAT(notices[0], HasSubstr("<bob@full.test>\r\n    mx.full.test said:\r\n    552 5.2.2"));
  EXPECT_THAT(notices[0], HasSubstr("<bob@refusing.test>"));
  EXPECT_THAT(notices[0], HasSubstr("<bob@nomail.test>\r\n    556 5.1.10"));
  EXPECT_THAT(notices[0], HasSubstr("<bob@nosuch.test>\r\n    550 5.1.2"));
  EXPECT_THAT(notices[0], Not(HasSubstr("carl@")));
  EXPECT_THAT(notices[1], AllOf(HasSubstr("Action: delayed"), HasSubstr("bob@hanging.test")));
  EXPECT_THAT(notices[2], AllOf(HasSubstr("Action: failed"), HasSubstr("bob@hanging.test"),
                                HasSubstr("Status: 4.4.7")));
  for (const std::string& notice : notices) {
    EXPECT_TRUE(notice.starts_with("Return-Path: <>\r\n"));
  }
}

TEST_F(FakeInternetTest, ARelayGoesOnWhereAnotherHasStopped) {
  FakeSmtpServer& grey = AddServer("grey.test");
  grey.Script("RCPT TO:", "450 4.2.0 Greylisted", 3);
  Start();
  const std::string name = Queue("alice@example.com", {"bob@grey.test"});
  ASSERT_EQ(Settle().size(), 1u);
  Stop();
  clock.Advance(absl::Minutes(1));
  Start();
  const std::vector<pb::QueuedMessage> queue = Settle();
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].name(), name);
  EXPECT_EQ(queue[0].envelope().recipients(0).attempts(), 2u);
  EXPECT_EQ(absl::FromUnixMicros(queue[0].envelope().recipients(0).next_attempt()),
            clock.Now() + absl::Minutes(5));
  RunThrough();
  EXPECT_EQ(grey.mails().size(), 1u);
  EXPECT_TRUE(Mail().empty());
}

TEST_F(FakeInternetTest, ANoticeForASenderElsewhereHasItsOwnRetries) {
  FakeSmtpServer& far = AddServer("far.test");
  far.Script("RCPT TO:", "450 4.2.0 Greylisted", 1);
  FakeSmtpServer& full = AddServer("full.test");
  full.Script("RCPT TO:", "552 5.2.2 Mailbox full");
  Start();
  Queue("zoe@far.test", {"bob@full.test"});
  RunThrough();
  const auto mails = far.mails();
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_THAT(mails[0].mail, HasSubstr("MAIL FROM:<>"));
  EXPECT_THAT(mails[0].text, HasSubstr("Final-Recipient: rfc822; bob@full.test\r\n"));
  EXPECT_EQ(full.connections(), 1);
}

TEST_F(FakeInternetTest, DnsThatFailsIsTriedAgain) {
  FakeSmtpServer& good = AddServer("good.test");
  dns.SetFault("good.test", DnsServer::Fault::kServerFailure);
  Start();
  Queue("alice@example.com", {"bob@good.test"});
  const std::vector<pb::QueuedMessage> queue = Settle();
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_THAT(queue[0].envelope().recipients(0).last_reply(), HasSubstr("451 4.4.3"));
  dns.SetFault("good.test", DnsServer::Fault::kNone);
  RunThrough();
  EXPECT_EQ(good.mails().size(), 1u);
}

TEST_F(FakeInternetTest, ManyMessagesEachOnce) {
  FakeSmtpServer& one = AddServer("one.test");
  FakeSmtpServer& two = AddServer("two.test");
  constexpr int kMessages = 60;
  std::string body;
  for (int i = 0; i < 100; ++i) body += std::string(70, 'x') + "\r\n";
  for (int i = 0; i < kMessages; ++i) {
    Queue("alice@example.com", {"bob@one.test", "bob@two.test"},
          "Subject: " + std::to_string(i) + "\r\n\r\n" + body);
  }
  Start();
  RunThrough();
  for (FakeSmtpServer* const server : {&one, &two}) {
    std::vector<std::string> subjects;
    for (const auto& mail : server->mails()) {
      subjects.push_back(mail.text.substr(0, mail.text.find('\r')));
    }
    std::sort(subjects.begin(), subjects.end());
    EXPECT_EQ(subjects.size(), size_t{kMessages});
    EXPECT_EQ(std::unique(subjects.begin(), subjects.end()), subjects.end());
  }
}

TEST_F(FakeInternetTest, DrainBreaksOffAHangingServer) {
  transport_options.timeouts.greeting = absl::Minutes(5);
  FakeSmtpServer& hanging = AddServer("hanging.test");
  hanging.Script("GREETING", kHang);
  Start();
  Queue("alice@example.com", {"bob@hanging.test"});
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (hanging.connections() == 0 && absl::Now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  relay->Drain(absl::ZeroDuration());
  EXPECT_LT(absl::Now(), deadline);
  const std::vector<pb::QueuedMessage> queue = List();
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0].leased_until(), 0);
  EXPECT_EQ(queue[0].envelope().recipients(0).state(), pb::QueueRecipient::STATE_WAITING);
}

}  // namespace
}  // namespace rmail::gateway::relay
