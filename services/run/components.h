// The parts of rmail, put together from a configuration: what `rmail serve` and the four services
// have in common.
#ifndef RMAIL_SERVICES_RUN_COMPONENTS_H_
#define RMAIL_SERVICES_RUN_COMPONENTS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/config/config.h"

namespace rmail::run {

// Which parts a process holds. A gateway without a store in the same process uses the configured
// ones.
struct Parts {
  bool store = false;
  bool smtp = false;
  bool imap = false;
  bool exchange = false;

  bool any_gateway() const { return smtp || imap || exchange; }
};

// Used by one thread.
class Components {
 public:
  // Everything listens when it returns. The token secret must be set.
  static absl::StatusOr<std::unique_ptr<Components>> Start(const config::Config& config,
                                                           Parts parts);
  // Drain(0).
  ~Components();
  Components(const Components&) = delete;
  Components& operator=(const Components&) = delete;

  // What listens where: "imap 0.0.0.0:143".
  const std::vector<std::string>& listeners() const;

  // Takes over what can change while sessions run: the log level and the certificate.
  absl::Status Reload(const config::Config& config);

  // Stops to accept, lets commands under way finish, ends what is left after `grace`.
  void Drain(absl::Duration grace);

 private:
  struct Impl;
  explicit Components(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rmail::run

#endif  // RMAIL_SERVICES_RUN_COMPONENTS_H_
