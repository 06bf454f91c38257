// What has happened to messages and the queue does not know, because their leases were lost or the
// store could not be reached.
#ifndef RMAIL_GATEWAY_RELAY_UNREPORTED_H_
#define RMAIL_GATEWAY_RELAY_UNREPORTED_H_

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::gateway::relay {

// Not thread-safe.
class Unreported {
 public:
  using Reports = std::vector<store::v1::RecipientReport>;

  // Of `max_messages` (1 or more) at most, and for `max_age`: a message that has not come back by
  // then is another relay's.
  Unreported(size_t max_messages, absl::Duration max_age)
      : max_messages_(max_messages), max_age_(max_age) {}

  // Keeps a message's reports, in place of those it has. Returns the message whose reports had to
  // be forgotten for want of room; empty: none.
  std::string Keep(const std::string& message, Reports reports, absl::Time now);
  // A message's reports, which it forgets; empty: there are none.
  Reports Take(const std::string& message);

 private:
  struct Entry {
    Reports reports;
    absl::Time kept_at;
  };

  std::string ForgetOldest();

  const size_t max_messages_;
  const absl::Duration max_age_;
  absl::flat_hash_map<std::string, Entry> entries_;
  // All entries, the oldest first.
  std::set<std::pair<absl::Time, std::string>> by_age_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_UNREPORTED_H_
