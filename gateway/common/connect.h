// Connections to servers.
#ifndef RMAIL_GATEWAY_COMMON_CONNECT_H_
#define RMAIL_GATEWAY_COMMON_CONNECT_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/connection.h"

namespace rmail::gateway {

// Connects, on the caller's executor. `source` is the address to come from; one of the other family
// than the server's is ignored. kUnavailable: it cannot be reached; kDeadlineExceeded: it did not
// answer in time.
boost::asio::awaitable<absl::StatusOr<std::shared_ptr<Connection>>> Connect(
    boost::asio::ip::tcp::endpoint server, std::optional<boost::asio::ip::address> source,
    absl::Duration timeout);

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_CONNECT_H_
