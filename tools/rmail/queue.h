// `rmail queue list|show|retry|hold|delete`.
#ifndef RMAIL_TOOLS_RMAIL_QUEUE_H_
#define RMAIL_TOOLS_RMAIL_QUEUE_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rmail/store/v1/queue.pb.h"

namespace rmail::tools {

class StoreConnection;

class QueueCommands {
 public:
  // Adds the subcommands to `queue`; `add_config` gives each a --config.
  QueueCommands(CLI::App* queue, const std::function<void(CLI::App*)>& add_config);

  // Runs the one that was given. Returns the exit code.
  int Run(const std::string& config_path);

 private:
  absl::Status Dispatch(StoreConnection& store);
  absl::Status List(StoreConnection& store);
  absl::Status Show(StoreConnection& store);
  absl::Status Retry(StoreConnection& store);
  absl::Status Hold(StoreConnection& store);
  absl::Status Delete(StoreConnection& store);

  // What was asked for. INVALID_ARGUMENT.
  absl::StatusOr<store::v1::QueueFilter> Filter() const;
  // The same, for commands that change something: nothing is done to all by mistake.
  absl::StatusOr<store::v1::QueueFilter> FilterOrAll() const;
  // Tells what was done to how many; none is an error.
  absl::Status Tell(uint64_t messages, const char* what) const;

  CLI::App* list_;
  CLI::App* show_;
  CLI::App* retry_;
  CLI::App* hold_;
  CLI::App* delete_;
  std::vector<std::string> ids_;
  std::string sender_;
  std::string recipient_;
  bool held_ = false;
  bool all_ = false;
  bool json_ = false;
  bool message_ = false;
};

}  // namespace rmail::tools

#endif  // RMAIL_TOOLS_RMAIL_QUEUE_H_
