#include "services/config/relay_section.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "gateway/common/client_address.h"
#include "services/config/json_section.h"

namespace rmail::config {
namespace {

constexpr uint64_t kMonth = 31 * 86'400;
constexpr uint64_t kYearHours = 366 * 24;

bool IsAddress(std::string_view text) {
  return text.find('/') == std::string_view::npos && gateway::AddressRange::Parse(text).has_value();
}

bool IsPort(std::string_view text) {
  uint32_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

// An address, with or without a port.
bool IsServer(std::string_view text) {
  if (IsAddress(text)) return true;
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsPort(text.substr(colon + 1))) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  return bracketed == (host.find(':') != std::string_view::npos) && IsAddress(host);
}

}  // namespace

absl::Status ReadRelay(const boost::json::object& object, RelayConfig* relay) {
  JsonSection section(object, "relay.");
  section.Flag("enabled", &relay->enabled);
  section.Text("smarthost", &relay->smarthost);
  section.Integer("smarthost_port", 1, 65535, &relay->smarthost_port);
  section.Text("smarthost_username", &relay->smarthost_username);
  section.Text("smarthost_password", &relay->smarthost_password);
  section.OneOf("tls", {"none", "may", "encrypt", "verify"}, &relay->tls);
  section.Text("ca_file", &relay->ca_file);
  section.Integer("workers", 1, 10'000, &relay->workers);
  section.Integer("max_per_destination", 1, 1'000, &relay->max_per_destination);
  section.Integers("retry", 1, kMonth, 100, &relay->retry);
  section.Integer("max_age_hours", 1, kYearHours, &relay->max_age_hours);
  section.Integer("delay_notice_hours", 0, kYearHours, &relay->delay_notice_hours);
  section.Text("source_address", &relay->source_address);
  section.Texts("dns_servers", &relay->dns_servers);
  if (!relay->source_address.empty() && !IsAddress(relay->source_address)) {
    section.Fail("source_address", "must be an IP address");
  }
  for (const std::string& server : relay->dns_servers) {
    if (IsServer(server)) continue;
    section.Fail("dns_servers",
                 fmt::format("has \"{}\", which is no IP address with or without a port", server));
  }
  if (relay->smarthost_username.empty() != relay->smarthost_password.empty()) {
    section.Fail("smarthost_username", "and smarthost_password go together");
  }
  return section.Finish();
}

}  // namespace rmail::config
