// The server's certificate and key, replaceable while sessions run.
#ifndef RMAIL_GATEWAY_COMMON_TLS_CONTEXT_H_
#define RMAIL_GATEWAY_COMMON_TLS_CONTEXT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rmail::gateway {

// Thread-safe.
class TlsContext {
 public:
  // Reads a PEM certificate chain and its key. TLS 1.2 and up, server's preference, no
  // renegotiation, no compression, buffers released when idle.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Load(const std::string& cert_file,
                                                          const std::string& key_file);

  // Reads the files anew: sessions that start later see the new certificate, others go on. On an
  // error the old one stays.
  absl::Status Reload(const std::string& cert_file, const std::string& key_file);

  // For a new server session; the caller frees it (SSL_free).
  SSL* NewSession() const;

 private:
  TlsContext() = default;
  std::shared_ptr<SSL_CTX> Current() const;

  std::shared_ptr<SSL_CTX> context_;  // Read and replaced with std::atomic_load / atomic_store.
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_TLS_CONTEXT_H_
