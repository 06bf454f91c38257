// TLS towards other servers.
#ifndef RMAIL_GATEWAY_COMMON_TLS_CLIENT_CONTEXT_H_
#define RMAIL_GATEWAY_COMMON_TLS_CLIENT_CONTEXT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace rmail::gateway {

// Thread-safe.
class TlsClientContext {
 public:
  // TLS 1.2 and up. `ca_file` holds the certificates to trust (PEM); empty: the system's.
  static absl::StatusOr<std::unique_ptr<TlsClientContext>> Create(const std::string& ca_file);

  // For Connection::StartClientTls. `server` is a host name, which is sent along (RFC 6066, 3), or
  // an address. `verify`: the handshake fails unless the certificate is valid and the server's;
  // otherwise any will do. Null when there is no memory.
  SSL* NewSession(const std::string& server, bool verify) const;

 private:
  TlsClientContext() = default;

  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_TLS_CLIENT_CONTEXT_H_
