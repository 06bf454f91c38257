#include "gateway/relay/unreported.h"

namespace rmail::gateway::relay {

std::string Unreported::Keep(const std::string& message, Reports reports, absl::Time now) {
  Take(message);
  while (!by_age_.empty() && now - by_age_.begin()->first > max_age_) ForgetOldest();
  std::string forgotten;
  if (entries_.size() >= max_messages_) forgotten = ForgetOldest();
  entries_[message] = {std::move(reports), now};
  by_age_.emplace(now, message);
  return forgotten;
}

Unreported::Reports Unreported::Take(const std::string& message) {
  const auto found = entries_.find(message);
  if (found == entries_.end()) return {};
  by_age_.erase({found->second.kept_at, message});
  Reports reports = std::move(found->second.reports);
  entries_.erase(found);
  return reports;
}

std::string Unreported::ForgetOldest() {
  std::string oldest = by_age_.begin()->second;
  Take(oldest);
  return oldest;
}

}  // namespace rmail::gateway::relay
