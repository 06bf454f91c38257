#include "gateway/common/channel_binding.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

namespace rmail::gateway {
namespace {

constexpr std::string_view kExporterLabel = "EXPORTER-Channel-Binding";
constexpr size_t kExporterSize = 32;

// Without the extended master secret, TLS 1.2 lets two connections have the same secrets (RFC 7627,
// 1).
bool SecretsAreUnique(SSL* ssl) {
  return SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
}

std::optional<std::string> Exporter(SSL* ssl) {
  if (!SecretsAreUnique(ssl)) return std::nullopt;
  std::string data(kExporterSize, '\0');
  // RFC 9266, 2: a context of no octets.
  if (SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(data.data()), data.size(),
                                 kExporterLabel.data(), kExporterLabel.size(), nullptr, 0,
                                 1) != 1) {
    return std::nullopt;
  }
  return data;
}

// RFC 5929, 4.1: the certificate's hash by its signature's hash function, SHA-256 for weak ones.
std::optional<std::string> ServerEndPoint(SSL* ssl) {
  const X509* certificate = SSL_get_certificate(ssl);
  int digest = NID_undef;
  if (certificate == nullptr || X509_get_signature_info(const_cast<X509*>(certificate), &digest,
                                                        nullptr, nullptr, nullptr) != 1) {
    return std::nullopt;
  }
  // Not defined for a signature without a hash function (Ed25519).
  if (digest == NID_undef) return std::nullopt;
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  const EVP_MD* const function = EVP_get_digestbynid(digest);
  if (function == nullptr) return std::nullopt;
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, function, hash, &size) != 1) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(hash), size);
}

// RFC 5929, 3.1: the first Finished message of the handshake: the client's, or the server's when a
// session was resumed.
std::optional<std::string> Unique(SSL* ssl) {
  if (SSL_version(ssl) >= TLS1_3_VERSION || !SecretsAreUnique(ssl)) return std::nullopt;
  unsigned char finished[EVP_MAX_MD_SIZE];
  const size_t size = SSL_session_reused(ssl) == 1
                          ? SSL_get_finished(ssl, finished, sizeof(finished))
                          : SSL_get_peer_finished(ssl, finished, sizeof(finished));
  if (size == 0 || size > sizeof(finished)) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(finished), size);
}

}  // namespace

std::optional<std::string> ChannelBindingData(SSL* ssl, std::string_view type) {
  ERR_clear_error();
  std::optional<std::string> data;
  if (type == "tls-exporter") data = Exporter(ssl);
  if (type == "tls-server-end-point") data = ServerEndPoint(ssl);
  if (type == "tls-unique") data = Unique(ssl);
  ERR_clear_error();
  return data;
}

}  // namespace rmail::gateway
