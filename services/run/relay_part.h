// The relay and what it stands on, from the configuration.
#ifndef RMAIL_SERVICES_RUN_RELAY_PART_H_
#define RMAIL_SERVICES_RUN_RELAY_PART_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "services/config/config.h"

namespace rmail::run {

// Used by one thread.
class RelayPart {
 public:
  // Starts at once. `threads` and `access` outlive it.
  static absl::StatusOr<std::unique_ptr<RelayPart>> Start(const config::Config& config,
                                                          gateway::IoThreads& threads,
                                                          gateway::StoreAccess& access);
  // Drain(0 s).
  ~RelayPart();
  RelayPart(const RelayPart&) = delete;
  RelayPart& operator=(const RelayPart&) = delete;

  // See Relay::Drain.
  void Drain(absl::Duration grace);

 private:
  struct Impl;
  explicit RelayPart(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rmail::run

#endif  // RMAIL_SERVICES_RUN_RELAY_PART_H_
