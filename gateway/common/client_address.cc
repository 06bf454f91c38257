#include "gateway/common/client_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace rmail::gateway {
namespace {

constexpr int kV4Prefix = 96;  // bits of an IPv4-mapped address in front of the IPv4 address

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

}  // namespace rmail::gateway
