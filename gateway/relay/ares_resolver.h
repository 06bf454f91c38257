// The domain name system through c-ares.
#ifndef RMAIL_GATEWAY_RELAY_ARES_RESOLVER_H_
#define RMAIL_GATEWAY_RELAY_ARES_RESOLVER_H_

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/relay/ares_channel.h"
#include "gateway/relay/resolver.h"

namespace rmail::gateway::relay {

struct AresOptions {
  // "192.0.2.1", "127.0.0.1:5353"; empty: those of the system.
  std::vector<std::string> servers;
  // For the first of three attempts at a server; each takes twice as long as the one before.
  absl::Duration timeout = absl::Seconds(3);
  // Look in the system's hosts file for addresses first.
  bool hosts_file = true;
};

// Asks each time (caching_resolver.h). Lookups that are under way when it is destroyed end with
// kUnavailable.
class AresResolver : public Resolver {
 public:
  // `executor`: the loop that waits for the servers; it outlives the resolver.
  static absl::StatusOr<std::unique_ptr<AresResolver>> Create(
      const boost::asio::any_io_executor& executor, const AresOptions& options);
  ~AresResolver() override;

  boost::asio::awaitable<absl::StatusOr<MxAnswer>> LookUpMx(std::string domain) override;
  boost::asio::awaitable<absl::StatusOr<AddressAnswer>> LookUpAddresses(std::string host) override;

 private:
  AresResolver(std::shared_ptr<AresChannel> channel, bool hosts_file);

  const std::shared_ptr<AresChannel> channel_;
  const bool hosts_file_;
};

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_ARES_RESOLVER_H_
