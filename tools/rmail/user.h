// `rmail user add|list|delete|passwd|disable|enable`.
#ifndef RMAIL_TOOLS_RMAIL_USER_H_
#define RMAIL_TOOLS_RMAIL_USER_H_

#include <CLI/App.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace rmail::tools {

class StoreConnection;

class UserCommands {
 public:
  // Adds the subcommands to `user`; `add_config` gives each a --config.
  UserCommands(CLI::App* user, const std::function<void(CLI::App*)>& add_config);

  // Runs the one that was given. Returns the exit code.
  int Run(const std::string& config_path);

 private:
  absl::Status Dispatch(StoreConnection& store);
  absl::Status Add(StoreConnection& store);
  absl::Status List(StoreConnection& store);
  absl::Status Delete(StoreConnection& store);
  absl::Status SetPassword(StoreConnection& store);
  absl::Status SetDisabled(StoreConnection& store, bool disabled);

  CLI::App* add_;
  CLI::App* list_;
  CLI::App* delete_;
  CLI::App* passwd_;
  CLI::App* disable_;
  CLI::App* enable_;
  std::string address_;
  std::string domain_;
  bool password_stdin_ = false;
  bool admin_ = false;
  uint64_t quota_mb_ = 1024;
};

}  // namespace rmail::tools

#endif  // RMAIL_TOOLS_RMAIL_USER_H_
