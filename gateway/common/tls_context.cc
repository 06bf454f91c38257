#include "gateway/common/tls_context.h"

#include <openssl/err.h>

#include <atomic>
#include <string_view>
#include <utility>

#include "store/base/status.h"

namespace rmail::gateway {
namespace {

// TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
constexpr char kTls12Ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kSessionIdContext[] = "rmail";

// The oldest of OpenSSL's queued errors is the cause. Empties the queue.
std::string TakeTlsError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  char text[256] = "unknown error";
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  return text;
}

absl::Status FileError(std::string_view what, const std::string& file) {
  return MakeStatus(absl::StatusCode::kInvalidArgument,
                    std::string("cannot use ").append(what) + " " + file + ": " + TakeTlsError());
}

// An encrypted key is an error: OpenSSL's own callback would ask on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

absl::Status SetUp(SSL_CTX* context, const std::string& cert_file, const std::string& key_file) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One system call a record rather than two. Connection looks at SSL_has_pending before it waits.
  SSL_CTX_set_read_ahead(context, 1);
  // Tickets let clients resume; the server keeps nothing for them.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, kSessionIdContext, sizeof(kSessionIdContext) - 1);
  SSL_CTX_set_default_passwd_cb(context, &NoPassword);
  if (SSL_CTX_set_cipher_list(context, kTls12Ciphers) != 1) {
    return MakeStatus(absl::StatusCode::kInternal, "cannot set ciphers: " + TakeTlsError());
  }
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    return FileError("certificate", cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return FileError("key", key_file);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeContext(const std::string& cert_file,
                                                     const std::string& key_file) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context == nullptr) {
    return MakeStatus(absl::StatusCode::kInternal, "cannot set up TLS: " + TakeTlsError());
  }
  RMAIL_RETURN_IF_ERROR(SetUp(context.get(), cert_file, key_file));
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Load(const std::string& cert_file,
                                                             const std::string& key_file) {
  std::unique_ptr<TlsContext> context(new TlsContext);
  RMAIL_RETURN_IF_ERROR(context->Reload(cert_file, key_file));
  return context;
}

absl::Status TlsContext::Reload(const std::string& cert_file, const std::string& key_file) {
  RMAIL_ASSIGN_OR_RETURN(std::shared_ptr<SSL_CTX> context, MakeContext(cert_file, key_file));
  std::atomic_store(&context_, std::move(context));
  return absl::OkStatus();
}

SSL* TlsContext::NewSession() const { return SSL_new(Current().get()); }

std::shared_ptr<SSL_CTX> TlsContext::Current() const { return std::atomic_load(&context_); }

}  // namespace rmail::gateway
