#include "gateway/common/tls_client_context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "store/base/status.h"

namespace rmail::gateway {
namespace {

absl::Status SetUp(SSL_CTX* context, const std::string& ca_file) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return absl::OkStatus();
    return MakeStatus(absl::StatusCode::kInternal, "cannot use the system's certificates");
  }
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kInvalidArgument, "cannot read certificates in " + ca_file);
}

// False: no memory, or no name that a certificate could have.
bool Expect(SSL* ssl, const std::string& server, bool is_address) {
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server.c_str()) == 1;
  // "*.example.com" counts, "mx*.example.com" doesn't (RFC 6125, 6.4.3).
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, server.c_str()) == 1;
}

bool IsAddress(const std::string& server) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(server.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsClientContext>> TlsClientContext::Create(
    const std::string& ca_file) {
  std::unique_ptr<TlsClientContext> made(new TlsClientContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  absl::Status status = MakeStatus(absl::StatusCode::kInternal, "cannot set up TLS");
  if (made->context_ != nullptr) status = SetUp(made->context_.get(), ca_file);
  ERR_clear_error();
  RMAIL_RETURN_IF_ERROR(status);
  return made;
}

SSL* TlsClientContext::NewSession(const std::string& server, bool verify) const {
  SSL* const ssl = SSL_new(context_.get());
  if (ssl == nullptr) return nullptr;
  const bool is_address = IsAddress(server);
  const bool named = is_address || SSL_set_tlsext_host_name(ssl, server.c_str()) == 1;
  const bool good = named && (!verify || Expect(ssl, server, is_address));
  ERR_clear_error();
  if (good) return ssl;
  SSL_free(ssl);
  return nullptr;
}

}  // namespace rmail::gateway
