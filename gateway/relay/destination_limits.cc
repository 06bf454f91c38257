#include "gateway/relay/destination_limits.h"

#include <algorithm>

namespace rmail::gateway::relay {

bool DestinationLimits::Begin(const std::string& domain) {
  size_t& running = running_[domain];
  if (running >= max_) return false;
  ++running;
  return true;
}

void DestinationLimits::End(const std::string& domain) {
  const auto found = running_.find(domain);
  if (found != running_.end() && --found->second == 0) running_.erase(found);
}

std::vector<std::string> DestinationLimits::Full() const {
  std::vector<std::string> full;
  for (const auto& [domain, running] : running_) {
    if (running >= max_) full.push_back(domain);
  }
  return full;
}

size_t DestinationLimits::Headroom() const {
  size_t headroom = max_;
  for (const auto& [domain, running] : running_) {
    if (running < max_) headroom = std::min(headroom, max_ - running);
  }
  return headroom;
}

}  // namespace rmail::gateway::relay
