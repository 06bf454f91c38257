// Measures the engine against what is asked of it and prints a table `what | must | measured`.
//
//   bazel run -c opt //tools/bench:engine -- [--data FOLDER] [--large N]
//
// The two mailboxes that it needs are made first (the one of ten million messages takes some
// minutes and about 1.5 GB) in a temporary folder, which is removed; or in --data, where they stay
// for the next time.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "store/base/env.h"
#include "tools/bench/engine_cases.h"
#include "tools/bench/mailbox_writer.h"
#include "tools/bench/measure.h"
#include "tools/bench/scratch_folder.h"

namespace rmail::bench {
namespace {

constexpr uint32_t kCorpus = 100'000;
constexpr uint64_t kLinkedSize = 3000;

struct Options {
  std::string folder;
  std::string data;
  uint32_t large = 10'000'000;
  double seconds = 3;
};

// A mailbox's folder below `parent`; made unless a run before this one has finished it.
std::string Provide(BenchStore& store, const std::string& parent, const MailboxPlan& plan) {
  Env* const env = store.env();
  const std::string name = fmt::format("{}-{}", plan.size == 0 ? "corpus" : "links", plan.messages);
  const std::string folder = JoinPath(parent, name);
  if (env->Stat(folder).ok()) return folder;
  fmt::print(stderr, "making a mailbox of {} messages\n", plan.messages);
  // It gets its name when it is complete.
  const std::string unfinished = folder + ".unfinished";
  Check(env->RemoveRecursively(unfinished));
  const double millis = Time([&] {
    const std::shared_ptr<engine::Mailbox> mailbox = store.Open(unfinished);
    Check(FillMailbox(env, *mailbox, plan, [](uint32_t) {}));
    Check(mailbox->Checkpoint());
  });
  Check(env->SyncFileSystem(parent));
  Check(env->Rename(unfinished, folder));
  fmt::print(stderr, "made in {:.0f} s\n", millis / 1000);
  return folder;
}

bool Run(const Options& options) {
  const ScratchFolder scratch(options.data.empty() ? options.folder : options.data);
  const std::string data =
      options.data.empty() ? scratch.path() : std::filesystem::absolute(options.data).string();
  BenchStore store(scratch.path());
  const std::string corpus = Provide(store, data, {kCorpus, 0});
  std::string large;
  if (options.large > 0) large = Provide(store, data, {options.large, kLinkedSize});

  Report report;
  // First, while this process has little memory of its own to reuse.
  if (!large.empty()) BenchLargeMailbox(store, large, options.large, report);
  BenchCorpusMailbox(store, corpus, scratch.path(), kCorpus, report);
  BenchAppends(store, scratch.path(), options.seconds, report);
  BenchDigests(report);
  return report.good();
}

}  // namespace
}  // namespace rmail::bench

int main(int argc, char** argv) {
  CLI::App app("Measures the engine against what is asked of it");
  rmail::bench::Options options;
  app.add_option("--dir", options.folder, "a folder on the disk to measure (default: TMPDIR)");
  app.add_option("--data", options.data, "a folder that keeps the mailboxes for the next time")
      ->check(CLI::ExistingDirectory);
  app.add_option("--large", options.large, "messages of the large mailbox; 0: leave it out")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "for each measurement of appends")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return rmail::bench::Run(options) ? 0 : 1;
}
