#include "services/run/main_loop.h"

#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "services/config/config.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::run {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(10);

// Signals are waited for by the main thread alone: every thread inherits the block.
sigset_t BlockSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Each connection and each open mailbox needs files: as many as the system lets this process have.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

absl::StatusOr<config::Config> LoadFor(const std::string& path, Parts parts) {
  // Only the process that is everything may decide on a secret: services that run apart must share
  // one.
  if (parts.store && parts.any_gateway()) return config::LoadWithTokenSecret(path);
  RMAIL_ASSIGN_OR_RETURN(config::Config config, config::Load(path));
  if (config.exchange_api.token_secret.empty()) {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "\"exchange_api.token_secret\" must be set: all services share it");
  }
  return config;
}

void Reload(const std::string& path, Components& components) {
  const absl::StatusOr<config::Config> config = config::Load(path);
  const absl::Status reloaded = config.ok() ? components.Reload(*config) : config.status();
  if (reloaded.ok()) {
    LogInfo("configuration read again");
  } else {
    LogError("the old configuration stays: {}", FromAbsl(reloaded.message()));
  }
}

}  // namespace

int RunUntilSignalled(const std::string& config_path, Parts parts) {
  const sigset_t signals = BlockSignals();
  RaiseFileLimit();
  const absl::StatusOr<config::Config> config = LoadFor(config_path, parts);
  if (!config.ok()) {
    LogError("cannot start: {}", FromAbsl(config.status().message()));
    if (absl::IsNotFound(config.status())) LogError("`rmail init` writes a configuration");
    return 1;
  }
  absl::StatusOr<std::unique_ptr<Components>> components = Components::Start(*config, parts);
  if (!components.ok()) {
    LogError("cannot start: {}", FromAbsl(components.status().message()));
    return 1;
  }
  for (const std::string& listener : (*components)->listeners()) {
    LogInfo("listening: {}", listener);
    std::printf("%s\n", listener.c_str());
  }
  std::printf("ready\n");
  std::fflush(stdout);
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      Reload(config_path, **components);
      continue;
    }
    LogInfo("stopping: signal {}", signal);
    (*components)->Drain(kGrace);
    return 0;
  }
}

int ServiceMain(int argc, char** argv, Parts parts) {
  CLI::App app;
  std::string config_path = "./config.json";
  app.add_option("--config", config_path, "the configuration file")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return RunUntilSignalled(config_path, parts);
}

}  // namespace rmail::run
