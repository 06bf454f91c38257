// A relay between a queue and servers in memory, under a clock that the test moves.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_RELAY_FIXTURE_H_
#define RMAIL_GATEWAY_RELAY_TESTING_RELAY_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gateway/common/server.h"
#include "gateway/relay/relay.h"
#include "gateway/relay/testing/fake_queue.h"
#include "gateway/relay/testing/fake_transport.h"
#include "gateway/relay/testing/virtual_clock.h"

namespace rmail::gateway::relay {

class RelayFixture : public ::testing::Test {
 protected:
  RelayFixture() {
    options.hostname = "mail.example.com";
    options.holder = "test";
    queue.AddAccount("alice@example.com");
  }
  ~RelayFixture() override { Drain(absl::ZeroDuration()); }

  void Start() { relay = std::make_unique<Relay>(threads, queue, transport, clock, options); }
  void Drain(absl::Duration grace) {
    if (relay == nullptr) return;
    std::thread drain([&] { relay->Drain(grace); });
    queue.EndWaits();
    drain.join();
    relay = nullptr;
  }

  static store::v1::QueueEnvelope Envelope(const std::string& sender,
                                           const std::vector<std::string>& recipients,
                                           uint32_t notify = 0) {
    store::v1::QueueEnvelope envelope;
    envelope.set_sender(sender);
    envelope.set_trace_id("trace1");
    for (const std::string& address : recipients) {
      envelope.add_recipients()->set_address(address);
      envelope.mutable_recipients()->rbegin()->set_notify(notify);
    }
    return envelope;
  }
  std::string Add(const std::string& sender, const std::vector<std::string>& recipients,
                  uint32_t notify = 0) {
    return queue.Add(Envelope(sender, recipients, notify), kText);
  }

  // Whether a message is gone from the queue, or will be soon.
  bool Finished(const std::string& name) {
    return queue.WaitFor([&] { return !queue.Get(name).has_value(); });
  }
  // Waits until a recipient has been tried so often and the relay has given its lease back.
  bool Tried(const std::string& name, uint32_t attempts, int recipient = 0) {
    return queue.WaitFor([&] {
      const auto message = queue.Get(name);
      return message.has_value() &&
             message->envelope().recipients(recipient).attempts() == attempts;
    });
  }
  absl::Time NextAttemptOf(const std::string& name, int recipient = 0) {
    const auto message = queue.Get(name);
    if (!message.has_value()) return absl::InfinitePast();
    return absl::FromUnixMicros(message->envelope().recipients(recipient).next_attempt());
  }

  static constexpr char kText[] =
      "Message-ID: <1@example.com>\r\nSubject: Hello\r\n\r\nThe body.\r\n";
  VirtualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  FakeQueue queue{clock};
  FakeTransport transport;
  RelayOptions options;
  gateway::IoThreads threads{2};
  std::unique_ptr<Relay> relay;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TESTING_RELAY_FIXTURE_H_
