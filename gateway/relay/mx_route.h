// Where a domain's mail goes (RFC 5321, 5.1), from what DNS says. Pure.
#ifndef RMAIL_GATEWAY_RELAY_MX_ROUTE_H_
#define RMAIL_GATEWAY_RELAY_MX_ROUTE_H_

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/relay/resolver.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::relay {

// A number from 0 up to, not including, its argument.
using RandomBelow = std::function<size_t(size_t)>;

// The hosts to try, in order: by preference, those of equal preference in random order. Without MX
// records it is the domain itself. Hosts from our own place in the list on are left out: sending
// to them would make mail go round. The reply says why there is none.
smtp::Parsed<std::vector<std::string>> OrderHosts(const std::string& domain,
                                                  const absl::StatusOr<MxAnswer>& answer,
                                                  std::string_view own_name,
                                                  const RandomBelow& random);

// The addresses of a host to try, in order: IPv6 and IPv4 in turn, so that a network that lacks one
// family costs one attempt. What is no host's address is left out.
std::vector<boost::asio::ip::address> OrderAddresses(
    const std::vector<boost::asio::ip::address>& addresses);

// What a host without addresses, or one that can't be looked up, means for mail to its domain.
smtp::Reply NoAddress(const std::string& host, const absl::Status& status);

// The address of a domain such as "[192.0.2.1]" or "[IPv6:2001:db8::1]".
std::optional<boost::asio::ip::address> ParseAddressLiteral(std::string_view domain);

// Whether `host` is the domain or lies below it.
bool IsWithin(std::string_view host, std::string_view domain);

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_MX_ROUTE_H_
