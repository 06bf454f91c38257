// How fast mail can be put on disk: several callers, each with a mailbox of its own, make a message
// durable as the store does (a file written and synced in tmp/, a log record, a link, log and
// folder synced), with different ways to share the syncs. The yardstick is one thread that does
// open+write+fsync+rename+fsync(folder) in a loop, measured again before each group, for disks are
// moody.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/env.h"
#include "tools/bench/measure.h"
#include "tools/bench/scratch_folder.h"
#include "tools/bench/sync_strategies.h"

namespace rmail::bench {
namespace {

constexpr size_t kMessage = 4096;
constexpr size_t kRecord = 64;

class SyncBench {
 public:
  SyncBench(std::string root, double seconds)
      : root_(std::move(root)), seconds_(seconds), message_(kMessage, 'm'), record_(kRecord, 'r') {}

  Sample OneAfterTheOther() { return MeasureOneAfterTheOther(root_, seconds_); }

  Sample Callers(int count, const SyncFunction& sync) {
    const std::string folder = NewFolder();
    std::vector<std::unique_ptr<MailboxFiles>> mailboxes;
    std::vector<std::function<void()>> steps;
    for (int i = 0; i < count; ++i) {
      mailboxes.push_back(
          std::make_unique<MailboxFiles>(env_, JoinPath(folder, std::to_string(i))));
      steps.emplace_back([this, &sync, mailbox = mailboxes.back().get()] {
        mailbox->Append(message_, record_, sync);
      });
    }
    // Making the folders is not what is measured.
    Check(env_->SyncFileSystem(root_));
    const Sample sample = MeasureThreads(seconds_, steps);
    Check(env_->RemoveRecursively(folder));
    return sample;
  }

 private:
  class MailboxFiles {
   public:
    MailboxFiles(Env* env, const std::string& folder)
        : env_(env), incoming_(JoinPath(folder, "tmp")), shard_(JoinPath(folder, "0")) {
      Check(env_->CreateDirectories(incoming_));
      Check(env_->CreateDirectories(shard_));
      log_ = Check(env_->Open(JoinPath(folder, "log"), Env::OpenMode::kCreate));
    }

    void Append(const std::string& message, const std::string& record, const SyncFunction& sync) {
      const std::string name = std::to_string(number_++);
      const std::string temporary = JoinPath(incoming_, name);
      {
        const auto file = Check(env_->Open(temporary, Env::OpenMode::kCreateNew));
        Check(file->WriteAt(0, message));
        Check(sync(*file, ""));
      }
      Check(log_->WriteAt(log_end_, record));
      log_end_ += record.size();
      Check(env_->Link(temporary, JoinPath(shard_, name)));
      Check(sync(*log_, shard_));
      Check(env_->Remove(temporary));
    }

   private:
    Env* const env_;
    const std::string incoming_;
    const std::string shard_;
    std::unique_ptr<File> log_;
    uint64_t log_end_ = 0;
    uint64_t number_ = 0;
  };

  std::string NewFolder() {
    std::string folder = JoinPath(root_, std::to_string(folders_++));
    Check(env_->CreateDirectories(folder));
    return folder;
  }

  Env* const env_ = Env::Posix();
  const std::string root_;
  const double seconds_;
  const std::string message_;
  const std::string record_;
  int folders_ = 0;
};

Sample MedianOf(const std::vector<Sample>& samples) {
  std::vector<double> rates, medians, p99s;
  for (const Sample& sample : samples) {
    rates.push_back(sample.rate);
    medians.push_back(sample.median);
    p99s.push_back(sample.p99);
  }
  return {Median(rates), Median(medians), Median(p99s)};
}

struct Options {
  std::string folder;
  double seconds = 1;
  int rounds = 3;
  std::vector<int> callers = {1, 4, 16, 64};
};

void Run(const Options& options) {
  const ScratchFolder scratch(options.folder);
  SyncBench bench(scratch.path(), options.seconds);
  const std::vector<Strategy> strategies = AllStrategies(Env::Posix(), scratch.path());
  std::vector<Sample> yardstick;
  std::map<std::pair<int, size_t>, std::vector<Sample>> samples;
  std::map<std::pair<int, size_t>, std::vector<double>> ratios;
  for (int round = 0; round < options.rounds; ++round) {
    for (const int callers : options.callers) {
      yardstick.push_back(bench.OneAfterTheOther());
      for (size_t i = 0; i < strategies.size(); ++i) {
        const Sample sample = bench.Callers(callers, strategies[i].sync);
        samples[{callers, i}].push_back(sample);
        ratios[{callers, i}].push_back(sample.rate / yardstick.back().rate);
      }
    }
  }
  constexpr std::string_view kRow =
      "| {:<28} | {:>7} | {:>8.0f} | {:>5.1f} | {:>9.2f} | {:>6.2f} |\n";
  fmt::print(
      "| how                          | callers | a second | ratio | median ms | p99 ms |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  const Sample base = MedianOf(yardstick);
  fmt::print(kRow, "one after the other", 1, base.rate, 1.0, base.median, base.p99);
  for (const auto& [key, all] : samples) {
    const Sample sample = MedianOf(all);
    const Strategy& strategy = strategies[key.second];
    fmt::print(kRow, fmt::format("{}{}", strategy.name, strategy.selectable ? " *" : ""), key.first,
               sample.rate, Median(ratios[key]), sample.median, sample.p99);
  }
  fmt::print("\n* selectable (store.sync). Medians of {} rounds of {} s each.\n", options.rounds,
             options.seconds);
}

}  // namespace
}  // namespace rmail::bench

int main(int argc, char** argv) {
  CLI::App app("How fast messages of 4 KB are made durable, by 1 to 64 callers");
  rmail::bench::Options options;
  app.add_option("--dir", options.folder, "a folder on the disk to measure (default: TMPDIR)");
  app.add_option("--seconds", options.seconds, "for each measurement")->capture_default_str();
  app.add_option("--rounds", options.rounds, "of all measurements")->capture_default_str();
  app.add_option("--callers", options.callers, "how many at a time")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  rmail::bench::Run(options);
}
