// SmtpTransport between servers and a DNS server of the test's.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_TRANSPORT_FIXTURE_H_
#define RMAIL_GATEWAY_RELAY_TESTING_TRANSPORT_FIXTURE_H_

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/common/server.h"
#include "gateway/relay/smtp_transport.h"
#include "gateway/relay/testing/dns_server.h"
#include "gateway/relay/testing/fake_smtp_server.h"
#include "gateway/relay/transport.h"
#include "gateway/relay/transport_options.h"

namespace rmail::gateway::relay {

// Pieces of a text; an error after them when `broken`.
class TextSource : public MessageSource {
 public:
  TextSource(std::string text, size_t piece, bool broken)
      : text_(std::move(text)), piece_(piece), broken_(broken) {}

  boost::asio::awaitable<absl::StatusOr<std::optional<std::string>>> Next() override {
    if (start_ >= text_.size()) {
      if (broken_) co_return absl::UnavailableError("the store is gone");
      co_return std::nullopt;
    }
    std::string piece = text_.substr(start_, piece_);
    start_ += piece.size();
    co_return piece;
  }

 private:
  const std::string text_;
  const size_t piece_;
  const bool broken_;
  size_t start_ = 0;
};

class TransportFixture : public ::testing::Test {
 protected:
  using Dns = testing::DnsServer;
  using Server = testing::FakeSmtpServer;

  TransportFixture() {
    options_.hostname = "relay.example.com";
    options_.tls = TlsLevel::kNone;
    options_.hosts_file = false;
    options_.dns_timeout = absl::Milliseconds(100);
    options_.timeouts.connect = absl::Seconds(5);
    envelope_.set_sender("alice@example.com");
  }

  // A server at 127.0.0.`number`; all have the same port. Known to DNS by its name.
  Server& AddServer(int number, testing::FakeSmtpOptions options = {}) {
    options.host = "127.0.0." + std::to_string(number);
    options.port = port_;
    dns_.AddAddress(options.name, options.host);
    servers_.push_back(std::make_unique<Server>(std::move(options)));
    port_ = servers_.back()->port();
    return *servers_.back();
  }
  // The server of example.test.
  Server& OneServer(testing::FakeSmtpOptions options = {}) {
    dns_.AddMx("example.test", 10, options.name);
    return AddServer(2, std::move(options));
  }

  void Recipients(const std::vector<std::string>& addresses) {
    envelope_.clear_recipients();
    for (const std::string& address : addresses) envelope_.add_recipients()->set_address(address);
  }

  std::future<std::vector<Delivered>> Start(const std::string& domain = "example.test") {
    if (transport_ == nullptr) {
      if (options_.port == 25) options_.port = port_;
      options_.dns_servers = {dns_.address()};
      auto made = SmtpTransport::Create(options_, threads_);
      EXPECT_TRUE(made.ok()) << made.status();
      transport_ = *std::move(made);
    }
    if (envelope_.recipients().empty()) Recipients({"bob@" + domain});
    Shipment shipment;
    shipment.domain = domain;
    shipment.envelope = &envelope_;
    shipment.size = text_.size();
    for (int i = 0; i < envelope_.recipients_size(); ++i) shipment.recipients.push_back(i);
    shipment.open = [text = text_, piece = piece_, broken = broken_source_] {
      return std::make_unique<TextSource>(text, piece, broken);
    };
    shipment.still_ours = still_ours_;
    return boost::asio::co_spawn(threads_.Next(), transport_->Send(std::move(shipment)),
                                 boost::asio::use_future);
  }
  // One line a recipient: "250 2.0.0 @mx.example.test".
  static std::vector<std::string> Summary(const std::vector<Delivered>& delivered) {
    std::vector<std::string> lines;
    for (const Delivered& one : delivered) {
      std::string line = std::to_string(one.reply.code) + " " + one.reply.enhanced;
      if (!one.server.empty()) line += " @" + one.server;
      if (one.passes_notices) line += " +notices";
      lines.push_back(line);
    }
    return lines;
  }
  std::vector<std::string> SendAll(const std::string& domain = "example.test") {
    last_ = Start(domain).get();
    return Summary(last_);
  }
  std::string Send(const std::string& domain = "example.test") {
    const std::vector<std::string> lines = SendAll(domain);
    EXPECT_EQ(lines.size(), 1U);
    return lines.at(0);
  }

  IoThreads threads_{2};
  Dns dns_;
  std::vector<std::unique_ptr<Server>> servers_;
  uint16_t port_ = 0;
  TransportOptions options_;
  store::v1::QueueEnvelope envelope_;
  std::string text_ = "Subject: hello\r\n\r\n.dot\r\nend\r\n";
  size_t piece_ = 7;
  bool broken_source_ = false;
  std::function<bool()> still_ours_;
  std::vector<Delivered> last_;
  std::unique_ptr<SmtpTransport> transport_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TESTING_TRANSPORT_FIXTURE_H_
