// SASL mechanisms (RFC 4422) over the store, for all gateways that have AUTH or AUTHENTICATE.
#ifndef RMAIL_GATEWAY_COMMON_SASL_MECHANISM_H_
#define RMAIL_GATEWAY_COMMON_SASL_MECHANISM_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/common/connection.h"
#include "gateway/common/store_session.h"

namespace rmail::gateway {

// What an exchange goes on with: a challenge to the client, or its end.
struct SaslStep {
  std::string challenge;
  // The login, or why there is none: an error of StoreAccess, or kInvalidArgument for a message
  // that the mechanism does not have ("Bad PLAIN message").
  std::optional<absl::StatusOr<StoreAccess::Login>> end;
};

// One exchange. Not thread-safe; used by the connection's coroutine.
class SaslMechanism {
 public:
  virtual ~SaslMechanism() = default;

  // What the client is asked when it sent no initial response: empty for mechanisms in which the
  // client speaks first.
  virtual std::string_view first_challenge() const { return ""; }

  // Takes the client's next message, decoded: the initial response or the answer to a challenge.
  // Not called again after the end.
  virtual boost::asio::awaitable<SaslStep> Take(std::string message) = 0;
};

// Null: there is no such mechanism here; `name` in upper case. Both outlive it.
std::unique_ptr<SaslMechanism> NewSaslMechanism(std::string_view name, StoreAccess& access,
                                                Connection& connection);

// The names, the best first; `secure`: the connection has TLS, which -PLUS needs; `scram`: as
// StoreAccess.
std::span<const std::string_view> SaslMechanismNames(bool secure, bool scram);

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_SASL_MECHANISM_H_
