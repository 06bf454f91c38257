// Transport over SMTP.
#ifndef RMAIL_GATEWAY_RELAY_SMTP_TRANSPORT_H_
#define RMAIL_GATEWAY_RELAY_SMTP_TRANSPORT_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/common/server.h"
#include "gateway/relay/resolver.h"
#include "gateway/relay/transport.h"
#include "gateway/relay/transport_options.h"

namespace rmail::gateway::relay {

// Which server a shipment goes to, and what its answers mean:
//   556 5.1.10  the domain accepts no mail (RFC 7505)    550 5.1.2  there is no such domain
//   550 5.4.4   its mail servers have no address         451 4.4.3  DNS does not answer
//   451 4.4.1   no server could be reached               451 4.4.2  the connection broke
//   554 5.4.6   mail would come back to this server      451 4.7.4, 4.7.5  TLS, its certificate
//   550 5.7.30  no server fits REQUIRETLS (RFC 8689)     451 4.7.8  the smarthost's AUTH
// and those of Obstacle() (mail_commands.h). What a server says about the message or a recipient is
// passed on as it is. A server that can't be spoken to, or turns the connection away, makes the
// next one of the domain tried; when none is left, and one of the failures was temporary, the
// result is.
class SmtpTransport : public Transport {
 public:
  // `threads` outlives the transport; what is sent to one destination is sent by one of them.
  static absl::StatusOr<std::unique_ptr<SmtpTransport>> Create(TransportOptions options,
                                                               IoThreads& threads);
  // The same with a resolver of the caller's.
  static absl::StatusOr<std::unique_ptr<SmtpTransport>> Create(TransportOptions options,
                                                               IoThreads& threads,
                                                               std::shared_ptr<Resolver> resolver);
  // Nothing is being sent any more, or the threads were stopped.
  ~SmtpTransport() override;

  boost::asio::awaitable<std::vector<Delivered>> Send(Shipment shipment) override;

  // For a shutdown: what is being sent breaks off and is answered with 4yz, soon; only an answer to
  // a whole message is still waited for, 20 s at most, since the server may have it. Thread-safe.
  void Stop() override;

 private:
  struct Impl;
  explicit SmtpTransport(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_SMTP_TRANSPORT_H_
