// From a server's greeting to the point where it takes mail: EHLO, STARTTLS, AUTH.
#ifndef RMAIL_GATEWAY_RELAY_SESSION_START_H_
#define RMAIL_GATEWAY_RELAY_SESSION_START_H_

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "gateway/common/tls_client_context.h"
#include "gateway/relay/smtp_client.h"
#include "gateway/relay/transport_options.h"

namespace rmail::gateway::relay {

// What a session needs. The references outlive it.
struct SessionPolicy {
  const TransportOptions& options;
  const TlsClientContext& tls_context;
  TlsLevel tls = TlsLevel::kMay;
  bool implicit_tls = false;
  // What the certificate must be for, with kVerify: a host name or an address.
  std::string tls_name;
  // The message has the REQUIRETLS flag.
  bool require_tls = false;
  // AUTH, with the smarthost's user and password.
  bool authenticate = false;
};

// Why a session did not come about. The reply is the server's, or tells of our own trouble.
struct SessionFailure {
  smtp::Reply reply;
  // The reply is the server's.
  bool from_server = false;
  // TLS's handshake failed: it may work without, where that is allowed.
  bool handshake = false;
  // The server is this one: no other one is to be tried.
  bool loop = false;
};

// Nullopt: the server takes mail now, and `client.features` holds. After a failure the client is of
// no more use.
boost::asio::awaitable<std::optional<SessionFailure>> StartSession(SmtpClient& client,
                                                                   SessionPolicy policy);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_SESSION_START_H_
