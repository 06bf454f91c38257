// How a queued message gets to other servers, as the relay sees it.
#ifndef RMAIL_GATEWAY_RELAY_TRANSPORT_H_
#define RMAIL_GATEWAY_RELAY_TRANSPORT_H_

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/smtp/syntax/reply.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::relay {

// The octets of a message, piece by piece. Used by one coroutine.
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  // The next piece, 256 KiB at most; nullopt at the end. After an error or the end it must not be
  // called again.
  virtual boost::asio::awaitable<absl::StatusOr<std::optional<std::string>>> Next() = 0;
};

// A message for some recipients that one server is responsible for.
struct Shipment {
  // The domain of all of its recipients, in lower case.
  std::string domain;
  // Of the message; `recipients` are more than this shipment has.
  const store::v1::QueueEnvelope* envelope = nullptr;
  // Octets.
  uint64_t size = 0;
  // The places of this shipment's recipients in the envelope.
  std::vector<int> recipients;
  // The message from its start; may be asked for several times, one after the other: a server may
  // break off, and the next one gets it.
  std::function<std::unique_ptr<MessageSource>()> open;
  // Whether the message is still this process's to send; asked before each server and each
  // transaction, on the sender's executor. Empty: it always is.
  std::function<bool()> still_ours;
};

// What became of one recipient.
struct Delivered {
  // 2yz: the server has it; 4yz: to be tried again; 5yz: never.
  smtp::Reply reply;
  // The name of the server that said so; empty when the reply is our own (no such domain, no server
  // could be reached).
  std::string server;
  // The server promises to send notices of success and delay itself (RFC 3461, 5.2.2).
  bool passes_notices = false;
};

// Thread-safe: many shipments at once, each on its caller's executor.
class Transport {
 public:
  virtual ~Transport() = default;
  // Sends a shipment. One answer for each of its recipients, in their order; it never throws, and
  // takes no longer than its own time-outs allow. A recipient is answered with 2yz only when the
  // server has taken the message over.
  virtual boost::asio::awaitable<std::vector<Delivered>> Send(Shipment shipment) = 0;
  // Breaks off what is under way, for the end of a process: a Send, also one that begins later,
  // soon answers 4yz for each recipient that no server has answered for.
  virtual void Stop() {}
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TRANSPORT_H_
