#include "tools/bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "store/base/env.h"
#include "store/base/mutex.h"
#include "store/base/status.h"

namespace rmail::bench {
namespace {

using Clock = std::chrono::steady_clock;

double MillisSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Three digits that count.
std::string Digits(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  if (value >= 10) return fmt::format("{:.1f}", value);
  return fmt::format("{:.3g}", value);
}

}  // namespace

void Check(const absl::Status& status) {
  if (status.ok()) return;
  // Many threads may fail at once, and exit() is for one.
  static auto* const mutex = new Mutex;
  MutexLock lock(mutex);
  fmt::print(stderr, "{}\n", FromAbsl(status.message()));
  std::exit(1);
}

double Time(const std::function<void()>& call) {
  const Clock::time_point start = Clock::now();
  call();
  return MillisSince(start);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double MedianTime(int calls, const std::function<void()>& call) {
  std::vector<double> times;
  for (int i = 0; i < calls; ++i) times.push_back(Time(call));
  return Median(std::move(times));
}

Sample MeasureThreads(double seconds, const std::vector<std::function<void()>>& steps) {
  std::vector<std::vector<double>> times(steps.size());
  std::vector<std::thread> threads;
  const Clock::time_point start = Clock::now();
  const auto until = start + std::chrono::duration<double>(seconds);
  for (size_t i = 0; i < steps.size(); ++i) {
    threads.emplace_back([&, i] {
      // Each is called once at least.
      do {
        times[i].push_back(Time(steps[i]));
      } while (Clock::now() < until);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double elapsed = MillisSince(start) / 1000;
  std::vector<double> all;
  for (const std::vector<double>& one : times) all.insert(all.end(), one.begin(), one.end());
  std::sort(all.begin(), all.end());
  return {static_cast<double>(all.size()) / elapsed, all[all.size() / 2],
          all[all.size() * 99 / 100]};
}

Sample MeasureOneAfterTheOther(const std::string& root, double seconds) {
  Env* const env = Env::Posix();
  const std::string folder = JoinPath(root, "one-after-the-other");
  Check(env->CreateDirectories(folder));
  const std::string content(4096, 'm');
  const std::string temporary = JoinPath(folder, "tmp");
  uint64_t number = 0;
  const auto step = [&] {
    {
      const auto file = Check(env->Open(temporary, Env::OpenMode::kCreate));
      Check(file->WriteAt(0, content));
      Check(file->Sync());
    }
    Check(env->Rename(temporary, JoinPath(folder, fmt::format("{}", number++))));
    Check(env->SyncDirectory(folder));
  };
  const Sample sample = MeasureThreads(seconds, {step});
  Check(env->RemoveRecursively(folder));
  return sample;
}

Report::Report() {
  fmt::print("| what | must | measured |\n|---|---|---|\n");
  std::fflush(stdout);
}

void Report::Below(std::string_view what, double must, double measured, std::string_view unit) {
  Row(what, fmt::format("< {} {}", Digits(must), unit), measured, unit, measured < must);
}

void Report::AtLeast(std::string_view what, double must, double measured, std::string_view unit) {
  Row(what, fmt::format(">= {} {}", Digits(must), unit), measured, unit, measured >= must);
}

void Report::Note(std::string_view what, double measured, std::string_view unit) {
  Row(what, "", measured, unit, true);
}

void Report::Row(std::string_view what, std::string_view must, double measured,
                 std::string_view unit, bool good) {
  fmt::print("| {} | {} | {} {}{} |\n", what, must, Digits(measured), unit,
             good ? "" : " (missed)");
  std::fflush(stdout);
  good_ = good_ && good;
}

}  // namespace rmail::bench
