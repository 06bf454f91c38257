// One shipment's way: its servers in order, until each recipient has an answer.
#ifndef RMAIL_GATEWAY_RELAY_SHIPMENT_SENDER_H_
#define RMAIL_GATEWAY_RELAY_SHIPMENT_SENDER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/common/tls_client_context.h"
#include "gateway/relay/connection_pool.h"
#include "gateway/relay/mail_commands.h"
#include "gateway/relay/resolver.h"
#include "gateway/relay/session_start.h"
#include "gateway/relay/transaction.h"
#include "gateway/relay/transport.h"
#include "gateway/relay/transport_options.h"

namespace rmail::gateway::relay {

// What all shipments share; outlives them.
struct SenderContext {
  TransportOptions options;
  std::unique_ptr<TlsClientContext> tls;
  std::shared_ptr<Resolver> resolver;
};

// What places and idle connections are kept for: the shipment's domain, or the smarthost.
std::string DestinationOf(const TransportOptions& options, const Shipment& shipment);

// Used once, on the pool's executor.
class ShipmentSender {
 public:
  ShipmentSender(const SenderContext& context, std::shared_ptr<ConnectionPool> pool,
                 Shipment shipment);

  // See Transport::Send.
  boost::asio::awaitable<std::vector<Delivered>> Run();

 private:
  // A server to try: a host's address.
  struct Server {
    std::string host;
    boost::asio::ip::address address;
    uint16_t port = 25;
    // Nobody can have put the host in the place of the right one: it was configured, or it lies
    // within the recipients' domain.
    bool trusted = false;
  };

  struct Batch {
    Mail mail;
    // Of each of the mail's recipients in the shipment.
    std::vector<size_t> places;
  };

  // Each returns when all recipients have an answer, or there is nothing more that it can do.
  boost::asio::awaitable<void> TryIdle();
  boost::asio::awaitable<void> TryHosts();
  boost::asio::awaitable<void> TryHost(std::string host);
  boost::asio::awaitable<void> TryServer(Server server);
  // True: the server wants another connection for the rest.
  boost::asio::awaitable<bool> SendOver(std::unique_ptr<SmtpClient> client);
  // One transaction. False: the client is gone.
  boost::asio::awaitable<bool> SendBatch(SmtpClient& client);

  boost::asio::awaitable<std::unique_ptr<SmtpClient>> Open(const Server& server, TlsLevel tls,
                                                           bool& handshake_failed);
  // The hosts in order; empty: all recipients have been answered.
  boost::asio::awaitable<std::vector<std::string>> FindHosts();
  SessionPolicy Policy(const Server& server, TlsLevel tls) const;
  TlsLevel Level() const;
  // The smarthost wants a login.
  bool LogsIn() const;
  // Whether a handshake that failed is no end: never where a password follows.
  bool MayGoWithoutTls(TlsLevel level) const;
  // The waiting recipients that a server takes at once.
  Batch NextBatch(const SmtpClient& client) const;
  void TakeAnswers(const Batch& batch, const TransactionResult& result, const SmtpClient& client);

  void ParseAddresses();
  bool finished() const;
  // False: nothing more is to be sent. Answers or notes why, where that is not known yet.
  bool GoesOn();
  void Answer(size_t recipient, const smtp::Reply& reply, std::string server, bool passes_notices);
  void AnswerWaiting(const smtp::Reply& reply, const std::string& server);
  // What is answered when no server is left. A temporary failure outweighs those that are for good.
  void Note(smtp::Reply reply, std::string server);

  const SenderContext& context_;
  const TransportOptions& options_;
  const std::shared_ptr<ConnectionPool> pool_;
  const Shipment shipment_;
  const std::chrono::steady_clock::time_point deadline_;
  std::string domain_;    // of the recipients, in ASCII
  std::string idle_key_;  // of connections that this shipment can use
  smtp::Path sender_;
  std::vector<smtp::Path> recipients_;
  std::vector<std::optional<Delivered>> answers_;
  std::optional<Delivered> noted_;
  std::optional<bool> utf8_header_;  // nullopt: not looked at yet
  size_t tried_ = 0;                 // addresses
  bool stop_ = false;                // no other server is to be tried
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_SHIPMENT_SENDER_H_
