// Clients' addresses as text ("192.0.2.1", "2001:db8::1"): what counts as one client, and ranges.
// Pure.
#ifndef RMAIL_GATEWAY_COMMON_CLIENT_ADDRESS_H_
#define RMAIL_GATEWAY_COMMON_CLIENT_ADDRESS_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway {

// The octets of an IPv4 address, or the first 8 of an IPv6 address: one host may have all addresses
// of a /64. The text itself when it is no address.
std::string ClientKey(std::string_view address);

// The same as text: "192.0.2.1", "2001:db8::/64"; at most 64 octets of what is no address.
std::string ClientName(std::string_view address);

// The network that an address is in: "192.0.2.0/24", "2001:db8::/48".
std::string NetworkName(std::string_view address);

// "192.0.2.0/24", "2001:db8::/32"; without a length, one address.
class AddressRange {
 public:
  // nullopt: not a range.
  static std::optional<AddressRange> Parse(std::string_view text);

  // False for what is no address.
  bool Contains(std::string_view address) const;

 private:
  using Octets = std::array<unsigned char, 16>;
  static std::optional<Octets> ParseAddress(std::string_view text, bool* is_v4);

  Octets first_ = {};  // an IPv4 address as its IPv4-mapped one
  int bits_ = 128;
};

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_CLIENT_ADDRESS_H_
