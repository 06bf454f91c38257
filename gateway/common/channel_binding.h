// Data that binds a login to the TLS connection it is made on (RFC 5056).
#ifndef RMAIL_GATEWAY_COMMON_CHANNEL_BINDING_H_
#define RMAIL_GATEWAY_COMMON_CHANNEL_BINDING_H_

#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway {

// For the server's side of an established session, "tls-exporter" (RFC 9266),
// "tls-server-end-point" or "tls-unique" (RFC 5929; TLS 1.2 only). nullopt: another type, or one
// that this session doesn't have.
std::optional<std::string> ChannelBindingData(SSL* ssl, std::string_view type);

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_CHANNEL_BINDING_H_
