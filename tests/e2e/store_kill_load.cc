// store_kill_load --config FILE --seed N: the load of store_kill_test.py. It makes accounts, calls
// the store from many threads while that is killed and started again, and checks in the end that
// nothing is lost, doubled or changed.
//
// Prints "running" when the load begins. Lines on standard input: "restarted SECONDS" (by
// CLOCK_MONOTONIC, when the store was started again), "check" has all checked between two loads and
// is answered with "checked", "stop" ends the load and is answered with
// "stopped", "check" then checks and ends the program. "given up" is printed when there are so many
// faults that more tell nothing. Exit code 1 when there was a fault; each is told on standard
// error.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "services/config/config.h"
#include "store/base/status.h"
#include "tests/e2e/store_kill_check.h"
#include "tests/e2e/store_kill_sampler.h"
#include "tests/e2e/store_kill_worker.h"
#include "tests/e2e/store_kill_world.h"

namespace rmail::kill {
namespace {

constexpr uint32_t kWorkers = 9;
constexpr std::string_view kRestarted = "restarted ";

void Say(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

class Load {
 public:
  Load(World* world, uint64_t seed) : world_(*world), sampler_(world) {
    for (uint32_t i = 0; i < kWorkers; ++i) workers_.emplace_back(world, i, seed);
  }

  void Start() {
    world_.Resume();
    begin_ = Now();
    for (Worker& worker : workers_) threads_.emplace_back([&worker] { worker.Run(); });
    threads_.emplace_back([this] {
      sampler_.Run();
      if (world_.given_up()) Say("given up");
    });
  }

  void Stop() {
    world_.Stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    seconds_ += Now() - begin_;
  }

  // While it is stopped.
  absl::StatusOr<FinalCheck> Check() {
    sampler_.Sample();
    FinalCheck check(&world_);
    for (const Worker& worker : workers_) check.Expect(worker);
    RMAIL_RETURN_IF_ERROR(check.Run(sampler_));
    return check;
  }

  void Summarize(const FinalCheck& check) const {
    std::string calls;
    uint64_t acknowledged = 0;
    for (size_t i = 0; i < kKindNames.size(); ++i) {
      const CallCounts& counts = world_.calls[i];
      acknowledged += counts.acknowledged;
      calls +=
          fmt::format("  {:8}{:8} acknowledged{:6} unknown{:6} over quota\n", kKindNames[i],
                      counts.acknowledged.load(), counts.unknown.load(), counts.refused.load());
    }
    uint64_t sent = 0;
    for (const Worker& worker : workers_) sent += worker.sent();
    size_t uids = 0;
    for (const MailboxRef& mailbox : world_.mailboxes) uids += mailbox.ledger.uids();
    Say(fmt::format(
        "{}  messages that a lost call was about: {} done, {} not done\n"
        "  {} messages sent, {} UIDs seen, {} messages of {} octets in the end\n"
        "  {:.0f} acknowledged changes/s for {:.1f} s; {} samples; longest time from "
        "restart to first answer {:.3f} s, of {} restarts\n"
        "  {} faults",
        calls, world_.found_done.load(), world_.found_undone.load(), sent, uids, check.messages(),
        check.octets(), acknowledged / seconds_, seconds_, sampler_.rounds(),
        world_.store.LongestRestart(), world_.store.AnsweredRestarts(), world_.faults.count()));
  }

 private:
  World& world_;
  std::deque<Worker> workers_;
  Sampler sampler_;
  std::vector<std::thread> threads_;
  double begin_ = 0;
  double seconds_ = 0;
};

absl::Status Run(const std::string& config_path, uint64_t seed, uint64_t* faults) {
  RMAIL_ASSIGN_OR_RETURN(const config::Config config, config::Load(config_path));
  World world(config);
  RMAIL_RETURN_IF_ERROR(world.SetUp());
  Load load(&world, seed);
  load.Start();
  Say("running");
  std::string line;
  while (std::getline(std::cin, line) && line != "stop") {
    if (line == "check") {
      load.Stop();
      RMAIL_RETURN_IF_ERROR(load.Check().status());
      load.Start();
      Say("checked");
    }
    if (!line.starts_with(kRestarted)) continue;
    double when = 0;
    std::from_chars(line.data() + kRestarted.size(), line.data() + line.size(), when);
    world.store.Restarted(when);
  }
  load.Stop();
  Say("stopped");
  while (std::getline(std::cin, line) && line != "check") {
  }
  if (!world.store.WaitUntilReachable()) return absl::UnavailableError("the store is not there");
  RMAIL_ASSIGN_OR_RETURN(const FinalCheck check, load.Check());
  load.Summarize(check);
  *faults = world.faults.count();
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("store_kill_load");
  std::string config_path;
  uint64_t seed = 0;
  app.add_option("--config", config_path, "the configuration file")->required();
  app.add_option("--seed", seed, "what the load is made from")->required();
  CLI11_PARSE(app, argc, argv);
  uint64_t faults = 0;
  const absl::Status status = Run(config_path, seed, &faults);
  if (!status.ok()) fmt::print(stderr, "store_kill_load: {}\n", ToText(status));
  return status.ok() && faults == 0 ? 0 : 1;
}

}  // namespace
}  // namespace rmail::kill

int main(int argc, char** argv) { return rmail::kill::Main(argc, argv); }
