#include "gateway/relay/mx_route.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace ip = boost::asio::ip;
using smtp::Reply;

constexpr std::string_view kRoot = ".";
constexpr std::string_view kIpv6Tag = "IPv6:";

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(ToAbsl(a), ToAbsl(b));
}

Reply Loop(const std::string& domain) {
  return {554, "5.4.6", fmt::format("Mail for {} loops back to this server", domain)};
}

std::vector<std::string> Shuffled(std::vector<MxRecord> records, const RandomBelow& random) {
  for (size_t i = records.size(); i > 1; --i) std::swap(records[i - 1], records[random(i)]);
  // A sort that keeps the order of what is equal, by insertion: there are 32 at most.
  std::vector<MxRecord> sorted;
  for (MxRecord& record : records) {
    const auto place = std::upper_bound(
        sorted.begin(), sorted.end(), record.preference,
        [](uint16_t preference, const MxRecord& other) { return preference < other.preference; });
    sorted.insert(place, std::move(record));
  }
  std::vector<std::string> hosts;
  for (MxRecord& record : sorted) {
    if (std::find(hosts.begin(), hosts.end(), record.host) == hosts.end()) {
      hosts.push_back(std::move(record.host));
    }
  }
  return hosts;
}

bool IsHostAddress(const ip::address& address) {
  if (address.is_unspecified() || address.is_multicast()) return false;
  return !address.is_v4() || address.to_v4() != ip::address_v4::broadcast();
}

}  // namespace

smtp::Parsed<std::vector<std::string>> OrderHosts(const std::string& domain,
                                                  const absl::StatusOr<MxAnswer>& answer,
                                                  std::string_view own_name,
                                                  const RandomBelow& random) {
  if (absl::IsNotFound(answer.status())) {
    return Reply{550, "5.1.2", fmt::format("There is no domain {}", domain)};
  }
  if (!answer.ok()) {
    return Reply{451, "4.4.3",
                 fmt::format("Cannot look up the mail servers of {}: {}", domain,
                             FromAbsl(answer.status().message()))};
  }
  std::vector<MxRecord> records = answer->records;
  if (records.empty()) {  // The implicit MX.
    if (SameName(domain, own_name)) return Loop(domain);
    return std::vector<std::string>{domain};
  }
  records.erase(std::remove_if(records.begin(), records.end(),
                               [](const MxRecord& record) { return record.host == kRoot; }),
                records.end());
  if (records.empty()) {  // RFC 7505.
    return Reply{556, "5.1.10", fmt::format("The domain {} accepts no mail", domain)};
  }
  int limit = 0x10000;
  for (const MxRecord& record : records) {
    if (SameName(record.host, own_name)) limit = std::min<int>(limit, record.preference);
  }
  records.erase(
      std::remove_if(records.begin(), records.end(),
                     [limit](const MxRecord& record) { return record.preference >= limit; }),
      records.end());
  if (records.empty()) return Loop(domain);
  return Shuffled(std::move(records), random);
}

std::vector<ip::address> OrderAddresses(const std::vector<ip::address>& addresses) {
  std::vector<ip::address> families[2];
  for (const ip::address& address : addresses) {
    if (IsHostAddress(address)) families[address.is_v4() ? 1 : 0].push_back(address);
  }
  std::vector<ip::address> ordered;
  for (size_t i = 0; i < std::max(families[0].size(), families[1].size()); ++i) {
    for (const std::vector<ip::address>& family : families) {
      if (i < family.size()) ordered.push_back(family[i]);
    }
  }
  return ordered;
}

Reply NoAddress(const std::string& host, const absl::Status& status) {
  if (status.ok() || absl::IsNotFound(status)) {
    return {550, "5.4.4", fmt::format("The mail server {} has no address", host)};
  }
  return {451, "4.4.3",
          fmt::format("Cannot look up the mail server {}: {}", host, FromAbsl(status.message()))};
}

std::optional<ip::address> ParseAddressLiteral(std::string_view domain) {
  if (!domain.starts_with('[') || !domain.ends_with(']')) return std::nullopt;
  std::string_view inner = domain.substr(1, domain.size() - 2);
  const bool v6 = absl::StartsWithIgnoreCase(ToAbsl(inner), ToAbsl(kIpv6Tag));
  if (v6) inner.remove_prefix(kIpv6Tag.size());
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(inner), error);
  if (error || address.is_v6() != v6) return std::nullopt;
  return address;
}

bool IsWithin(std::string_view host, std::string_view domain) {
  if (host.size() <= domain.size()) return SameName(host, domain);
  return host[host.size() - domain.size() - 1] == '.' &&
         SameName(host.substr(host.size() - domain.size()), domain);
}

}  // namespace rmail::gateway::relay
