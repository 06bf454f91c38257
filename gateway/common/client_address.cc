#include "gateway/common/client_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace rmail::gateway {
namespace {

constexpr int kV4Prefix = 96;  // bits of an IPv4-mapped address in front of the IPv4 address
constexpr size_t kMaxOtherName = 64;

// The range of so many whole octets' bits that an address is in.
std::string Name(std::string_view address, size_t v4_bits, size_t v6_bits) {
  const std::string copy(address.substr(0, kMaxOtherName));
  unsigned char octets[16];
  char text[INET6_ADDRSTRLEN];
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, copy.c_str(), octets) != 1) continue;
    const size_t size = family == AF_INET ? 4 : 16;
    const size_t bits = family == AF_INET ? v4_bits : v6_bits;
    std::fill(octets + bits / 8, octets + size, 0);
    std::string name = inet_ntop(family, octets, text, sizeof(text));
    if (bits < 8 * size) name += "/" + std::to_string(bits);
    return name;
  }
  return copy;
}

}  // namespace

std::optional<AddressRange::Octets> AddressRange::ParseAddress(std::string_view text, bool* is_v4) {
  Octets octets = {};
  const std::string copy(text);
  if (inet_pton(AF_INET6, copy.c_str(), octets.data()) == 1) {
    *is_v4 = IN6_IS_ADDR_V4MAPPED(reinterpret_cast<const in6_addr*>(octets.data()));
    return octets;
  }
  octets = {};
  octets[10] = octets[11] = 0xff;
  if (inet_pton(AF_INET, copy.c_str(), octets.data() + 12) != 1) return std::nullopt;
  *is_v4 = true;
  return octets;
}

std::optional<AddressRange> AddressRange::Parse(std::string_view text) {
  AddressRange range;
  const size_t slash = text.find('/');
  bool is_v4 = false;
  const std::optional<Octets> first = ParseAddress(text.substr(0, slash), &is_v4);
  if (!first) return std::nullopt;
  range.first_ = *first;
  if (slash == std::string_view::npos) return range;
  const std::string_view length = text.substr(slash + 1);
  const char* const end = length.data() + length.size();
  const auto [stop, error] = std::from_chars(length.data(), end, range.bits_);
  if (error != std::errc() || stop != end || range.bits_ < 0) return std::nullopt;
  // "::ffff:192.0.2.0/120" has the length of an IPv6 range.
  const bool short_form = is_v4 && text.find(':') == std::string_view::npos;
  if (short_form) range.bits_ = range.bits_ <= 32 ? range.bits_ + kV4Prefix : 129;
  if (range.bits_ > 128) return std::nullopt;
  return range;
}

bool AddressRange::Contains(std::string_view text) const {
  bool is_v4 = false;
  const std::optional<Octets> address = ParseAddress(text, &is_v4);
  if (!address) return false;
  const size_t whole = static_cast<size_t>(bits_) / 8;
  if (!std::equal(first_.begin(), first_.begin() + whole, address->begin())) return false;
  const int rest = bits_ % 8;
  return rest == 0 || ((first_[whole] ^ (*address)[whole]) >> (8 - rest)) == 0;
}

std::string ClientKey(std::string_view address) {
  const std::string copy(address);
  unsigned char octets[16];
  const char* const begin = reinterpret_cast<const char*>(octets);
  if (inet_pton(AF_INET, copy.c_str(), octets) == 1) return std::string(begin, 4);
  if (inet_pton(AF_INET6, copy.c_str(), octets) == 1) return std::string(begin, 8);
  return copy;
}

std::string ClientName(std::string_view address) { return Name(address, 32, 64); }

std::string NetworkName(std::string_view address) { return Name(address, 24, 48); }

}  // namespace rmail::gateway
